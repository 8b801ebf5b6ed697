// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QPalette>

namespace lockboard {

enum class ThemeChoice : std::uint8_t { Auto, Light, Dark };

[[nodiscard]] QPalette lightPalette();
[[nodiscard]] QPalette darkPalette();

//! Dresses the application: Fusion with a light or a dark palette of our own, the one asked for or
//! the one the desktop prefers, also when it changes its mind.
class Theme final : public QObject {
    Q_OBJECT

public:
    explicit Theme(ThemeChoice choice, QObject* parent = nullptr);

private:
    void apply(bool dark);
};

} // namespace lockboard
