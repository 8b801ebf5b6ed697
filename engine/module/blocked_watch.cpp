// SPDX-License-Identifier: MIT
#include "engine/module/blocked_watch.h"

#include "engine/contract/lock.h"

namespace lockboard {

using namespace std::chrono_literals;

BlockedWatch::BlockedWatch(const QObject& owner, const Container& container, std::string key,
                           Duration lease)
    : m_owner(&owner)
    , m_clock(container.clock)
    , m_container(container)
    , m_key(std::move(key))
    , m_lease(lease)
{
}

BlockedWatch::~BlockedWatch()
{
    if (m_clock)
        m_clock->cancel(m_timer);
}

void BlockedWatch::begin()
{
    expectNextTurn();
}

void BlockedWatch::end()
{
    look();
    m_due.reset();
    if (m_clock)
        m_clock->cancel(std::exchange(m_timer, 0));
}

void BlockedWatch::expectNextTurn()
{
    // When the lease is renewed for the first time.
    m_due = m_container.clock->now() + m_lease / 3;
    m_timer = m_container.clock->callAt(*m_due, [this] {
        m_timer = 0;
        look();
        if (m_owner && !m_said)
            expectNextTurn();
    });
}

void BlockedWatch::look()
{
    if (!m_owner || !m_due || m_said)
        return;
    const auto late = m_container.clock->now() - *m_due;
    if (late < std::max<Duration>(m_lease / 6, 100ms))
        return;
    m_said = true;
    const auto blocked = std::chrono::duration_cast<Duration>(late) + m_lease / 3;
    m_container.log(LogLevel::Warning,
                    "A job blocked the engine's thread, for up to "
                        + std::to_string(blocked.count()) + " ms, while it held the lock for key \""
                        + printable(m_key) + "\" with a lease of " + std::to_string(m_lease.count())
                        + " ms: nothing is renewed meanwhile. Run what takes long on another "
                          "thread.");
}

} // namespace lockboard
