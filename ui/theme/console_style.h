// SPDX-License-Identifier: MIT
#pragma once

#include <QProxyStyle>

namespace lockboard {

//! Fusion, but with a flat tool bar and, in the dark, outlines that can be seen: Fusion's tool bar
//! has white lines, and its fields and boxes are outlined darker than what they lie on.
class ConsoleStyle final : public QProxyStyle {
    Q_OBJECT

public:
    ConsoleStyle();
    void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override;
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
                            QPainter* painter, const QWidget* widget) const override;
};

} // namespace lockboard
