// SPDX-License-Identifier: MIT
#include "engine/store/polling_view.h"

#include "engine/contract/errors.h"
#include "engine/contract/lock.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr Duration pauseBetweenLooks = 1s;
static constexpr Duration longestPauseAfterFailure = 30s;
//! Looking takes no more than a tenth of the time.
static constexpr int shareOfTime = 10;
//! A lease's end is looked at a little later: the store may count another way than we do.
static constexpr Duration afterLeaseEnd = 20ms;
static constexpr qsizetype batchSize = 10'000;

PollingView::PollingView(Clock& clock, List list)
    : m_clock(&clock)
    , m_list(std::move(list))
{
}

PollingView::~PollingView()
{
    if (m_clock)
        m_clock->cancel(m_timer);
}

void PollingView::abandon()
{
    if (!m_clock)
        return;
    m_clock->cancel(m_timer);
    m_clock = nullptr;
    setState(SourceState(SourceState::Failed, tr("The provider was closed.")));
}

void PollingView::doStart()
{
    doRefresh();
}

void PollingView::doRefresh()
{
    if (!m_clock)
        return;
    if (m_isLooking)
        m_isWanted = true;
    else
        letRun(look(this));
}

Task<void> PollingView::look(QPointer<PollingView> self)
{
    self->m_isLooking = true;
    self->m_clock->cancel(self->m_timer);
    const TimePoint asked = self->m_clock->now();
    std::optional<LockBatch> locks;
    std::exception_ptr problem;
    try {
        locks = co_await self->m_list();
    } catch (...) {
        problem = std::current_exception();
    }
    if (!self || !self->m_clock)
        co_return;
    self->m_isLooking = false;
    if (locks)
        self->take(*locks, asked);
    else
        self->fail(problem);
}

void PollingView::take(const LockBatch& locks, TimePoint asked)
{
    m_failures = 0;
    if (m_isComplete)
        tellDifferences(locks);
    else
        tellAll(locks);
    SourceState live(SourceState::Live);
    live.mode = tr("polling");
    setState(live);
    const TimePoint now = m_clock->now();
    if (std::exchange(m_isWanted, false)) {
        lookAt(now);
        return;
    }
    TimePoint next =
        now + std::max<std::chrono::nanoseconds>(pauseBetweenLooks, (now - asked) * shareOfTime);
    const TimePoint soonest = now + (now - asked) * shareOfTime;
    for (const auto& [identity, lock] : m_locks) {
        if (lock.leaseEnd && *lock.leaseEnd + afterLeaseEnd > now)
            next = std::min(next, std::max(soonest, *lock.leaseEnd + afterLeaseEnd));
    }
    lookAt(next);
}

void PollingView::tellAll(const LockBatch& locks)
{
    m_locks.clear();
    for (const Lock& lock : locks)
        m_locks.insert_or_assign(lock.identity(), lock);
    Q_EMIT snapshotStarted();
    for (qsizetype i = 0; i < locks.size(); i += batchSize)
        Q_EMIT snapshotBatch(locks.mid(i, batchSize));
    Q_EMIT snapshotCompleted();
    m_isComplete = true;
}

void PollingView::tellDifferences(const LockBatch& locks)
{
    Locks before = std::exchange(m_locks, {});
    for (const Lock& lock : locks)
        tellOne(before, lock);
    const TimePoint now = m_clock->now();
    for (auto& [identity, lock] : before) { // what is listed no longer
        const bool isOver = lock.leaseEnd && *lock.leaseEnd <= now;
        note(isOver ? ChangeKind::Expired : ChangeKind::Released, std::move(lock));
    }
}

void PollingView::tellOne(Locks& before, const Lock& lock)
{
    std::string identity = lock.identity();
    const auto known = before.find(identity);
    if (known == before.end()) {
        note(ChangeKind::Acquired, lock);
        m_locks.insert_or_assign(std::move(identity), lock);
        return;
    }
    Lock old = std::move(known->second);
    before.erase(known);
    // Two readings of one lease end differ by the time that a reading takes.
    const bool sameEnd = old.leaseEnd.has_value() == lock.leaseEnd.has_value()
        && (!lock.leaseEnd
            || std::chrono::abs(*lock.leaseEnd - *old.leaseEnd) <= SeenLock::tolerance);
    Lock seen = lock;
    if (sameEnd)
        seen.leaseEnd = old.leaseEnd;
    if (seen != old) {
        const bool isOther = seen.owner != old.owner || seen.token != old.token;
        note(isOther ? ChangeKind::OwnerChanged : ChangeKind::Extended, seen);
    }
    m_locks.insert_or_assign(std::move(identity), std::move(seen));
}

void PollingView::fail(const std::exception_ptr& problem)
{
    m_isWanted = false;
    bool isDenied = false;
    try {
        std::rethrow_exception(problem);
    } catch (const Denied&) {
        isDenied = true;
    } catch (...) {
        // messageOf() has a sentence for it
    }
    SourceState state(m_isComplete ? SourceState::Stale : SourceState::Failed,
                      QString::fromStdString(messageOf(problem)), isDenied);
    setState(std::move(state));
    const Duration pause = std::min<Duration>(pauseBetweenLooks * (1 << std::min(m_failures++, 5)),
                                              longestPauseAfterFailure);
    lookAt(m_clock->now() + pause);
}

void PollingView::lookAt(TimePoint when)
{
    m_clock->cancel(m_timer);
    m_timer = m_clock->callAt(when, [this] { doRefresh(); });
}

} // namespace lockboard
