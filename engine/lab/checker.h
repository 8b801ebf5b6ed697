// SPDX-License-Identifier: MIT
#pragma once

#include "engine/lab/history.h"

namespace lockboard::lab {

//! A promise of the contract that a history breaks.
class Violation final {
public:
    std::string rule; //!< one word, for counting
    std::string sentence;
};

//! What the checker allows for.
class Tolerance final {
public:
    Duration bound{250}; //!< a timeout or stop is honoured within this
    Duration telling{2}; //!< a clock's grain
};

//! Holds a history against the contract:
//! - `exclusive`: no key has two holders among those who have not been told;
//! - `start`: no job starts on a lease that is over;
//! - `told`: a job is told before the last lease that it knows of ends;
//! - `bound`: a timeout or stop is honoured in time, and a loss is thrown when the job has ended;
//! - `nothing-held`: a call that ended with TimedOut, Cancelled, Unavailable or Conflict has left
//!   nothing held (FoundHeld events say what is);
//! - `lost`: a job that was told of a loss is not reported as done;
//! - `served`: every call has ended.
[[nodiscard]] std::vector<Violation> check(const History& history, Tolerance tolerance = {});

} // namespace lockboard::lab
