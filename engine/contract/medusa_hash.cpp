// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"

#include <QString>

#include <algorithm>

namespace lockboard {

template <typename Units> static std::uint32_t hashOf(const Units& units)
{
    std::uint32_t hash = 5381;
    for (auto unit = std::crbegin(units); unit != std::crend(units); ++unit)
        hash = (hash * 33U) ^ static_cast<std::uint16_t>(*unit);
    return hash;
}

std::uint32_t medusaHash(std::string_view key)
{
    // Most keys are: a list of a million of them is hashed.
    if (std::all_of(key.begin(), key.end(), [](char byte) { return (byte & 0x80) == 0; }))
        return hashOf(key);
    return hashOf(
        QString::fromUtf8(key.data(), static_cast<qsizetype>(key.size())).toStdU16String());
}

} // namespace lockboard
