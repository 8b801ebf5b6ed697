// SPDX-License-Identifier: MIT
#pragma once

#include <QIcon>

namespace lockboard {

enum class Glyph { Acquire, Release, ReleaseOwner, ReleaseAll, Refresh, Search, Warning };

//! Our own icons, drawn with strokes in the palette's colour: sharp at any scale, right in light
//! and dark, and in need of no SVG plugin or icon theme.
[[nodiscard]] QIcon icon(Glyph glyph);
//! The program's icon.
[[nodiscard]] QIcon applicationIcon();

} // namespace lockboard
