// SPDX-License-Identifier: MIT
#include "ui/main_window/banner.h"

#include "ui/text/plain_label.h"
#include "ui/theme/accents.h"
#include "ui/theme/icons.h"

#include <QApplication>
#include <QEvent>
#include <QHBoxLayout>

namespace lockboard {

using namespace Qt::StringLiterals;

Banner::Banner(QWidget* parent)
    : QFrame(parent)
    , m_icon(new PlainLabel(this))
    , m_text(new PlainLabel(this))
{
    setObjectName(u"banner"_s);
    m_text->setObjectName(u"bannerText"_s);
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    const int size = fontMetrics().height();
    m_icon->setPixmap(icon(Glyph::Warning).pixmap(size, size));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(size / 2, size / 3, size / 2, size / 3);
    layout->addWidget(m_icon);
    layout->addWidget(m_text, 1);
    setAutoFillBackground(true);
    hide();
}

void Banner::showState(const SourceState& state, const QString& provider)
{
    QString text;
    switch (state.kind) {
    case SourceState::Live:
        text = state.why;
        break;
    case SourceState::Connecting:
        if (!state.why.isEmpty())
            text = tr("Connecting to %1: %2").arg(provider, state.why);
        break;
    case SourceState::Stale:
        text = state.why.isEmpty()
            ? tr("What is shown of %1 may be out of date.").arg(provider)
            : tr("What is shown of %1 may be out of date: %2").arg(provider, state.why);
        break;
    case SourceState::Failed:
        text = state.why.isEmpty() ? tr("%1 can't be reached.").arg(provider)
                                   : tr("%1 can't be shown: %2").arg(provider, state.why);
        break;
    }
    m_failed = state.kind == SourceState::Failed;
    m_state = text;
    say();
}

void Banner::showNotice(const QString& notice)
{
    m_notice = notice;
    say();
}

void Banner::say()
{
    QStringList lines{m_state, m_notice};
    lines.removeAll(QString());
    m_text->setText(lines.join(u'\n'));
    tint();
    setVisible(!lines.isEmpty());
}

void Banner::tint()
{
    const QPalette normal = QApplication::palette();
    const Accents accents = Accents::of(normal);
    const QColor accent = m_failed ? accents.bad : accents.warning;
    const QColor base = normal.color(QPalette::Base);
    const auto mix = [](int a, int b) { return (a * 18 + b * 82) / 100; };
    QPalette tinted = normal;
    tinted.setColor(QPalette::Window,
                    QColor(mix(accent.red(), base.red()), mix(accent.green(), base.green()),
                           mix(accent.blue(), base.blue())));
    setPalette(tinted);
}

void Banner::changeEvent(QEvent* event)
{
    QFrame::changeEvent(event);
    if (event->type() != QEvent::ApplicationPaletteChange)
        return;
    const int size = fontMetrics().height();
    m_icon->setPixmap(icon(Glyph::Warning).pixmap(size, size));
    tint();
}

} // namespace lockboard
