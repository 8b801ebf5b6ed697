// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/contract/lock.h"

#include <functional>
#include <stop_token>

namespace lockboard {

// The arguments of the four calls. Classes with constructors and fluent setters, never aggregates:
// gcc 12 destroys an aggregate temporary inside a co_await twice.

//! What a lock without owner means to a caller who comes later (provider.h has the tables).
enum class Ownerless : std::uint8_t {
    Claimable, //!< the guide: anyone may extend it, and an owner may claim it
    Exclusive, //!< Medusa's packages: it is held, and a conflict to everyone
};

class AcquireOptions final {
public:
    AcquireOptions& ownedBy(Owner owner) { return m_owner = std::move(owner), *this; }
    //! How long the lease lasts. Without it a new lock never expires, and one that the caller
    //! already holds keeps the lease it has.
    AcquireOptions& expiringIn(std::optional<Duration> lease) { return m_lease = lease, *this; }
    //! The guide's `awaitQueue`: waits, first come first served, for ever or up to `timeout`.
    AcquireOptions& waiting(std::optional<Duration> timeout = {})
    {
        m_waits = true;
        m_timeout = timeout ? std::optional(countable(timeout->count())) : std::nullopt;
        return *this;
    }
    //! A lock without owner is a conflict for this call, whatever the provider's policy.
    AcquireOptions& exclusively(bool on = true) { return m_exclusive = on, *this; }
    AcquireOptions& stoppedBy(std::stop_token token) { return m_stop = std::move(token), *this; }
    //! A provider's id or its stored form `lp_ID`; empty: the default one.
    AcquireOptions& at(std::string provider) { return m_provider = std::move(provider), *this; }
    //! For execute: a lock already held by this very owner is a conflict too.
    AcquireOptions& withoutReentry() { return m_reenters = false, *this; }
    //! For a provider's eyes: which look of a call that waits this is, counted from 0 and anew
    //! whenever news came. It looks again, so a conflict needn't say who is in the way.
    AcquireOptions& asLook(int look) { return m_look = look, *this; }
    //! For execute: nobody else uses this owner, so what it holds, this call has taken.
    AcquireOptions& uniquelyOwned() { return m_unique = true, *this; }
    //! For a provider's eyes: the owner was seen not to hold the key when the call began, so what
    //! it holds after an unanswered try, that try has taken.
    AcquireOptions& notHeldBefore(bool on = true) { return m_notHeldBefore = on, *this; }

    [[nodiscard]] const Owner& owner() const { return m_owner; }
    [[nodiscard]] std::optional<Duration> lease() const { return m_lease; }
    [[nodiscard]] bool waits() const { return m_waits; }
    [[nodiscard]] std::optional<Duration> timeout() const { return m_timeout; }
    [[nodiscard]] bool isExclusive() const { return m_exclusive; }
    [[nodiscard]] bool reenters() const { return m_reenters; }
    //! None: a call that does not wait.
    [[nodiscard]] std::optional<int> look() const { return m_look; }
    [[nodiscard]] bool isUniquelyOwned() const { return m_unique; }
    [[nodiscard]] bool wasNotHeldBefore() const { return m_unique || m_notHeldBefore; }
    [[nodiscard]] const std::stop_token& stopToken() const { return m_stop; }
    [[nodiscard]] const std::string& provider() const { return m_provider; }

private:
    Owner m_owner;
    std::optional<Duration> m_lease;
    std::optional<Duration> m_timeout;
    std::optional<int> m_look;
    std::stop_token m_stop;
    std::string m_provider;
    bool m_waits = false;
    bool m_exclusive = false;
    bool m_reenters = true;
    bool m_unique = false;
    bool m_notHeldBefore = false;
};

class ExecuteOptions final {
public:
    static constexpr Duration defaultTimeout = std::chrono::seconds(5);
    static constexpr Duration shortestTimeout = std::chrono::seconds(1);
    static constexpr Duration defaultLease = std::chrono::seconds(60);
    static constexpr Duration defaultLongestHold = std::chrono::hours(1);

    //! How long to wait for the keys; below one second counts as one second (guide).
    ExecuteOptions& timingOutAfter(Duration timeout);
    //! The same in the guide's seconds; NaN and negative numbers count as one second.
    ExecuteOptions& timingOutAfterSeconds(double timeout);
    //! The lease that is renewed, every third of it, while the job runs.
    ExecuteOptions& expiringIn(Duration lease) { return m_lease = lease, *this; }
    //! A job that runs for longer is told to stop and its lease renewed no more, so that one that
    //! hangs does not hold its keys for ever; the call ends with Lost. The lease still runs to its
    //! end. Without it the provider's option `maxHold` counts, and without that an hour.
    ExecuteOptions& holdingAtMost(Duration time) { return m_longestHold = time, *this; }
    //! Holds under this name rather than a fresh `execute:<uuid>`. It waits all the same while
    //! that very owner holds a key: an execute excludes every other execute.
    ExecuteOptions& ownedBy(std::string owner) { return m_owner = std::move(owner), *this; }
    ExecuteOptions& stoppedBy(std::stop_token token) { return m_stop = std::move(token), *this; }
    ExecuteOptions& at(std::string provider) { return m_provider = std::move(provider), *this; }

    [[nodiscard]] Duration timeout() const { return m_timeout.value_or(defaultTimeout); }
    //! What the caller asked for, if anything: a provider may have a default of its own.
    [[nodiscard]] std::optional<Duration> requestedTimeout() const { return m_timeout; }
    [[nodiscard]] Duration lease() const { return m_lease; }
    [[nodiscard]] std::optional<Duration> requestedLongestHold() const { return m_longestHold; }
    [[nodiscard]] Duration longestHold() const
    {
        return m_longestHold.value_or(defaultLongestHold);
    }
    [[nodiscard]] const Owner& owner() const { return m_owner; }
    [[nodiscard]] const std::stop_token& stopToken() const { return m_stop; }
    [[nodiscard]] const std::string& provider() const { return m_provider; }

private:
    std::optional<Duration> m_timeout;
    std::optional<Duration> m_longestHold;
    Duration m_lease = defaultLease;
    Owner m_owner;
    std::stop_token m_stop;
    std::string m_provider;
};

class ReleaseOptions final {
public:
    ReleaseOptions& ownedBy(Owner owner) { return m_owner = std::move(owner), *this; }
    ReleaseOptions& at(std::string provider) { return m_provider = std::move(provider), *this; }
    //! Removes what is left of a lock whose lease is over (LockState::Residue), and nothing that is
    //! live: somebody may have taken the key since it was seen.
    ReleaseOptions& onlyIfOver(bool on = true) { return m_onlyIfOver = on, *this; }
    //! An operator's release: of each of these keys the very grant that was seen, compared on the
    //! server, or nothing (ReleaseOutcome::Changed, HeldByOther). What is expected stands in for
    //! the owner: ownedBy() counts only for keys that are not among them.
    ReleaseOptions& expecting(std::vector<SeenLock> seen);

    //! What is expected of a key; null: nothing.
    [[nodiscard]] const SeenLock* expected(const std::string& key) const;
    //! Something is expected of each of the keys, and there is at least one.
    [[nodiscard]] bool expectsAll(const LockKeys& keys) const;
    //! All that is expected, sorted by key.
    [[nodiscard]] const std::vector<SeenLock>& expectations() const { return m_expected; }
    [[nodiscard]] const Owner& owner() const { return m_owner; }
    [[nodiscard]] const std::string& provider() const { return m_provider; }
    [[nodiscard]] bool isOnlyIfOver() const { return m_onlyIfOver; }

private:
    Owner m_owner;
    std::string m_provider;
    std::vector<SeenLock> m_expected;
    bool m_onlyIfOver = false;
};

class ReleaseAllOptions final {
public:
    //! How many were released and how many were looked at so far. Called on the engine's thread.
    using Progress = std::function<void(std::uint64_t released, std::uint64_t seen)>;

    //! Only this owner's locks; without it, all of the provider's.
    ReleaseAllOptions& ownedBy(Owner owner) { return m_owner = std::move(owner), *this; }
    template <typename Callback> ReleaseAllOptions& reportingTo(Callback&& to)
    {
        LOCKBOARD_REFUSE_OWNING_TEMPORARY(Callback);
        m_progress = std::forward<Callback>(to);
        return *this;
    }
    ReleaseAllOptions& stoppedBy(std::stop_token token) { return m_stop = std::move(token), *this; }
    ReleaseAllOptions& at(std::string provider) { return m_provider = std::move(provider), *this; }

    [[nodiscard]] const Owner& owner() const { return m_owner; }
    [[nodiscard]] const std::stop_token& stopToken() const { return m_stop; }
    [[nodiscard]] const std::string& provider() const { return m_provider; }
    void report(std::uint64_t released, std::uint64_t seen) const
    {
        if (m_progress)
            m_progress(released, seen);
    }

private:
    Owner m_owner;
    Progress m_progress;
    std::stop_token m_stop;
    std::string m_provider;
};

} // namespace lockboard
