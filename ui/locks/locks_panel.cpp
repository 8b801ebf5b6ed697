// SPDX-License-Identifier: MIT
#include "ui/locks/locks_panel.h"

#include "ui/locks/formatting.h"
#include "ui/locks/lock_table_view.h"
#include "ui/theme/icons.h"

#include <QLineEdit>
#include <QShortcut>
#include <QVBoxLayout>

namespace lockboard {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

LocksPanel::LocksPanel(LockTableModel& model, QWidget* banner, QWidget* parent)
    : QWidget(parent)
    , m_model(model)
    , m_table(new LockTableView(model, this))
    , m_filter(new QLineEdit(this))
{
    m_filter->setObjectName(u"filterField"_s);
    m_filter->setPlaceholderText(tr("Filter: words, owner:name, key:part, state:expiring, -not"));
    m_filter->setAccessibleName(tr("Filter"));
    m_filter->setToolTip(
        tr("Words match the key or the owner, all of them.\n"
           "owner:x, key:x and state:x match one of them, owner:=x the whole of it.\n"
           "States: held, expiring, ownerless, never, wrong-type.\n"
           "A leading - excludes; quotes keep spaces."));
    m_filter->setClearButtonEnabled(true);
    m_filter->addAction(icon(Glyph::Search), QLineEdit::LeadingPosition);

    auto* layout = new QVBoxLayout(this);
    const int gap = fontMetrics().height() / 2;
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto* fieldRow = new QHBoxLayout;
    fieldRow->setContentsMargins(gap, gap, gap, gap);
    fieldRow->addWidget(m_filter);
    layout->addLayout(fieldRow);
    layout->addWidget(banner);
    layout->addWidget(m_table, 1);

    m_debounce.setSingleShot(true);
    m_debounce.setInterval(120ms);
    connect(&m_debounce, &QTimer::timeout, this, &LocksPanel::applyFilter);
    connect(m_filter, &QLineEdit::textChanged, this, [this] { m_debounce.start(); });
    connect(m_filter, &QLineEdit::returnPressed, m_table, qOverload<>(&QWidget::setFocus));
    auto* escape = new QShortcut(QKeySequence(Qt::Key_Escape), m_filter);
    escape->setContext(Qt::WidgetShortcut);
    connect(escape, &QShortcut::activated, m_filter, &QLineEdit::clear);
    connect(m_table, &LockTableView::typed, this, [this](const QString& text) {
        focusFilter();
        m_filter->insert(text);
    });
    connect(&model, &LockTableModel::countsChanged, this, &LocksPanel::explainEmptiness);
    setFocusProxy(m_table);
    explainEmptiness();
}

void LocksPanel::setFilter(const QString& text)
{
    m_filter->setText(text);
    applyFilter();
}

void LocksPanel::focusFilter()
{
    m_filter->setFocus(Qt::ShortcutFocusReason);
}

void LocksPanel::applyFilter()
{
    m_debounce.stop();
    m_model.setFilter(LockFilter::parse(m_filter->text()));
    Q_EMIT filterChanged(m_filter->text());
}

void LocksPanel::setState(const SourceState& state)
{
    m_state = state;
    explainEmptiness();
}

void LocksPanel::explainEmptiness()
{
    if (m_model.total() > 0) {
        m_table->setEmptyText(m_model.filter().isEmpty() ? tr("Listing…") : tr("No lock matches"),
                              m_model.filter().isEmpty()
                                  ? QString()
                                  : tr("The filter hides %1. Escape in the filter field clears it.")
                                        .arg(countText(m_model.total(), u"lock"_s)));
        return;
    }
    switch (m_state.kind) {
    case SourceState::Connecting:
        m_table->setEmptyText(tr("Connecting…"), {});
        break;
    case SourceState::Failed:
        m_table->setEmptyText(tr("Nothing to show"), m_state.why);
        break;
    case SourceState::Live:
    case SourceState::Stale:
        m_table->setEmptyText(tr("No locks are held"),
                              tr("They appear here as soon as somebody takes one."));
        break;
    }
}

} // namespace lockboard
