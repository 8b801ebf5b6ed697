// SPDX-License-Identifier: MIT
#include "ui/locks/lock_feed.h"

#include "ui/locks/lock_table_model.h"

namespace lockboard {

static constexpr qint64 sliceMs = 12;
static constexpr qint64 commitEveryMs = 100;

LockFeed::LockFeed(LockTableModel& model, QObject* parent)
    : QObject(parent)
    , m_model(model)
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &LockFeed::runSlice);
}

void LockFeed::beginSnapshot()
{
    push(Begin{});
}

void LockFeed::addBatch(const LockBatch& locks)
{
    push(locks);
}

void LockFeed::endSnapshot()
{
    push(End{});
}

void LockFeed::addChanges(const ChangeBatch& changes)
{
    push(changes);
}

void LockFeed::clear()
{
    m_queue.clear();
    m_position = 0;
    m_timer.stop();
}

void LockFeed::push(Item item)
{
    m_queue.push_back(std::move(item));
    if (m_timer.isActive())
        return;
    // At once after a rest, else in step.
    const qint64 rest = m_sinceCommit.isValid() ? commitEveryMs - m_sinceCommit.elapsed() : 0;
    m_timer.start(static_cast<int>(std::max<qint64>(0, rest)));
}

void LockFeed::runSlice()
{
    QElapsedTimer since;
    since.start();
    bool snapshotDone = false;
    while (!m_queue.empty() && since.elapsed() < sliceMs) {
        if (!advance(since))
            break;
        snapshotDone |= std::holds_alternative<End>(m_queue.front());
        m_queue.pop_front();
        m_position = 0;
    }
    const bool due = !m_sinceCommit.isValid() || m_sinceCommit.elapsed() >= commitEveryMs;
    if (m_queue.empty() || due) {
        m_model.commit();
        m_sinceCommit.start();
    }
    if (!m_queue.empty())
        m_timer.start(1);
    if (snapshotDone)
        Q_EMIT snapshotShown();
}

//! Another grant than the one that is listed. Of a lock without owner and lease, nothing else tells
//! whether it was let go and taken again in between: then it counts as that.
static bool isAnew(const LockChange& change)
{
    return change.kind == ChangeKind::Acquired
        || (change.kind == ChangeKind::Extended && !change.lock.owner && !change.lock.leaseEnd);
}

bool LockFeed::advance(const QElapsedTimer& since)
{
    constexpr qsizetype step = 128;
    Item& item = m_queue.front();
    if (std::holds_alternative<Begin>(item)) {
        m_model.beginSnapshot();
        return true;
    }
    if (std::holds_alternative<End>(item)) {
        while (!m_model.sweep(step)) {
            if (since.elapsed() >= sliceMs)
                return false;
        }
        m_model.setComplete();
        return true;
    }
    if (const auto* batch = std::get_if<LockBatch>(&item)) {
        while (m_position < batch->size()) {
            m_model.upsert(batch->at(m_position++));
            if (m_position % step == 0 && since.elapsed() >= sliceMs)
                return m_position == batch->size();
        }
        return true;
    }
    const auto& changes = std::get<ChangeBatch>(item);
    while (m_position < changes.size()) {
        const LockChange& change = changes.at(m_position);
        const bool gone = change.kind == ChangeKind::Released || change.kind == ChangeKind::Expired;
        if (gone)
            m_model.remove(change.lock);
        else
            m_model.upsert(change.lock, isAnew(change));
        ++m_position;
        if (m_position % step == 0 && since.elapsed() >= sliceMs)
            return m_position == changes.size();
    }
    return true;
}

} // namespace lockboard
