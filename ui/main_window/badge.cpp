// SPDX-License-Identifier: MIT
#include "ui/main_window/badge.h"

#include "ui/theme/accents.h"

#include <QApplication>
#include <QEvent>

namespace lockboard {

Badge::Badge(const QString& text, Tone tone, QWidget* parent)
    : PlainLabel(text, parent)
    , m_tone(tone)
{
    QFont bold = font();
    bold.setBold(true);
    setFont(bold);
    const int gap = fontMetrics().height() / 4;
    setContentsMargins(gap, 0, gap, 0);
    tint();
}

void Badge::tint()
{
    QPalette tinted = QApplication::palette();
    if (m_tone == Alarming)
        tinted.setColor(QPalette::WindowText, Accents::of(tinted).bad);
    setPalette(tinted);
}

void Badge::changeEvent(QEvent* event)
{
    PlainLabel::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange)
        tint();
}

} // namespace lockboard
