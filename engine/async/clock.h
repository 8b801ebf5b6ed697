// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QTimer>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace lockboard {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

//! As many milliseconds as a store or a caller says, but no more than a century either way: our
//! clocks could not count with them, and nobody will see the difference.
constexpr Duration countable(std::int64_t ms)
{
    constexpr std::int64_t century = std::int64_t(100) * 365 * 24 * 3600 * 1000;
    return Duration(std::clamp(ms, -century, century));
}

//! Monotonic time and timers, injected so that tests need not sleep. Belongs to one thread.
class Clock : public QObject {
    Q_OBJECT

public:
    using TimerId = std::uint64_t;
    using Callback = std::function<void()>;

    explicit Clock(QObject* parent = nullptr);
    ~Clock() override;

    [[nodiscard]] virtual TimePoint now() const = 0;

    //! Calls back on this clock's thread, from the event loop, at `when` or soon after.
    TimerId callAt(TimePoint when, Callback callback);
    TimerId callAfter(Duration delay, Callback callback);
    //! A timer that has fired or never was is ignored.
    void cancel(TimerId id);

protected:
    //! Asks for fireDue() at that time; none: there is nothing to wait for.
    virtual void arm(std::optional<TimePoint> next) = 0;
    void fireDue();
    [[nodiscard]] std::optional<TimePoint> nextDue() const;

private:
    std::map<std::pair<TimePoint, TimerId>, Callback> m_due;
    std::map<TimerId, TimePoint> m_when;
    TimerId m_lastId = 0;
    bool m_firing = false;
};

//! The real thing: std::chrono::steady_clock and one precise QTimer.
class SystemClock final : public Clock {
    Q_OBJECT

public:
    explicit SystemClock(QObject* parent = nullptr);
    [[nodiscard]] TimePoint now() const override;

protected:
    void arm(std::optional<TimePoint> next) override;

private:
    QTimer m_timer;
    std::optional<TimePoint> m_armedFor;
};

//! Time that stands still until it is advanced. For tests and for demonstrations.
class ManualClock final : public Clock {
    Q_OBJECT

public:
    using Clock::Clock;
    [[nodiscard]] TimePoint now() const override { return m_now; }
    //! Moves time on, firing what falls due on the way, each at its own time.
    void advance(Duration by);

protected:
    void arm(std::optional<TimePoint>) override { }

private:
    TimePoint m_now = TimePoint(std::chrono::hours(1));
};

} // namespace lockboard
