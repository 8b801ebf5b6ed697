// SPDX-License-Identifier: MIT
#pragma once

#include "tests/contract/subject.h"

namespace lockboard::test {

inline Task<int> sleepingJob(Clock& clock, Duration time, int result)
{
    co_await SleepFor(clock, time);
    co_return result;
}

inline Task<bool> untilStopped(Clock& clock, std::stop_token stop)
{
    while (!stop.stop_requested())
        co_await SleepFor(clock, std::chrono::milliseconds(5));
    co_return true;
}

} // namespace lockboard::test
