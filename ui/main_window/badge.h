// SPDX-License-Identifier: MIT
#pragma once

#include "ui/text/plain_label.h"

namespace lockboard {

//! A word in the status line that must not be overlooked.
class Badge final : public PlainLabel {
    Q_OBJECT

public:
    enum Tone : std::uint8_t { Calm, Alarming };

    Badge(const QString& text, Tone tone, QWidget* parent);

protected:
    void changeEvent(QEvent* event) override;

private:
    void tint();

    Tone m_tone;
};

} // namespace lockboard
