// SPDX-License-Identifier: MIT
#include "engine/contract/options.h"

#include <algorithm>
#include <cmath>

namespace lockboard {

ExecuteOptions& ExecuteOptions::timingOutAfter(Duration timeout)
{
    m_timeout = std::max(countable(timeout.count()), shortestTimeout);
    return *this;
}

ExecuteOptions& ExecuteOptions::timingOutAfterSeconds(double timeout)
{
    constexpr double longest = 10.0 * 365 * 24 * 3600;
    const double seconds = std::isnan(timeout) ? 1.0 : std::clamp(timeout, 1.0, longest);
    return timingOutAfter(Duration(std::llround(seconds * 1000)));
}

ReleaseOptions& ReleaseOptions::expecting(std::vector<SeenLock> seen)
{
    m_expected = std::move(seen);
    std::sort(m_expected.begin(), m_expected.end(),
              [](const SeenLock& a, const SeenLock& b) { return a.key < b.key; });
    return *this;
}

bool ReleaseOptions::expectsAll(const LockKeys& keys) const
{
    return !keys.isEmpty() && std::all_of(keys.begin(), keys.end(), [this](const std::string& key) {
        return expected(key) != nullptr;
    });
}

const SeenLock* ReleaseOptions::expected(const std::string& key) const
{
    const auto it = std::lower_bound(
        m_expected.begin(), m_expected.end(), key,
        [](const SeenLock& one, const std::string& wanted) { return one.key < wanted; });
    return it == m_expected.end() || it->key != key ? nullptr : &*it;
}

} // namespace lockboard
