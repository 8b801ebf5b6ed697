// SPDX-License-Identifier: MIT
#include "engine/redis/redis_live_view.h"

#include "engine/redis/redis_provider.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

// Two looks at one lease differ by this much though nobody has touched it.
static constexpr Duration noise = 50ms;
static constexpr Duration shortestPoll = 1s;
static constexpr int pollFactor = 10;
static constexpr std::size_t sweepSlice = 20'000;

RedisLiveView::RedisLiveView(RedisProvider& provider)
    : m_provider(&provider)
    , m_clock(provider.sharedClock())
{
    RedisConnection& connection = provider.client().connection();
    connect(&connection, &RedisConnection::ready, this, &RedisLiveView::onReady);
    connect(&connection, &RedisConnection::unavailable, this, &RedisLiveView::onUnavailable);
}

RedisLiveView::~RedisLiveView()
{
    if (m_provider)
        abandon();
}

void RedisLiveView::detach()
{
    abandon();
    m_provider->client().connection().disconnect(this);
    m_provider = nullptr;
    setState(SourceState(SourceState::Failed, tr("The provider was closed.")));
}

void RedisLiveView::doStart()
{
    if (!m_provider)
        return;
    m_started = true;
    setState(SourceState(SourceState::Connecting));
    RedisConnection& connection = m_provider->client().connection();
    if (connection.isReady())
        begin(Phase::Snapshot);
    else if (const auto problem = connection.problem())
        fail(problem);
}

void RedisLiveView::doRefresh()
{
    if (m_provider && m_started && m_provider->client().connection().isReady())
        begin(Phase::Snapshot);
}

void RedisLiveView::onReady()
{
    if (!m_started)
        return;
    if (!m_complete)
        setState(SourceState(SourceState::Connecting));
    begin(Phase::Snapshot);
}

void RedisLiveView::onUnavailable()
{
    if (m_started)
        fail(m_provider->client().connection().problem());
}

void RedisLiveView::fail(const std::exception_ptr& problem)
{
    abandon();
    // What was shown stands, if the trouble is one that passes.
    SourceState::Kind kind = m_complete ? SourceState::Stale : SourceState::Failed;
    try {
        std::rethrow_exception(problem);
    } catch (const LockError& error) {
        const bool denied = error.code() == ErrorCode::Denied;
        if (denied)
            kind = SourceState::Failed;
        setState(SourceState(kind, QString::fromStdString(error.message()), denied));
    }
}

//! Forgets what is under way; answers still to come find another number.
void RedisLiveView::abandon()
{
    ++m_scan;
    m_phase = Phase::Off;
    m_clock.cancel(m_pollTimer);
    m_clock.cancel(m_leaseTimer);
    m_leaseTimer = 0;
}

void RedisLiveView::begin(Phase phase)
{
    abandon();
    m_phase = phase;
    m_scanBegan = m_clock.now();
    m_cursor = std::string(1, '0'); // assigning "0": gcc 12 warns of an overlap
    m_pages = 0;
    m_scanning = false;
    m_exhausted = false;
    m_seen = 0;
    m_vanished.clear();
    if (isSnapshotting()) {
        flush(); // what was noted so far belongs to the time before the snapshot
        m_touched.clear();
        Q_EMIT snapshotStarted();
    } else {
        watchLeases();
    }
    scanOn(m_scan);
}

Task<void> RedisLiveView::scanOn(std::uint32_t scan)
{
    // A snapshot wants to be quick; later scans let the others' commands through.
    const int mostPages = isSnapshotting() ? 4 : 2;
    const QPointer<RedisLiveView> self(this);
    m_scanning = true;
    try {
        for (;;) {
            const std::string count = std::to_string(RedisProvider::pageSize);
            const std::string cursor = m_cursor;
            RedisCommand command("SCAN");
            command << cursor << "MATCH" << m_provider->scanPattern() << "COUNT" << count;
            RedisCall call(m_provider->client().connection(), command, RedisEffect::Reads);
            const RedisReply reply = co_await call.answer();
            if (!self || scan != m_scan)
                co_return;
            m_provider->client().check(reply);
            m_cursor = reply.at(0).text();
            m_exhausted = m_cursor == "0";
            const RedisReply found = reply.at(1);
            std::vector<std::string> keys;
            keys.reserve(found.size());
            for (std::size_t i = 0; i < found.size(); ++i)
                keys.emplace_back(found.at(i).text());
            if (!keys.empty()) {
                ++m_pages;
                readPage(scan, std::move(keys));
                if (!self || scan != m_scan)
                    co_return;
            }
            if (m_exhausted || m_pages >= mostPages)
                break;
        }
    } catch (const LockError&) {
        if (self && scan == m_scan && m_provider) {
            fail(std::current_exception());
            pollAfter(shortestPoll); // the connection stands: it may go better then
        }
        co_return;
    }
    m_scanning = false;
    if (m_exhausted && m_pages == 0)
        sweep();
}

Task<void> RedisLiveView::readPage(std::uint32_t scan, std::vector<std::string> keys)
{
    const QPointer<RedisLiveView> self(this);
    try {
        RedisPage page = co_await readLocks(&m_provider->client(), &m_clock, std::move(keys));
        if (!self || scan != m_scan)
            co_return;
        takePage(page);
        const bool others =
            std::any_of(page.entries.begin(), page.entries.end(), [](const RedisEntry& entry) {
                return entry.kind == RedisEntry::OtherType;
            });
        if (others) {
            RedisPage named = co_await nameTypes(&m_provider->client(), &m_clock, std::move(page));
            if (!self || scan != m_scan)
                co_return;
            takePage(named);
        }
    } catch (const LockError&) {
        if (self && scan == m_scan && m_provider) {
            fail(std::current_exception());
            pollAfter(shortestPoll);
        }
        co_return;
    }
    --m_pages;
    if (m_exhausted && m_pages == 0)
        sweep();
    else if (!m_exhausted && !m_scanning)
        scanOn(scan);
}

void RedisLiveView::takePage(const RedisPage& page)
{
    LockBatch batch;
    for (const RedisEntry& entry : page.entries) {
        const bool unnamed = entry.kind == RedisEntry::OtherType && entry.value.empty();
        if (entry.kind == RedisEntry::Absent || unnamed)
            continue;
        const auto [it, isNew] = m_locks.try_emplace(std::string(m_provider->lockKey(entry.key)));
        if (!isNew && it->second.seen == m_scan)
            continue; // SCAN may give a key twice
        it->second.seen = m_scan;
        ++m_seen;
        const auto change = update(it, isNew, entry, page);
        if (isSnapshotting())
            batch.push_back(lockOf(it));
        else if (change)
            note(*change, lockOf(it));
    }
    if (!batch.isEmpty())
        Q_EMIT snapshotBatch(batch);
}

//! Looks for locks that the scan did not see, in slices.
void RedisLiveView::sweep()
{
    if (m_seen == m_locks.size()) {
        finishScan();
        return;
    }
    if (m_buckets != m_locks.bucket_count()) {
        m_buckets = m_locks.bucket_count(); // grown in between: once more
        m_bucket = 0;
        m_vanished.clear();
    }
    const std::size_t end = std::min(m_bucket + sweepSlice, m_buckets);
    for (; m_bucket < end; ++m_bucket) {
        for (auto it = m_locks.cbegin(m_bucket); it != m_locks.cend(m_bucket); ++it) {
            if (it->second.seen != m_scan)
                m_vanished.push_back(it->first);
        }
    }
    if (m_bucket == m_buckets) {
        finishScan();
        return;
    }
    const auto more = [this, scan = m_scan] {
        if (scan == m_scan)
            sweep();
    };
    QMetaObject::invokeMethod(this, more, Qt::QueuedConnection);
}

void RedisLiveView::finishScan()
{
    m_buckets = 0;
    const TimePoint now = m_clock.now();
    const auto took = std::chrono::ceil<Duration>(now - m_scanBegan);
    std::vector<std::string> lookAt;
    if (isSnapshotting()) {
        // The snapshot has told the watchers already.
        for (const std::string& key : m_vanished) {
            const auto it = m_locks.find(key);
            setCheck(it, never);
            m_locks.erase(it);
        }
        m_complete = true;
        Q_EMIT snapshotCompleted();
        setState(SourceState(SourceState::Live));
        lookAt.assign(m_touched.begin(), m_touched.end());
        m_touched.clear();
    } else {
        // Not seen is not yet gone: a key that is made anew during a scan may escape it.
        lookAt = std::exchange(m_vanished, {});
        setState(SourceState(SourceState::Live));
    }
    m_vanished.clear();
    m_phase = Phase::Watching;
    pollAfter(std::max(shortestPoll, took * pollFactor));
    watchLeases();
    rereadInPages(std::move(lookAt));
}

void RedisLiveView::pollAfter(Duration pause)
{
    m_clock.cancel(m_pollTimer);
    m_pollTimer = m_clock.callAfter(pause, [this] {
        if (m_provider->client().connection().isReady())
            begin(m_complete && state().kind == SourceState::Live ? Phase::Rescan
                                                                  : Phase::Snapshot);
    });
}

void RedisLiveView::rereadInPages(std::vector<std::string> keys)
{
    for (std::size_t i = 0; i < keys.size(); i += RedisProvider::pageSize) {
        std::vector<std::string> page;
        for (std::size_t k = i; k < std::min(i + RedisProvider::pageSize, keys.size()); ++k)
            page.push_back(m_provider->stored(keys[k]));
        reread(std::move(page));
    }
}

Task<void> RedisLiveView::reread(std::vector<std::string> keys)
{
    const QPointer<RedisLiveView> self(this);
    try {
        RedisPage page = co_await readLocks(&m_provider->client(), &m_clock, std::move(keys));
        if (!self || m_phase == Phase::Off || isSnapshotting())
            co_return;
        takeReread(page);
        const bool others =
            std::any_of(page.entries.begin(), page.entries.end(), [](const RedisEntry& entry) {
                return entry.kind == RedisEntry::OtherType;
            });
        if (!others)
            co_return;
        RedisPage named = co_await nameTypes(&m_provider->client(), &m_clock, std::move(page));
        if (self && m_phase != Phase::Off && !isSnapshotting())
            takeReread(named);
    } catch (const LockError&) {
        // The connection is lost, and a new snapshot follows; or the next scan meets it too.
    }
}

void RedisLiveView::takeReread(const RedisPage& page)
{
    for (const RedisEntry& entry : page.entries) {
        const std::string key(m_provider->lockKey(entry.key));
        if (entry.kind == RedisEntry::OtherType && entry.value.empty())
            continue;
        if (entry.kind == RedisEntry::Absent) {
            const auto it = m_locks.find(key);
            if (it == m_locks.end())
                continue;
            const bool due =
                it->second.leaseEnd != never && it->second.leaseEnd <= page.answered + noise;
            remove(it, due ? ChangeKind::Expired : ChangeKind::Released);
            continue;
        }
        const auto [it, isNew] = m_locks.try_emplace(key);
        if (it->second.seen != m_scan) {
            it->second.seen = m_scan;
            ++m_seen;
        }
        if (const auto change = update(it, isNew, entry, page))
            note(*change, lockOf(it));
    }
    watchLeases();
}

std::optional<ChangeKind> RedisLiveView::update(Locks::iterator it, bool isNew,
                                                const RedisEntry& entry, const RedisPage& page)
{
    const bool lock = entry.kind == RedisEntry::Lock;
    return update(it, isNew, entry.value, lock ? LockState::Held : LockState::WrongType,
                  entry.left ? page.asked + *entry.left : never,
                  entry.left ? page.answered + *entry.left : never);
}

std::optional<ChangeKind> RedisLiveView::update(Locks::iterator it, bool isNew,
                                                std::string_view value, LockState state,
                                                TimePoint earliestEnd, TimePoint latestEnd)
{
    Known& known = it->second;
    const bool ends = latestEnd != never;
    setCheck(it, ends ? latestEnd + 1ms : never);
    const bool sameEnd = ends == (known.leaseEnd != never)
        && (!ends
            || (known.leaseEnd >= earliestEnd - noise && known.leaseEnd <= latestEnd + noise));
    const bool sameOwner = known.value == value && known.state == state;
    if (!isNew && sameEnd && sameOwner)
        return {};
    if (isNew || !sameEnd)
        known.leaseEnd = earliestEnd;
    known.value = value;
    known.state = state;
    if (isNew)
        return ChangeKind::Acquired;
    return sameOwner ? ChangeKind::Extended : ChangeKind::OwnerChanged;
}

void RedisLiveView::remove(Locks::iterator it, ChangeKind why)
{
    note(why, lockOf(it));
    setCheck(it, never);
    if (it->second.seen == m_scan)
        --m_seen;
    m_locks.erase(it);
}

Lock RedisLiveView::lockOf(Locks::const_iterator it) const
{
    const Known& known = it->second;
    std::optional<TimePoint> end;
    if (known.leaseEnd != never)
        end = known.leaseEnd;
    if (known.state == LockState::WrongType) {
        Lock lock(it->first, {}, end, known.state);
        lock.detail = known.value;
        return lock;
    }
    return Lock(it->first, known.value == "*" ? Owner() : Owner(known.value), end);
}

void RedisLiveView::setCheck(Locks::iterator it, TimePoint when)
{
    Known& known = it->second;
    if (known.checkAt != never && when != never && std::chrono::abs(when - known.checkAt) <= 5ms)
        return;
    if (known.checkAt != never)
        m_leases.erase({ known.checkAt, &it->first });
    known.checkAt = when;
    if (when != never)
        m_leases.emplace(when, &it->first);
}

void RedisLiveView::watchLeases()
{
    if (m_phase == Phase::Off || isSnapshotting() || m_leases.empty())
        return;
    const TimePoint next = m_leases.begin()->first;
    if (m_leaseTimer != 0 && m_leaseTimerAt <= next)
        return; // that one will look anew
    m_clock.cancel(m_leaseTimer);
    m_leaseTimerAt = next;
    m_leaseTimer = m_clock.callAt(next, [this] {
        m_leaseTimer = 0;
        checkLeases();
    });
}

void RedisLiveView::checkLeases()
{
    const TimePoint now = m_clock.now();
    std::vector<std::string> due;
    while (!m_leases.empty() && m_leases.begin()->first <= now
           && due.size() < RedisProvider::pageSize) {
        const std::string& key = *m_leases.begin()->second;
        due.push_back(key);
        m_locks.find(key)->second.checkAt = never;
        m_leases.erase(m_leases.begin());
    }
    rereadInPages(std::move(due));
    watchLeases();
}

void RedisLiveView::noteHeld(const std::string& key, const std::string& value,
                             std::optional<TimePoint> leaseEnd)
{
    if (m_phase == Phase::Off)
        return;
    if (isSnapshotting()) {
        m_touched.insert(key);
        return;
    }
    const auto [it, isNew] = m_locks.try_emplace(key);
    if (it->second.seen != m_scan) {
        it->second.seen = m_scan;
        ++m_seen;
    }
    const TimePoint end = leaseEnd.value_or(never);
    if (const auto change = update(it, isNew, value, LockState::Held, end, end))
        note(*change, lockOf(it));
    watchLeases();
}

void RedisLiveView::noteGone(const std::string& key)
{
    if (m_phase == Phase::Off)
        return;
    if (isSnapshotting()) {
        m_touched.insert(key);
        return;
    }
    const auto it = m_locks.find(key);
    if (it != m_locks.end())
        remove(it, ChangeKind::Released);
}

void RedisLiveView::noteChanged(const std::string& key)
{
    if (m_phase == Phase::Off)
        return;
    if (isSnapshotting()) {
        m_touched.insert(key);
        return;
    }
    std::vector<std::string> one;
    one.push_back(m_provider->stored(key));
    reread(std::move(one));
}

} // namespace lockboard
