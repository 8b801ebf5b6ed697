// SPDX-License-Identifier: MIT
#pragma once

#include "engine/store/basic_provider.h"

namespace lockboard {

//! One execute while its job runs: renews the lease every third of it, sooner after a failure, and
//! stops the job when the lease is lost, our own monotonic deadline passes without a confirmed
//! renewal, or the job has held its keys for as long as it may.
class Execution final : public std::enable_shared_from_this<Execution> {
public:
    Execution(BasicProvider& provider, LockKeys keys, std::string owner, Duration lease,
              Duration longestHold);
    ~Execution();
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;

    //! When a job must have stopped whose lease ends then: clocks run at slightly different rates,
    //! by a hundredth as Redlock reckons, and telling takes a moment.
    [[nodiscard]] static TimePoint deadlineOf(TimePoint leaseEnd, Duration lease)
    {
        return leaseEnd - lease / 100 - std::chrono::milliseconds(2);
    }

    void begin(TimePoint leaseEnd);
    void end();
    //! `why`: a sentence; empty: that of every loss.
    void lose(const std::string& key, std::string why = {});
    //! The store may have forgotten the lock: asks it now.
    void suspect();
    //! The provider is going away.
    void orphan();

    [[nodiscard]] std::stop_source& stopSource() { return m_stop; }
    [[nodiscard]] const std::string& owner() const { return m_owner; }
    [[nodiscard]] TimePoint deadline() const { return m_deadline; }
    [[nodiscard]] bool isOrphan() const { return !m_provider; }
    //! Suspected, and not confirmed since.
    [[nodiscard]] bool isSuspect() const { return m_suspect; }
    //! What to throw, if the lock was lost; looks at the clock too.
    [[nodiscard]] std::optional<Lost> loss(const std::exception_ptr& jobError) const;

private:
    Task<void> renew(std::shared_ptr<Execution> self);
    void renewAfter(Duration pause);
    //! A third of the lease after it began.
    void renewInTime(TimePoint leaseEnd);
    void setDeadline(TimePoint leaseEnd);
    void expire();

    BasicProvider* m_provider;
    LockKeys m_keys;
    std::string m_owner;
    Duration m_lease;
    Duration m_longestHold;
    TimePoint m_deadline;
    TimePoint m_holdEnd;
    std::stop_source m_stop;
    std::optional<std::string> m_lostKey;
    std::string m_lostWhy;
    std::string m_problem; // of the last renewal, said once
    Clock::TimerId m_renewalTimer = 0;
    Clock::TimerId m_deadlineTimer = 0;
    bool m_registered = false;
    bool m_renewing = false;
    bool m_suspect = false;
    bool m_again = false; // suspected since the renewal under way began
};

} // namespace lockboard
