// SPDX-License-Identifier: MIT
#include "engine/async/clock.h"

#include <algorithm>

namespace lockboard {

Clock::Clock(QObject* parent)
    : QObject(parent)
{
}

Clock::~Clock() = default;

Clock::TimerId Clock::callAt(TimePoint when, Callback callback)
{
    const TimerId id = ++m_lastId;
    const bool first = m_due.empty() || when < m_due.begin()->first.first;
    m_due.emplace(std::pair(when, id), std::move(callback));
    m_when.emplace(id, when);
    if (first && !m_firing)
        arm(when);
    return id;
}

Clock::TimerId Clock::callAfter(Duration delay, Callback callback)
{
    return callAt(now() + delay, std::move(callback));
}

void Clock::cancel(TimerId id)
{
    const auto it = m_when.find(id);
    if (it == m_when.end())
        return;
    m_due.erase(std::pair(it->second, id));
    m_when.erase(it);
    // An alarm that comes for nothing costs less than setting it anew at every cancel.
}

void Clock::fireDue()
{
    // Also after a callback that throws: the others wait for their time as before.
    struct Firing {
        explicit Firing(Clock& clock)
            : self(clock)
        {
            self.m_firing = true;
        }
        ~Firing()
        {
            self.m_firing = false;
            self.arm(self.nextDue());
        }
        Clock& self;
    };
    const Firing firing(*this);
    // What falls due while we fire waits for the next turn: nobody may keep the loop to himself.
    const TimePoint until = now();
    const TimerId last = m_lastId;
    auto it = m_due.begin();
    while (it != m_due.end() && it->first.first <= until) {
        if (it->first.second > last) {
            ++it;
            continue;
        }
        const Callback callback = std::move(it->second);
        m_when.erase(it->first.second);
        m_due.erase(it);
        callback();
        it = m_due.begin();
    }
}

std::optional<TimePoint> Clock::nextDue() const
{
    return m_due.empty() ? std::nullopt : std::optional(m_due.begin()->first.first);
}

SystemClock::SystemClock(QObject* parent)
    : Clock(parent)
    , m_timer(this)
{
    m_timer.setSingleShot(true);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, [this] {
        m_armedFor.reset();
        fireDue();
    });
}

TimePoint SystemClock::now() const
{
    return std::chrono::steady_clock::now();
}

void SystemClock::arm(std::optional<TimePoint> next)
{
    // Starting a QTimer costs a microsecond: an earlier alarm already set will do.
    if (!next || (m_armedFor && *m_armedFor <= *next))
        return;
    const auto delay = std::chrono::ceil<std::chrono::milliseconds>(*next - now());
    // QTimer counts in int milliseconds; an alarm set for a day sets itself again.
    constexpr std::chrono::milliseconds longest = std::chrono::hours(24);
    m_armedFor = next;
    m_timer.start(std::clamp(delay, std::chrono::milliseconds::zero(), longest));
}

void ManualClock::advance(Duration by)
{
    const TimePoint until = m_now + by;
    while (const auto next = nextDue()) {
        if (*next > until)
            break;
        m_now = std::max(m_now, *next);
        fireDue();
    }
    m_now = until;
}

} // namespace lockboard
