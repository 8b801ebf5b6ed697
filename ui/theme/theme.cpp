// SPDX-License-Identifier: MIT
#include "ui/theme/theme.h"

#include "ui/theme/accents.h"
#include "ui/theme/console_style.h"

#include <QApplication>
#include <QToolTip>

#ifdef LOCKBOARD_DBUS
#include "ui/theme/color_scheme_portal.h"
#endif

namespace lockboard {

namespace {

struct Shades {
    QRgb window, base, alternate, text, dim, disabled, button, border, highlight, onHighlight, link,
        light, outline;
};

QPalette paletteOf(const Shades& shades)
{
    QPalette palette(QColor(shades.button), QColor(shades.window));
    palette.setColor(QPalette::Window, shades.window);
    palette.setColor(QPalette::Base, shades.base);
    palette.setColor(QPalette::AlternateBase, shades.alternate);
    palette.setColor(QPalette::Button, shades.button);
    palette.setColor(QPalette::Mid, shades.border);
    palette.setColor(QPalette::Dark, shades.outline);
    palette.setColor(QPalette::Light, shades.light);
    palette.setColor(QPalette::Midlight, shades.light);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText,
                            QPalette::ToolTipText, QPalette::BrightText}) {
        palette.setColor(role, shades.text);
        palette.setColor(QPalette::Disabled, role, shades.disabled);
    }
    palette.setColor(QPalette::PlaceholderText, shades.dim);
    palette.setColor(QPalette::ToolTipBase, shades.window);
    palette.setColor(QPalette::Highlight, shades.highlight);
    palette.setColor(QPalette::HighlightedText, shades.onHighlight);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, shades.border);
    palette.setColor(QPalette::Link, shades.link);
    return palette;
}

} // namespace

QPalette lightPalette()
{
    return paletteOf({0xfff3f5f7, 0xffffffff, 0xfff8f9fb, 0xff1b2129, 0xff5f6a77, 0xff9aa3ad,
                      0xfffbfcfd, 0xffd3d9df, 0xff2f6fd0, 0xffffffff, 0xff1f5fc4, 0xffffffff,
                      0xffa9b2bc});
}

QPalette darkPalette()
{
    return paletteOf({0xff1f242a, 0xff171b20, 0xff1b2026, 0xffe4e8ec, 0xff96a1ad, 0xff6b7580,
                      0xff2a3038, 0xff39414b, 0xff2e65b8, 0xffffffff, 0xff7fb0ff, 0xff2d343c,
                      0xff67727f});
}

Theme::Theme(ThemeChoice choice, QObject* parent)
    : QObject(parent)
{
    const bool systemIsDark = isDark(QApplication::palette());
    QApplication::setStyle(new ConsoleStyle);
    apply(choice == ThemeChoice::Dark || (choice == ThemeChoice::Auto && systemIsDark));
#ifdef LOCKBOARD_DBUS
    if (choice != ThemeChoice::Auto)
        return;
    auto* desktop = new ColorSchemePortal(this);
    connect(desktop, &ColorSchemePortal::preferenceKnown, this,
            [this, systemIsDark](std::optional<bool> dark) { apply(dark.value_or(systemIsDark)); });
    desktop->ask();
#endif
}

void Theme::apply(bool dark)
{
    const QPalette palette = dark ? darkPalette() : lightPalette();
    QApplication::setPalette(palette);
    QToolTip::setPalette(palette);
}

} // namespace lockboard
