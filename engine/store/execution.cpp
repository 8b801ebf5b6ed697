// SPDX-License-Identifier: MIT
#include "engine/store/execution.h"

#include "engine/store/planted_fault.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

Execution::Execution(BasicProvider& provider, LockKeys keys, std::string owner, Duration lease,
                     Duration longestHold)
    : m_provider(&provider)
    , m_keys(std::move(keys))
    , m_owner(std::move(owner))
    , m_lease(lease)
    , m_longestHold(longestHold)
{
}

Execution::~Execution()
{
    end();
}

void Execution::begin(TimePoint leaseEnd)
{
    m_provider->m_executions.emplace(m_owner, this);
    m_registered = true;
    setDeadline(leaseEnd);
    m_holdEnd = m_provider->clock().now() + m_longestHold;
    renewInTime(leaseEnd);
}

void Execution::end()
{
    if (!m_registered || !m_provider)
        return;
    m_registered = false;
    m_provider->clock().cancel(m_renewalTimer);
    m_provider->clock().cancel(m_deadlineTimer);
    const auto [first, last] = m_provider->m_executions.equal_range(m_owner);
    for (auto it = first; it != last; ++it) {
        if (it->second == this) {
            m_provider->m_executions.erase(it);
            break;
        }
    }
}

void Execution::lose(const std::string& key, std::string why)
{
    // The same owner may hold other keys, without an execute.
    if (m_lostKey || std::find(m_keys.begin(), m_keys.end(), key) == m_keys.end())
        return;
    m_lostKey = key;
    m_lostWhy = std::move(why);
    if (m_provider) // what is lost is not to be kept from others
        m_provider->clock().cancel(m_renewalTimer);
    m_stop.request_stop();
}

void Execution::suspect()
{
    if (m_lostKey)
        return;
    m_suspect = true;
    m_again = m_renewing;
    if (!m_renewing)
        renewAfter(0ms);
}

void Execution::orphan()
{
    end();
    m_provider = nullptr;
    lose(m_keys.front());
}

std::optional<Lost> Execution::loss(const std::exception_ptr& jobError) const
{
    if (m_lostKey && !m_lostWhy.empty())
        return Lost(*m_lostKey, m_lostWhy, jobError);
    if (m_lostKey)
        return Lost(*m_lostKey, jobError);
    // The process may have slept through the timer that watches the deadline.
    if (m_provider && m_provider->clock().now() >= m_deadline)
        return Lost(m_keys.front(), jobError);
    return {};
}

void Execution::setDeadline(TimePoint leaseEnd)
{
    m_deadline = deadlineOf(leaseEnd, m_lease);
    m_provider->clock().cancel(m_deadlineTimer);
    m_deadlineTimer = m_provider->clock().callAt(m_deadline, [this] {
        m_provider->onLeaseOver(m_keys, m_owner);
        if (!isPlanted(PlantedFault::LossNotTold))
            lose(m_keys.front());
    });
}

void Execution::expire()
{
    const std::string held = "has held the lock for key \"" + printable(m_keys.front()) + "\" for "
        + std::to_string(m_longestHold.count()) + " ms, the most it may (maxHold)";
    m_provider->log(LogLevel::Warning,
                    "A job " + held + ": it is told to stop, and its lease is left to end.");
    lose(m_keys.front(), "The job " + held + '.');
}

void Execution::renewInTime(TimePoint leaseEnd)
{
    const TimePoint due = leaseEnd - m_lease + m_lease / 3;
    const auto pause = std::chrono::ceil<Duration>(due - m_provider->clock().now());
    renewAfter(std::clamp<Duration>(pause, 0ms, m_lease / 3));
}

void Execution::renewAfter(Duration pause)
{
    Clock& clock = m_provider->clock();
    clock.cancel(m_renewalTimer);
    m_renewalTimer = clock.callAt(std::min(clock.now() + pause, m_holdEnd), [this] {
        if (m_provider->clock().now() >= m_holdEnd)
            expire();
        else
            letRun(renew(shared_from_this()));
    });
}

Task<void> Execution::renew(std::shared_ptr<Execution> self)
{
    std::string problem;
    std::optional<Renewal> renewal;
    m_renewing = true;
    m_again = false;
    const TimePoint asked = m_provider->clock().now();
    try {
        renewal = co_await self->m_provider->renew(m_keys, m_owner, m_lease);
    } catch (...) {
        problem = messageOf(std::current_exception());
    }
    m_renewing = false;
    if (!m_registered || m_lostKey)
        co_return;
    if (renewal && !renewal->isHeld()) {
        m_provider->log(LogLevel::Warning,
                        "Lost the lock for key \"" + printable(renewal->lostKey())
                            + "\": it is free or somebody else's now.");
        lose(renewal->lostKey());
        co_return;
    }
    TimePoint leaseEnd;
    if (renewal) {
        leaseEnd = renewal->leaseEnd().value_or(asked + m_lease);
        if (isPlanted(PlantedFault::DeadlineAfterRenewal))
            leaseEnd = m_provider->clock().now() + m_lease;
        setDeadline(leaseEnd);
    } else if (problem != m_problem)
        m_provider->log(LogLevel::Warning, "Could not renew a lease, will try again: " + problem);
    m_problem = problem;
    if (renewal && !m_again)
        m_suspect = false;
    if (m_again)
        renewAfter(0ms);
    else if (renewal)
        renewInTime(leaseEnd);
    else // is repeated soon: the store may be back long before the lease ends
        renewAfter(std::clamp<Duration>(m_lease / 20, 50ms, 1s));
}

} // namespace lockboard
