// SPDX-License-Identifier: MIT
#include "engine/memory/provider.h"

#include "engine/memory/live_view.h"

#include <algorithm>

namespace lockboard::memory {

Provider::Provider(const Container& container, Ownerless ownerless)
    : BasicProvider(container)
    , m_ownerless(ownerless)
{
}

Provider::~Provider()
{
    close();
    clock().cancel(m_leaseTimer);
    for (const auto& view : m_views) {
        if (view)
            view->detach();
    }
}

//! A waiting call. What it wants is given to it by whoever lets go, before it runs again.
struct Provider::Waiter : WaitQueue::Ticket {
    Waiter(const LockKeys& wanted, const AcquireOptions& how, Resumer& resumer)
        : Ticket(wanted, resumer)
        , options(how)
    {
    }
    const AcquireOptions& options;
    Grant grant;
};

Task<Grant> Provider::acquire(LockKeys keys, AcquireOptions options, SharedContext)
{
    if (isClosing())
        return failed<Grant>(Cancelled("The provider was closed."));
    settle();
    if (!options.waits()) {
        const auto obstacle = findObstacle(keys, options);
        if (obstacle != m_locks.end())
            return failed<Grant>(conflict(obstacle));
        return ready(take(keys, options));
    }
    options.exclusively(); // a waiter never claims a lock without owner
    const auto mine = [&](const std::string& key) {
        const auto it = m_locks.find(key);
        return it != m_locks.end() && admits(it->second, options);
    };
    // The same owner re-enters at once; everyone else stands behind those who came before.
    const bool overtakes =
        !waitQueue().hasWaiters(keys) || std::all_of(keys.begin(), keys.end(), mine);
    if (overtakes && findObstacle(keys, options) == m_locks.end())
        return ready(take(keys, options));
    return acquireWaiting(std::move(keys), std::move(options));
}

Task<Grant> Provider::tryAcquire(LockKeys keys, AcquireOptions options, SharedContext context)
{
    return acquire(std::move(keys), std::move(options), std::move(context));
}

Task<Grant> Provider::acquireWaiting(LockKeys keys, AcquireOptions options)
{
    Waiter waiter(keys, options, resumer());
    waitQueue().join(waiter);
    watchLeases();
    std::optional<TimePoint> deadline;
    if (options.timeout())
        deadline = clock().now() + *options.timeout();
    const WakeReason reason = co_await waiter.signal.wait(deadline, options.stopToken());
    if (reason == WakeReason::Signalled)
        co_return waiter.grant;
    if (isClosing())
        throw Cancelled("The provider was closed.");
    waitQueue().leave(waiter);
    settle();
    for (const std::string& key : keys)
        handOver(key);
    if (reason == WakeReason::TimedOut)
        throw TimedOut();
    throw Cancelled();
}

Task<ReleaseResult> Provider::release(LockKeys keys, ReleaseOptions options, SharedContext)
{
    settle();
    std::vector<KeyRelease> left;
    for (const std::string& key : keys) {
        const auto it = m_locks.find(key);
        if (it == m_locks.end() || options.isOnlyIfOver()) { // nothing is left of those
            left.emplace_back(key, ReleaseOutcome::NotHeld);
            continue;
        }
        const ReleaseOutcome outcome = judge(it, options);
        if (outcome == ReleaseOutcome::Released)
            remove(it, ChangeKind::Released);
        else
            left.emplace_back(key, outcome, it->second.owner);
    }
    if (!waitQueue().isEmpty()) {
        // Only now that all are free: a waiter may want several of them.
        for (const std::string& key : keys)
            handOver(key);
    }
    return ready(ReleaseResult(std::move(left)));
}

ReleaseOutcome Provider::judge(Locks::const_iterator it, const ReleaseOptions& options) const
{
    const auto& [key, entry] = *it;
    if (const SeenLock* const seen = options.expected(key)) {
        if (seen->isStill(entry.owner, entry.leaseEnd, entry.token))
            return ReleaseOutcome::Released;
        return entry.owner == seen->owner ? ReleaseOutcome::Changed : ReleaseOutcome::HeldByOther;
    }
    const bool allowed = entry.owner ? entry.owner == options.owner()
                                     : !options.owner() || m_ownerless == Ownerless::Claimable;
    return allowed ? ReleaseOutcome::Released : ReleaseOutcome::HeldByOther;
}

Task<ReleaseAllResult> Provider::releaseAll(ReleaseAllOptions options, SharedContext)
{
    settle();
    std::vector<std::pair<std::string, Owner>> seen;
    for (const auto& [key, entry] : m_locks) {
        if (!options.owner() || entry.owner == options.owner())
            seen.emplace_back(key, entry.owner);
    }
    ReleaseAllResult result;
    constexpr std::size_t slice = 10'000;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        if (options.stopToken().stop_requested()) {
            result.cancelled = true;
            break;
        }
        settle();
        const auto it = m_locks.find(seen[i].first);
        if (it != m_locks.end()) {
            if (it->second.owner == seen[i].second) {
                remove(it, ChangeKind::Released);
                ++result.released;
                handOver(seen[i].first);
            } else {
                result.leave("taken by somebody else meanwhile");
            }
        }
        if ((i + 1) % slice == 0) {
            options.report(result.released, i + 1);
            // Lets the others have their turn.
            co_await resumer().turn();
            if (isClosing()) { // what is released already is not to be forgotten
                result.interruption =
                    std::make_exception_ptr(Cancelled("The provider was closed."));
                break;
            }
        }
    }
    if (!result.interruption)
        options.report(result.released, seen.size());
    co_return result;
}

Task<Renewal> Provider::renew(LockKeys keys, std::string owner, std::optional<Duration> lease)
{
    settle();
    std::optional<TimePoint> end;
    if (lease)
        end = clock().now() + *lease;
    for (const std::string& key : keys) {
        const auto it = m_locks.find(key);
        if (it == m_locks.end() || it->second.owner != owner)
            co_return Renewal::lost(key);
    }
    for (const std::string& key : keys) {
        const auto it = m_locks.find(key);
        if (lease) {
            setLease(it, end);
            note(ChangeKind::Extended, it);
        } else if (it->second.leaseEnd && (!end || *it->second.leaseEnd < *end)) {
            end = it->second.leaseEnd;
        }
    }
    co_return Renewal::until(end);
}

void Provider::settle()
{
    // Without leases there is no need to know what time it is.
    if (!m_leases.empty() && m_leases.begin()->first <= clock().now())
        endLeases();
}

bool Provider::admits(const Entry& entry, const AcquireOptions& options) const
{
    if (entry.owner)
        return entry.owner == options.owner() && options.reenters();
    return m_ownerless == Ownerless::Claimable && !options.isExclusive();
}

Provider::Locks::iterator Provider::findObstacle(const LockKeys& keys,
                                                 const AcquireOptions& options)
{
    for (const std::string& key : keys) {
        const auto it = m_locks.find(key);
        if (it != m_locks.end() && !admits(it->second, options))
            return it;
    }
    return m_locks.end();
}

Grant Provider::take(const LockKeys& keys, const AcquireOptions& options)
{
    std::optional<TimePoint> end;
    if (options.lease())
        end = clock().now() + *options.lease();
    const FencingToken token = ++m_lastToken;
    std::vector<KeyGrant> grants; // of one key, the grant says it all
    grants.reserve(keys.size() > 1 ? keys.size() : 0);
    Grant grant(end, token);
    for (const std::string& key : keys) {
        const auto [it, isNew] = place(key);
        Entry& entry = it->second;
        entry.token = token;
        const bool claimed = !isNew && entry.owner != options.owner();
        if (isNew || claimed)
            entry.owner = options.owner();
        if (end) // without a lease asked for, a lock keeps the one it has
            setLease(it, end);
        if (keys.size() > 1)
            grants.emplace_back(key, entry.leaseEnd, !isNew);
        else
            grant = Grant(entry.leaseEnd, token).asExtension(!isNew);
        note(isNew         ? ChangeKind::Acquired
                 : claimed ? ChangeKind::OwnerChanged
                           : ChangeKind::Extended,
             it);
    }
    if (keys.size() > 1)
        grant.withKeys(std::move(grants));
    return grant;
}

std::pair<Provider::Locks::iterator, bool> Provider::place(const std::string& key)
{
    if (m_spare.empty())
        return m_locks.try_emplace(key);
    m_spare.key() = key;
    auto placed = m_locks.insert(std::move(m_spare));
    m_spare = std::move(placed.node); // back again if the key was there
    return {placed.position, placed.inserted};
}

void Provider::setLease(Locks::iterator it, std::optional<TimePoint> end)
{
    Entry& entry = it->second;
    if (entry.leaseEnd)
        m_leases.erase(entry.lease);
    entry.leaseEnd = end;
    if (!end)
        return;
    entry.lease = m_leases.emplace(*end, &it->first);
    if (m_leaseTimer == 0 || *end < m_leaseTimerAt)
        watchLeases();
}

void Provider::remove(Locks::iterator it, ChangeKind why)
{
    note(why, it);
    if (it->second.leaseEnd)
        m_leases.erase(it->second.lease);
    // Out of the map first: whoever hears of the loss may call us again.
    auto gone = m_locks.extract(it);
    noteLost(gone.mapped().owner, gone.key());
    gone.mapped() = Entry();
    m_spare = std::move(gone);
}

void Provider::handOver(const std::string& key)
{
    while (WaitQueue::Ticket* ticket = waitQueue().front(key)) {
        auto& waiter = static_cast<Waiter&>(*ticket);
        if (waiter.signal.isRaised()) {
            waitQueue().leave(waiter); // timed out or cancelled, and about to say so
            continue;
        }
        if (!waitQueue().leads(waiter)
            || findObstacle(waiter.keys, waiter.options) != m_locks.end())
            return;
        waitQueue().leave(waiter);
        waiter.grant = take(waiter.keys, waiter.options);
        waiter.signal.raise();
        return;
    }
}

void Provider::watchLeases()
{
    if (m_leases.empty())
        return;
    const TimePoint next = m_leases.begin()->first;
    if (m_leaseTimer != 0 && m_leaseTimerAt <= next)
        return; // that one will look anew
    clock().cancel(m_leaseTimer);
    m_leaseTimerAt = next;
    m_leaseTimer = clock().callAt(next, [this] {
        m_leaseTimer = 0;
        endLeases();
    });
}

void Provider::endLeases()
{
    const TimePoint now = clock().now();
    while (!m_leases.empty() && m_leases.begin()->first <= now) {
        const std::string key = *m_leases.begin()->second;
        remove(m_locks.find(key), ChangeKind::Expired);
        handOver(key);
    }
    watchLeases();
}

std::exception_ptr Provider::conflict(Locks::const_iterator it) const
{
    std::optional<Duration> remaining;
    if (it->second.leaseEnd)
        remaining = std::chrono::ceil<Duration>(*it->second.leaseEnd - clock().now());
    return std::make_exception_ptr(Conflict(it->first, it->second.owner, remaining));
}

void Provider::tellViews(ChangeKind kind, Locks::const_iterator it)
{
    Lock lock(it->first, it->second.owner, it->second.leaseEnd);
    lock.token = it->second.token;
    std::erase_if(m_views, [](const auto& view) { return !view; });
    for (const auto& view : m_views)
        view->note(kind, lock);
}

LockBatch Provider::snapshot()
{
    settle();
    LockBatch batch;
    batch.reserve(static_cast<qsizetype>(m_locks.size()));
    for (const auto& [key, entry] : m_locks) {
        batch.push_back(Lock(key, entry.owner, entry.leaseEnd));
        batch.back().token = entry.token;
    }
    return batch;
}

LiveViewPtr Provider::liveView()
{
    auto view = std::make_unique<View>(*this);
    m_views.emplace_back(view.get());
    return LiveViewPtr(view.release());
}

ProviderFeatures Provider::features() const
{
    ProviderFeatures features;
    features.fencingTokens = true;
    features.push = true;
    return features;
}

Task<CheckReport> Provider::check()
{
    settle();
    CheckReport report;
    report.findings.emplace_back(Finding::Good,
                                 std::to_string(m_locks.size()) + " locks in this process.");
    report.findings.emplace_back(
        Finding::Note, "Other processes do not see these locks, and they end with this one.");
    co_return report;
}

} // namespace lockboard::memory
