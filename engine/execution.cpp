// SPDX-License-Identifier: MIT
#include "engine/execution.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

Execution::Execution(BasicProvider& provider, LockKeys keys, std::string owner, Duration lease)
    : m_provider(&provider)
    , m_keys(std::move(keys))
    , m_owner(std::move(owner))
    , m_lease(lease)
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
    scheduleRenewal();
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

void Execution::lose(const std::string& key)
{
    // The same owner may hold other keys, without an execute.
    if (m_lostKey || std::find(m_keys.begin(), m_keys.end(), key) == m_keys.end())
        return;
    m_lostKey = key;
    m_stop.request_stop();
}

void Execution::orphan()
{
    end();
    m_provider = nullptr;
    lose(m_keys.front());
}

std::optional<std::string> Execution::lostKey() const
{
    if (m_lostKey)
        return m_lostKey;
    // The process may have slept through the timer that watches the deadline.
    if (m_provider && m_provider->clock().now() >= m_deadline)
        return m_keys.front();
    return {};
}

void Execution::setDeadline(TimePoint leaseEnd)
{
    // Clocks run at slightly different rates: a hundredth, as Redlock reckons, and a little.
    m_deadline = leaseEnd - m_lease / 100 - 2ms;
    m_provider->clock().cancel(m_deadlineTimer);
    m_deadlineTimer = m_provider->clock().callAt(m_deadline, [this] { lose(m_keys.front()); });
}

void Execution::scheduleRenewal()
{
    m_renewalTimer =
        m_provider->clock().callAfter(m_lease / 3, [this] { renew(shared_from_this()); });
}

Task<void> Execution::renew(std::shared_ptr<Execution> self)
{
    std::string problem;
    try {
        const Renewal renewal = co_await self->m_provider->renew(m_keys, m_owner, m_lease);
        if (!m_registered)
            co_return;
        if (renewal.isHeld()) {
            setDeadline(renewal.leaseEnd().value_or(m_provider->clock().now() + m_lease));
        } else {
            m_provider->log(LogLevel::Warning,
                            "Lost the lock for key \"" + printable(renewal.lostKey())
                                + "\": it is free or somebody else's now.");
            lose(renewal.lostKey());
            co_return;
        }
    } catch (const LockError& error) {
        problem = error.message();
    }
    if (!m_registered)
        co_return;
    if (!problem.empty())
        m_provider->log(LogLevel::Warning, "Could not renew a lease, will try again: " + problem);
    scheduleRenewal();
}

} // namespace lockboard
