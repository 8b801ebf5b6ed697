// SPDX-License-Identifier: MIT
#include "ui/main_window/status_line.h"

#include "ui/locks/formatting.h"
#include "ui/main_window/badge.h"
#include "ui/text/plain_label.h"

#include <QStatusBar>

namespace lockboard {

using namespace Qt::StringLiterals;

StatusLine::StatusLine(QStatusBar* bar, bool readOnly)
    : QObject(bar)
    , m_counts(new PlainLabel(bar))
    , m_state(new PlainLabel(bar))
    , m_warning(new Badge(QString(), Badge::Alarming, bar))
{
    m_counts->setObjectName(u"countsLabel"_s);
    m_state->setObjectName(u"stateLabel"_s);
    m_warning->setObjectName(u"warningBadge"_s);
    const int gap = bar->fontMetrics().height() / 2;
    m_counts->setContentsMargins(gap / 2, gap / 4, gap, gap / 4);
    m_state->setContentsMargins(gap, gap / 4, gap / 2, gap / 4);
    bar->addWidget(m_counts);
    bar->addPermanentWidget(m_state);
    bar->addPermanentWidget(m_warning);
    m_warning->hide();
    if (readOnly) {
        auto* badge = new Badge(tr("Read-only"), Badge::Calm, bar);
        badge->setObjectName(u"readOnlyBadge"_s);
        badge->setToolTip(
            tr("Lockboard was started with --read-only: it looks, and changes nothing"));
        bar->addPermanentWidget(badge);
    }
}

void StatusLine::showCounts(std::size_t total, std::size_t shown, std::size_t selected,
                            bool complete)
{
    QString text = countText(total, u"lock"_s);
    if (!complete && total > 0)
        text = tr("%1 so far").arg(text);
    if (shown != total)
        text += u"  ·  "_s + tr("%1 shown").arg(numberText(shown));
    if (selected > 0)
        text += u"  ·  "_s + tr("%1 selected").arg(numberText(selected));
    m_counts->setText(text);
}

void StatusLine::showState(const QString& provider, const SourceState& state)
{
    static const QString words[] = {tr("connecting"), tr("live"), tr("stale"), tr("failed")};
    QString text = u"%1: %2"_s.arg(provider, words[state.kind]);
    if (state.kind == SourceState::Live && !state.mode.isEmpty())
        text += u"  ·  "_s + state.mode;
    m_state->setText(text);
    m_state->setToolTip(tipText(state.why));
    m_warning->setText(state.insecure ? tr("Insecure") : tr("Warning"));
    m_warning->setVisible(!state.warnings.isEmpty());
    m_warning->setToolTip(tipText(state.warnings.join(u"\n\n"_s)));
    m_warning->setAccessibleDescription(state.warnings.join(u' '));
}

} // namespace lockboard
