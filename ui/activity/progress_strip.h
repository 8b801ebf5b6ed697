// SPDX-License-Identifier: MIT
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;

namespace lockboard {

class Commands;

//! Shows that something takes its time, how far it is, and a way to stop it.
class ProgressStrip final : public QWidget {
    Q_OBJECT

public:
    explicit ProgressStrip(Commands& commands, QWidget* parent = nullptr);

private:
    void report(quint64 done, quint64 total);

    QLabel* m_text;
    QProgressBar* m_bar;
};

} // namespace lockboard
