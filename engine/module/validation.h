// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/options.h"

#include <optional>
#include <string>

namespace lockboard {

//! Of one call.
inline constexpr std::size_t mostKeys = 10'000;

//! What the module refuses before a provider sees it, as one sentence; none: it is fit for use.
//! The bounds: at least one key and at most 10,000, none empty or over 64 KiB; an owner that is
//! not empty and not `*`, which on the wire means "no owner"; a lease above zero and of ten years
//! at the most.
[[nodiscard]] std::optional<std::string> findFault(const LockKeys& keys);
[[nodiscard]] std::optional<std::string> findFault(const Owner& owner);
[[nodiscard]] std::optional<std::string> findFault(std::optional<Duration> lease);

// The same without a sentence, for the path of every call.
[[nodiscard]] bool isFit(const LockKeys& keys);
[[nodiscard]] inline bool isFit(const Owner& owner)
{
    return !owner || (!owner->empty() && *owner != "*");
}
[[nodiscard]] bool isFit(std::optional<Duration> lease);

} // namespace lockboard
