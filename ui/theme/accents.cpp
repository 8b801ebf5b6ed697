// SPDX-License-Identifier: MIT
#include "ui/theme/accents.h"

namespace lockboard {

bool isDark(const QPalette& palette)
{
    return palette.color(QPalette::Active, QPalette::Base).lightness() < 127;
}

Accents Accents::of(const QPalette& palette)
{
    Accents accents;
    const bool dark = isDark(palette);
    accents.good = dark ? QColor(0x4f, 0xb0, 0x8c) : QColor(0x1f, 0x8a, 0x65);
    accents.warning = dark ? QColor(0xe5, 0x9b, 0x3c) : QColor(0xc2, 0x6a, 0x0a);
    accents.bad = dark ? QColor(0xf0, 0x6c, 0x75) : QColor(0xc8, 0x32, 0x3f);
    accents.idle = dark ? QColor(0x7d, 0x87, 0x94) : QColor(0x7a, 0x84, 0x90);
    accents.track = dark ? QColor(0x2c, 0x33, 0x3b) : QColor(0xe2, 0xe6, 0xea);
    accents.trackOnSelection = palette.color(QPalette::HighlightedText);
    accents.trackOnSelection.setAlphaF(0.3F);
    return accents;
}

} // namespace lockboard
