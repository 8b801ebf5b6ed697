// SPDX-License-Identifier: MIT
#include "ui/locks/lock_table_view.h"

#include "ui/locks/state_delegate.h"
#include "ui/locks/ttl_delegate.h"

#include <QEvent>
#include <QFontDatabase>
#include <QHeaderView>
#include <QPainter>
#include <QScrollBar>

namespace lockboard {

using namespace std::chrono_literals;

// More pieces than this make every repaint slow; no person selects so by hand.
static constexpr std::size_t mostRanges = 500;

LockTableView::LockTableView(LockTableModel& model, QWidget* parent)
    : QTableView(parent)
    , m_model(model)
{
    setObjectName(QStringLiteral("lockTable"));
    setAccessibleName(tr("Locks"));
    setModel(&model);
    setItemDelegateForColumn(int(LockColumn::Ttl), new TtlDelegate(model, this));
    setItemDelegateForColumn(int(LockColumn::State), new StateDelegate(this));
    setColumnHidden(int(LockColumn::HeldBy), true);
    setSelectionBehavior(SelectRows);
    setSelectionMode(ExtendedSelection);
    setEditTriggers(NoEditTriggers);
    setAlternatingRowColors(true);
    setShowGrid(false);
    setWordWrap(false);
    setTextElideMode(Qt::ElideMiddle);
    setTabKeyNavigation(false);
    setFrameShape(NoFrame);
    setContextMenuPolicy(Qt::CustomContextMenu);
    setCornerButtonEnabled(false);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Interactive);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setStretchLastSection(true);
    horizontalHeader()->setSortIndicatorClearable(false);
    horizontalHeader()->setMinimumHeight(fontMetrics().height() * 8 / 5);
    setSortingEnabled(true);
    sortByColumn(int(LockColumn::Key), Qt::AscendingOrder);
    fitFonts();
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(horizontalHeader(), &QHeaderView::sectionResized, this, [this](int column) {
        if (!m_fitting && column != lockColumns - 1) // the last one stretches by itself
            leaveColumnsAlone();
    });

    connect(&model, &LockTableModel::countsChanged, this, &LockTableView::showNotes);
    connect(&model, &LockTableModel::aboutToRearrange, this, &LockTableView::remember);
    connect(&model, &LockTableModel::rearranged, this, &LockTableView::restore);
    connect(selectionModel(), &QItemSelectionModel::selectionChanged, this,
            &LockTableView::selectedCountChanged);
    m_countdown.setInterval(250ms);
    connect(&m_countdown, &QTimer::timeout, this, &LockTableView::tick);
}

void LockTableView::fitFonts()
{
    QFont keys = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    keys.setPointSizeF(font().pointSizeF());
    m_model.setKeyFont(keys);
    const int height = std::max(QFontMetrics(keys).height(), fontMetrics().height());
    verticalHeader()->setMinimumSectionSize(height);
    verticalHeader()->setDefaultSectionSize(height + height / 2);
}

std::vector<RowId> LockTableView::selectedRows() const
{
    std::vector<RowId> rows;
    rows.reserve(selectedCount());
    for (const QItemSelectionRange& range : selectionModel()->selection()) {
        for (int row = range.top(); row <= range.bottom(); ++row)
            rows.push_back(m_model.idAt(row));
    }
    return rows;
}

std::vector<Lock> LockTableView::selectedLocks() const
{
    std::vector<Lock> locks;
    locks.reserve(selectedCount());
    for (const RowId id : selectedRows())
        locks.push_back(LockStore::lockOf(m_model.store().table(), m_model.store().row(id)));
    return locks;
}

std::size_t LockTableView::selectedCount() const
{
    std::size_t count = 0;
    for (const QItemSelectionRange& range : selectionModel()->selection())
        count += static_cast<std::size_t>(range.height());
    return count;
}

bool LockTableView::canReleaseSelected() const
{
    const LockStore& store = m_model.store();
    for (const QItemSelectionRange& range : selectionModel()->selection()) {
        for (int row = range.top(); row <= range.bottom(); ++row) {
            if (store.row(m_model.idAt(row)).isReleasable())
                return true;
        }
    }
    return false;
}

std::optional<Lock> LockTableView::currentLock() const
{
    const QModelIndex current = currentIndex();
    return current.isValid() ? std::optional(m_model.lockAt(current.row())) : std::nullopt;
}

std::optional<Lock> LockTableView::lockAt(const QPoint& point) const
{
    const QModelIndex index = indexAt(point);
    return index.isValid() ? std::optional(m_model.lockAt(index.row())) : std::nullopt;
}

// The selection is kept by what is selected, not by Qt's persistent indexes: those are slow in
// numbers, and what Qt makes of "all" could come to include locks that nobody ever selected.
void LockTableView::remember()
{
    m_selected = selectedRows();
    const QSignalBlocker quiet(selectionModel());
    selectionModel()->clearSelection();
    const int top = verticalScrollBar()->value();
    m_top.reset();
    if (top > 0 && top < m_model.rowCount())
        m_top = m_model.idAt(top);
}

void LockTableView::restore()
{
    if (m_top) {
        const std::vector<int> row = m_model.rowsOf({*m_top});
        if (!row.empty())
            verticalScrollBar()->setValue(row.front());
    }
    // Qt 6.4's accessibility crashes on a table that has rows and no current one.
    if (!currentIndex().isValid() && m_model.rowCount() > 0)
        selectionModel()->setCurrentIndex(m_model.index(0, 0), QItemSelectionModel::NoUpdate);
    if (!m_selected.empty()) {
        const std::vector<int> rows = m_model.rowsOf(m_selected);
        QItemSelection selection;
        std::size_t ranges = 0;
        for (std::size_t i = 0; i < rows.size() && ranges <= mostRanges; ++ranges) {
            std::size_t last = i;
            while (last + 1 < rows.size() && rows[last + 1] == rows[last] + 1)
                ++last;
            selection.append(QItemSelectionRange(m_model.index(rows[i], 0),
                                                 m_model.index(rows[last], lockColumns - 1)));
            i = last + 1;
        }
        if (ranges <= mostRanges)
            selectionModel()->select(selection, QItemSelectionModel::Select);
        m_selected.clear();
        Q_EMIT selectedCountChanged();
    }
    viewport()->update();
}

void LockTableView::tick()
{
    // Only what is seen, and without a word to the model's other listeners: a screen reader would
    // read out every tick.
    for (const LockColumn column : {LockColumn::Ttl, LockColumn::State}) {
        const int x = columnViewportPosition(int(column));
        viewport()->update(x, 0, columnWidth(int(column)), viewport()->height());
    }
    m_model.tick();
}

void LockTableView::setEmptyText(const QString& title, const QString& hint)
{
    if (title == m_emptyTitle && hint == m_emptyHint)
        return;
    m_emptyTitle = title;
    m_emptyHint = hint;
    viewport()->update();
}

void LockTableView::keyboardSearch(const QString& text)
{
    Q_EMIT typed(text); // instead of looking through a million rows
}

void LockTableView::paintEvent(QPaintEvent* event)
{
    QTableView::paintEvent(event);
    if (m_model.rowCount() > 0 || m_emptyTitle.isEmpty())
        return;
    QPainter painter(viewport());
    QFont big = font();
    big.setPointSizeF(big.pointSizeF() * 1.3);
    const int line = QFontMetrics(big).height();
    const int middle = viewport()->height() * 2 / 5;
    const int width = viewport()->width();
    painter.setFont(big);
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(QRect(0, middle - line, width, line), Qt::AlignCenter, m_emptyTitle);
    painter.setFont(font());
    painter.drawText(QRect(line, middle + line / 2, width - 2 * line, 4 * line),
                     Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap, m_emptyHint);
}

void LockTableView::showEvent(QShowEvent* event)
{
    QTableView::showEvent(event);
    m_countdown.start();
}

void LockTableView::hideEvent(QHideEvent* event)
{
    QTableView::hideEvent(event);
    m_countdown.stop();
}

void LockTableView::resizeEvent(QResizeEvent* event)
{
    QTableView::resizeEvent(event);
    shareWidth();
}

//! Until somebody gives the columns a width, they share what there is.
void LockTableView::shareWidth()
{
    if (!m_ownWidths)
        return;
    m_fitting = true;
    static constexpr int shares[] = {33, 24, 0, 29, 14};
    static constexpr int sharesWithNotes[] = {26, 19, 22, 20, 13};
    const bool notes = !isColumnHidden(int(LockColumn::HeldBy));
    for (int column = 0; column < lockColumns; ++column) {
        if (!isColumnHidden(column))
            setColumnWidth(column,
                           viewport()->width() * (notes ? sharesWithNotes : shares)[column] / 100);
    }
    m_fitting = false;
}

//! The column is there as soon as there is something in it, and until another provider is shown.
void LockTableView::showNotes()
{
    const int column = int(LockColumn::HeldBy);
    if (m_model.hasNotes() != isColumnHidden(column))
        return;
    m_fitting = true;
    setColumnHidden(column, !m_model.hasNotes());
    m_fitting = false;
    shareWidth();
}

void LockTableView::leaveColumnsAlone()
{
    m_ownWidths = false;
    setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
}

QByteArray LockTableView::columnState() const
{
    return m_ownWidths ? QByteArray() : horizontalHeader()->saveState();
}

void LockTableView::restoreColumns(const QByteArray& state)
{
    if (!state.isEmpty() && horizontalHeader()->restoreState(state))
        leaveColumnsAlone();
    showNotes();
}

void LockTableView::changeEvent(QEvent* event)
{
    QTableView::changeEvent(event);
    if (event->type() == QEvent::FontChange)
        fitFonts();
}

} // namespace lockboard
