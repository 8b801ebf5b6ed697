// SPDX-License-Identifier: MIT
#pragma once

#include "engine/options.h"

#include <optional>
#include <string>

namespace lockboard {

//! What the module refuses before a provider sees it, as one sentence; none: it is fit for use.
//! The bounds: at least one key and at most 10,000, none empty or over 64 KiB; an owner that is
//! not empty and not `*`, which on the wire means "no owner"; a lease above zero and of ten years
//! at the most.
[[nodiscard]] std::optional<std::string> findFault(const LockKeys& keys);
[[nodiscard]] std::optional<std::string> findFault(const Owner& owner);
[[nodiscard]] std::optional<std::string> findLeaseFault(std::optional<Duration> lease);

} // namespace lockboard
