// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QString>

namespace lockboard {

class MainWindow;

//! Saves a picture of the window a moment after it shows its first data, then ends the program:
//! with 0, or 1 if the picture can't be written or no data came.
class Screenshot final : public QObject {
    Q_OBJECT

public:
    Screenshot(MainWindow& window, const QString& file, std::chrono::milliseconds moment);

private:
    void take();

    MainWindow& m_window;
    QString m_file;
};

} // namespace lockboard
