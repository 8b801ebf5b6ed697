// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/live_view.h"

#include <QFrame>

class QLabel;

namespace lockboard {

//! Says above the table when what it shows may not be what there is, and why.
class Banner final : public QFrame {
    Q_OBJECT

public:
    explicit Banner(QWidget* parent = nullptr);
    void showState(const SourceState& state, const QString& provider);
    //! Says this besides, from now on.
    void showNotice(const QString& notice);

protected:
    void changeEvent(QEvent* event) override;

private:
    void say();
    void tint();

    QLabel* m_icon;
    QLabel* m_text;
    QString m_state;
    QString m_notice;
    bool m_failed = false;
};

} // namespace lockboard
