// SPDX-License-Identifier: MIT
#include "engine/store/redial.h"

#include <QRandomGenerator>

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr Duration shortestRest = 50ms;
static constexpr Duration longestRest = 5s;
//! A connection that was ready for less has failed once more.
static constexpr Duration steady = 1s;

void Redial::begin(TimePoint now)
{
    m_begun = now;
    m_readySince.reset();
}

TimePoint Redial::fail(TimePoint now)
{
    const bool wasReady = m_readySince.has_value();
    if (wasReady && now >= *m_readySince + steady)
        m_failures = 0;
    m_readySince.reset();
    const Duration pause =
        std::min<Duration>(shortestRest * (1 << std::min(m_failures++, 10)), longestRest);
    const double jitter = 0.75 + QRandomGenerator::global()->generateDouble() / 2;
    const TimePoint next = now + std::chrono::duration_cast<Duration>(pause * jitter);
    m_notBefore = wasReady ? std::min(next, now + steady) : TimePoint();
    return next;
}

TimePoint Redial::hastened(TimePoint now) const
{
    return std::max({now, m_begun + shortestRest, m_notBefore});
}

} // namespace lockboard
