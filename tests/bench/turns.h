// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"

#include <QString>

#include <vector>

namespace lockboard::bench {

constexpr Duration jobLength = std::chrono::milliseconds(5);
//! Few if only asked for a moment.
[[nodiscard]] constexpr int jobsIn(Duration length)
{
    return length < std::chrono::milliseconds(100) ? 50 : 200;
}

[[nodiscard]] double nowMs();

//! One job, in ms on the machine's monotonic clock.
class Turn final {
public:
    double queued = 0;
    double began = 0;
    double ended = 0;
};
using Turns = std::vector<Turn>;

//! Of waiters in one process, each in line again as soon as it had its turn.
[[nodiscard]] Turns turnsOfProcess(const QString& url, int waiters, int jobs);

//! What is to be known of one run.
class HotKey final {
public:
    //! \throws std::runtime_error if two jobs ran at the same time
    HotKey(Turns turns, int waiters, double commands = 0);

    //! The share of the time that jobs ran, in percent.
    [[nodiscard]] double efficiency() const;
    //! From the end of a job to the beginning of the next.
    [[nodiscard]] double handOver(double quantile) const;
    //! The longest wait, where 1 is a turn of everybody else's.
    [[nodiscard]] double longestWait() const;
    //! That the server ran for each job, those inside scripts counted too.
    [[nodiscard]] double commands() const
    {
        return m_commands / static_cast<double>(m_turns.size());
    }

private:
    Turns m_turns;
    int m_waiters;
    double m_commands;
    std::vector<double> m_handOvers;
};

} // namespace lockboard::bench
