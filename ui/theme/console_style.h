// SPDX-License-Identifier: MIT
#pragma once

#include <QProxyStyle>

namespace lockboard {

//! Fusion, but with a tool bar that is flat: Fusion's has white lines, which shine in the dark.
class ConsoleStyle final : public QProxyStyle {
    Q_OBJECT

public:
    ConsoleStyle();
    void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
};

} // namespace lockboard
