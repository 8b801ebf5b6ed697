// SPDX-License-Identifier: MIT
#include "engine/options.h"

#include <cmath>

namespace lockboard {

ExecuteOptions& ExecuteOptions::timingOutAfter(Duration timeout)
{
    m_timeout = std::max(timeout, shortestTimeout);
    return *this;
}

ExecuteOptions& ExecuteOptions::timingOutAfterSeconds(double timeout)
{
    constexpr double longest = 10.0 * 365 * 24 * 3600;
    const double seconds = std::isnan(timeout) ? 1.0 : std::clamp(timeout, 1.0, longest);
    return timingOutAfter(Duration(std::llround(seconds * 1000)));
}

} // namespace lockboard
