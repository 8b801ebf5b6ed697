// SPDX-License-Identifier: MIT
#pragma once

#include "engine/store/basic_provider.h"

#include <QPointer>

namespace lockboard::memory {

class View;

//! Locks that live and die with this process. Hand-over to the next waiter is O(1) whatever their
//! number, by release and by lease end alike; tokens count up through the whole provider.
class Provider final : public BasicProvider {
public:
    static constexpr const char* identifier = "in-memory";

    Provider(const Container& container, Ownerless ownerless);
    ~Provider() override;

    Task<Grant> acquire(LockKeys keys, AcquireOptions options, SharedContext context) override;
    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options,
                                SharedContext context) override;
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions options, SharedContext context) override;
    [[nodiscard]] LiveViewPtr liveView() override;
    [[nodiscard]] ProviderFeatures features() const override;
    [[nodiscard]] Task<CheckReport> check() override;

    //! Every lock there is now, for the live view.
    [[nodiscard]] LockBatch snapshot();

protected:
    Task<Grant> tryAcquire(LockKeys keys, AcquireOptions options, SharedContext context) override;
    Task<Renewal> renew(LockKeys keys, std::string owner, std::optional<Duration> lease) override;

private:
    struct Entry;
    using Locks = std::unordered_map<std::string, Entry>;
    using Leases = std::multimap<TimePoint, const std::string*>;
    struct Entry {
        Owner owner;
        std::optional<TimePoint> leaseEnd;
        Leases::iterator lease; // valid while leaseEnd is set
        FencingToken token = 0;
    };
    struct Waiter;

    Task<Grant> acquireWaiting(LockKeys keys, AcquireOptions options);
    //! Ends the leases that are over; every call does so first, and so sees only live locks.
    void settle();
    [[nodiscard]] bool admits(const Entry& entry, const AcquireOptions& options) const;
    //! The first key that a call cannot have now; none: it can have them all.
    Locks::iterator findObstacle(const LockKeys& keys, const AcquireOptions& options);
    Grant take(const LockKeys& keys, const AcquireOptions& options);
    //! What a release may do to a lock that is there.
    [[nodiscard]] ReleaseOutcome judge(Locks::const_iterator it,
                                       const ReleaseOptions& options) const;
    //! The entry of a key, a new one if need be.
    std::pair<Locks::iterator, bool> place(const std::string& key);
    void setLease(Locks::iterator it, std::optional<TimePoint> end);
    void remove(Locks::iterator it, ChangeKind why);
    //! Gives a key that came free to whoever leads its queue, if he can have all that he wants.
    void handOver(const std::string& key);
    void endLeases();
    void watchLeases();
    [[nodiscard]] std::exception_ptr conflict(Locks::const_iterator it) const;
    void note(ChangeKind kind, Locks::const_iterator it)
    {
        if (!m_views.empty())
            tellViews(kind, it);
    }
    void tellViews(ChangeKind kind, Locks::const_iterator it);

    Ownerless m_ownerless;
    Locks m_locks;
    Locks::node_type m_spare; // the last lock's node: taking and releasing in turn allocates none
    Leases m_leases;
    FencingToken m_lastToken = 0;
    Clock::TimerId m_leaseTimer = 0;
    TimePoint m_leaseTimerAt;
    std::vector<QPointer<View>> m_views;
};

} // namespace lockboard::memory
