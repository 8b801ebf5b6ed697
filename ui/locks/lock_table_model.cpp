// SPDX-License-Identifier: MIT
#include "ui/locks/lock_table_model.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

// Arranging this many takes less than a frame; above it the worker does it.
static constexpr std::size_t smallTable = 3000;

LockTableModel::LockTableModel(QObject* parent, Now now)
    : QAbstractTableModel(parent)
    , m_now(std::move(now))
    , m_store(std::make_shared<LockStore>())
{
    m_rest.setSingleShot(true);
    connect(&m_rest, &QTimer::timeout, this, [this] {
        if (m_arrangeLater)
            arrangeAgain(false);
    });
    connect(&m_worker, &OrderWorker::arranged, this, &LockTableModel::take);
}

void LockTableModel::beginSnapshot()
{
    ++m_epoch;
    m_sweepAt = 0;
}

void LockTableModel::upsert(const Lock& lock, bool anew)
{
    switch (m_store->upsert(lock, m_epoch, anew)) {
    case LockStore::Effect::Added:
        m_added = true;
        break;
    case LockStore::Effect::Touched:
        m_touched = true;
        break;
    case LockStore::Effect::Nothing:
        break;
    }
}

void LockTableModel::remove(const Lock& lock)
{
    m_removed |= m_store->remove(lock);
}

bool LockTableModel::sweep(int atMost)
{
    const std::size_t end =
        std::min(m_store->slots(), m_sweepAt + static_cast<std::size_t>(atMost));
    for (; m_sweepAt < end; ++m_sweepAt) {
        const auto id = static_cast<RowId>(m_sweepAt);
        if (m_store->isAlive(id) && m_store->row(id).epoch != m_epoch) {
            m_store->removeRow(id);
            m_removed = true;
        }
    }
    return m_sweepAt == m_store->slots();
}

void LockTableModel::commit()
{
    const bool rearranges = m_added || m_touched;
    const bool atOnce = rearranges && m_store->slots() <= smallTable;
    // What is gone goes at once; what came appears when it has its place.
    if (m_removed && !atOnce)
        swapIn(aliveOf(m_visible));
    if (m_touched && !m_visible.empty())
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, lockColumns - 1));
    m_added = m_touched = m_removed = false;
    if (rearranges)
        arrangeAgain(false);
    if (!m_worker.isBusy())
        m_store->reclaim();
    Q_EMIT countsChanged();
}

void LockTableModel::clear()
{
    m_worker.cancel();
    m_rest.stop();
    swapIn({});
    m_worker.dispose(std::exchange(m_store, std::make_shared<LockStore>()));
    m_added = m_touched = m_removed = m_arrangeLater = m_complete = false;
    Q_EMIT countsChanged();
}

void LockTableModel::setFilter(const LockFilter& filter)
{
    if (filter == m_order.filter)
        return;
    m_order.filter = filter;
    arrangeAgain(true);
}

void LockTableModel::sort(int column, Qt::SortOrder order)
{
    if (column < 0 || column >= lockColumns)
        return;
    m_order.column = static_cast<LockColumn>(column);
    m_order.descending = order == Qt::DescendingOrder;
    arrangeAgain(true);
}

void LockTableModel::tick()
{
    if (m_order.filter.dependsOnTime())
        arrangeAgain(false);
}

void LockTableModel::arrangeAgain(bool urgently)
{
    if (m_store->slots() <= smallTable) {
        m_worker.cancel();
        m_arrangeLater = false;
        swapIn(arrange(m_store->table(), m_order, m_now()));
        m_store->reclaim();
        Q_EMIT countsChanged();
    } else if (urgently || (!m_worker.isBusy() && !m_rest.isActive())) {
        startWorker();
    } else {
        m_arrangeLater = true;
    }
}

void LockTableModel::startWorker()
{
    m_rest.stop();
    m_arrangeLater = false;
    m_workStarted = std::chrono::steady_clock::now();
    m_worker.start(m_store->table(), m_order, m_now());
}

void LockTableModel::take(const std::vector<RowId>& order)
{
    // Ids are not used anew while the worker is busy, so the only news can be that some are gone.
    swapIn(aliveOf(order));
    m_store->reclaim();
    Q_EMIT countsChanged();
    // Under steady change a large table must not keep a core busy all the time.
    const auto took = std::chrono::ceil<Duration>(std::chrono::steady_clock::now() - m_workStarted);
    m_rest.start(std::max<Duration>(100ms, took));
}

std::vector<RowId> LockTableModel::aliveOf(const std::vector<RowId>& ids) const
{
    std::vector<RowId> alive;
    alive.reserve(ids.size());
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(alive),
                 [this](RowId id) { return m_store->isAlive(id); });
    return alive;
}

void LockTableModel::swapIn(std::vector<RowId> order)
{
    if (order == m_visible)
        return;
    Q_EMIT aboutToRearrange();
    Q_EMIT layoutAboutToBeChanged({}, QAbstractItemModel::VerticalSortHint);
    const QModelIndexList before = persistentIndexList();
    std::vector<RowId> ids;
    for (const QModelIndex& index : before)
        ids.push_back(idAt(index.row()));
    m_visible = std::move(order);
    QModelIndexList after;
    after.reserve(before.size());
    for (qsizetype i = 0; i < before.size(); ++i) {
        // A view keeps one or two of these: a search each is cheaper than a map of them all.
        const auto it = std::find(m_visible.begin(), m_visible.end(), ids[std::size_t(i)]);
        after.push_back(it == m_visible.end()
                            ? QModelIndex()
                            : index(int(it - m_visible.begin()), before[i].column()));
    }
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged({}, QAbstractItemModel::VerticalSortHint);
    Q_EMIT rearranged();
}

std::vector<int> LockTableModel::rowsOf(const std::vector<RowId>& ids) const
{
    std::vector<bool> wanted(m_store->slots());
    for (const RowId id : ids) {
        if (id < wanted.size())
            wanted[id] = true;
    }
    std::vector<int> rows;
    for (std::size_t i = 0; i < m_visible.size(); ++i) {
        if (wanted[m_visible[i]])
            rows.push_back(static_cast<int>(i));
    }
    return rows;
}

Lock LockTableModel::lockAt(int row) const
{
    return LockStore::lockOf(m_store->table(), m_store->row(idAt(row)));
}

Duration LockTableModel::remaining(TimePoint end) const
{
    return std::max(Duration::zero(), std::chrono::ceil<Duration>(end - m_now()));
}

} // namespace lockboard
