// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"

#include <QString>

// What is measured of every provider of a server, over a connection that stands already.
namespace lockboard::bench {

//! Acquire and release, by so many callers at a time, each with a key of its own.
[[nodiscard]] double pairsPerSecond(const QString& url, int callers, Duration length);

//! Until all of so many locks are shown, or the first of them.
[[nodiscard]] double secondsToList(const QString& url, int count, bool firstPageOnly = false);

//! \throws std::runtime_error if it isn't so many of them that were released
[[nodiscard]] double secondsToReleaseAll(const QString& url, const std::string& owner,
                                         std::uint64_t count);

} // namespace lockboard::bench
