// SPDX-License-Identifier: MIT
#pragma once

#include <QLabel>

namespace lockboard {

//! A label that shows its text as it is, whatever it looks like.
class PlainLabel : public QLabel {
    Q_OBJECT

public:
    explicit PlainLabel(QWidget* parent = nullptr)
        : PlainLabel(QString(), parent)
    {
    }
    explicit PlainLabel(const QString& text, QWidget* parent = nullptr)
        : QLabel(parent)
    {
        setTextFormat(Qt::PlainText); // before there is a text to be guessed about
        setText(text);
    }
};

} // namespace lockboard
