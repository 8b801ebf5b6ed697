// SPDX-License-Identifier: MIT
#pragma once

#include <QPalette>

namespace lockboard {

//! The colours of meaning, which a palette has no roles for. Each stands out from the palette's
//! base by 3:1 at least; none is ever the only sign of what it means.
class Accents final {
public:
    [[nodiscard]] static Accents of(const QPalette& palette);

    QColor good;
    QColor warning;
    QColor bad;
    QColor idle;
    QColor track; //!< what a bar runs in
    QColor trackOnSelection;
};

[[nodiscard]] bool isDark(const QPalette& palette);

} // namespace lockboard
