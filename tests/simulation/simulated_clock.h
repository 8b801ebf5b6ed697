// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"

#include <QCoreApplication>

namespace lockboard::test {

//! Time that jumps from one alarm to the next, with what that resumes run in between.
class SimulatedClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const override { return m_now; }
    [[nodiscard]] TimePoint start() const { return m_start; }

    //! Runs what is ready, without time passing.
    static void settle()
    {
        // What is posted meanwhile waits for the next round: a stop, what it resumes, what that
        // ends.
        for (int round = 0; round < 6; ++round)
            QCoreApplication::sendPostedEvents();
    }
    //! Goes on to the next alarm, but not past `until`; false: nothing is due before.
    bool step(TimePoint until)
    {
        settle();
        const std::optional<TimePoint> next = nextDue();
        if (!next || *next > until) {
            m_now = std::max(m_now, until);
            return false;
        }
        m_now = std::max(m_now, *next);
        fireDue();
        settle();
        return true;
    }
    void runUntil(TimePoint until)
    {
        while (step(until)) { }
    }
    void run(Duration time) { runUntil(m_now + time); }

protected:
    void arm(std::optional<TimePoint>) override { }

private:
    const TimePoint m_start = TimePoint(std::chrono::hours(1));
    TimePoint m_now = m_start;
};

} // namespace lockboard::test
