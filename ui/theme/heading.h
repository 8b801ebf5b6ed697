// SPDX-License-Identifier: MIT
#pragma once

#include "ui/text/plain_label.h"

namespace lockboard {

//! The quiet title over a part of the window.
class Heading final : public PlainLabel {
    Q_OBJECT

public:
    explicit Heading(const QString& text, QWidget* parent = nullptr)
        : PlainLabel(text, parent)
    {
        setForegroundRole(QPalette::PlaceholderText);
        QFont bold = font();
        bold.setBold(true);
        setFont(bold);
        const int gap = fontMetrics().height() / 2;
        setContentsMargins(gap, gap, gap, gap / 2);
    }
};

} // namespace lockboard
