// SPDX-License-Identifier: MIT
#include "engine/module/validation.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr std::size_t longestKey = 64 * 1024;
static constexpr Duration longestLease = 10 * 365 * 24h;

std::optional<std::string> findFault(const LockKeys& keys)
{
    if (keys.isEmpty())
        return "No keys were given.";
    if (keys.size() > mostKeys)
        return std::to_string(keys.size()) + " keys were given; 10000 are allowed in one call.";
    for (const std::string& key : keys) {
        if (key.empty())
            return "A key is empty.";
        if (key.size() > longestKey) {
            return "The key \"" + printable(key.substr(0, 32)) + "...\" has "
                + std::to_string(key.size()) + " bytes; 65536 are allowed.";
        }
    }
    return {};
}

std::optional<std::string> findFault(const Owner& owner)
{
    if (isFit(owner))
        return {};
    if (owner->empty())
        return "The owner is empty; a lock without owner has none at all.";
    return "The owner \"*\" is not allowed: on the wire it means \"no owner\".";
}

std::optional<std::string> findFault(std::optional<Duration> lease)
{
    if (isFit(lease))
        return {};
    if (*lease <= 0ms)
        return "The lease must be longer than 0 ms; leave it out for a lock that never expires.";
    return "The lease is longer than ten years.";
}

bool isFit(std::optional<Duration> lease)
{
    return !lease || (*lease > 0ms && *lease <= longestLease);
}

bool isFit(const LockKeys& keys)
{
    if (keys.isEmpty() || keys.size() > mostKeys)
        return false;
    return std::all_of(keys.begin(), keys.end(), [](const std::string& key) {
        return !key.empty() && key.size() <= longestKey;
    });
}

} // namespace lockboard
