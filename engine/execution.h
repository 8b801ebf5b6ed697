// SPDX-License-Identifier: MIT
#pragma once

#include "engine/basic_provider.h"

namespace lockboard {

//! One execute while its job runs: renews the lease every third of it, and stops the job when the
//! lease is lost or our own monotonic deadline passes without a confirmed renewal.
class Execution final : public std::enable_shared_from_this<Execution> {
public:
    Execution(BasicProvider& provider, LockKeys keys, std::string owner, Duration lease);
    ~Execution();
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;

    void begin(TimePoint leaseEnd);
    void end();
    void lose(const std::string& key);
    //! The provider is going away.
    void orphan();

    [[nodiscard]] std::stop_source& stopSource() { return m_stop; }
    [[nodiscard]] const std::string& owner() const { return m_owner; }
    [[nodiscard]] bool isOrphan() const { return !m_provider; }
    //! The key that was lost, if one was; looks at the clock too.
    [[nodiscard]] std::optional<std::string> lostKey() const;

private:
    Task<void> renew(std::shared_ptr<Execution> self);
    void scheduleRenewal();
    void setDeadline(TimePoint leaseEnd);

    BasicProvider* m_provider;
    LockKeys m_keys;
    std::string m_owner;
    Duration m_lease;
    TimePoint m_deadline;
    std::stop_source m_stop;
    std::optional<std::string> m_lostKey;
    Clock::TimerId m_renewalTimer = 0;
    Clock::TimerId m_deadlineTimer = 0;
    bool m_registered = false;
};

} // namespace lockboard
