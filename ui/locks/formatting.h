// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"
#include "ui/text/plain_text.h"

namespace lockboard {

//! A lease this short is shown as about to end.
inline constexpr Duration expiringSoon = std::chrono::seconds(10);

//! `9.4 s`, `42 s`, `4 min 05 s`, `3 h 07 min`, `2 d 03 h`; what is over is `0.0 s`.
[[nodiscard]] QString durationText(Duration left);
//! 0 to 1 on a logarithmic scale that ends at one hour, the same for every lock: a short bar is a
//! lock that ends soon. How long a lease was when it began nobody knows.
[[nodiscard]] double leaseShare(Duration left);
//! `1 lock`, `3 locks`, `12,000 locks`: the noun's plural is made with an s.
[[nodiscard]] QString countText(std::uint64_t count, const QString& noun);
[[nodiscard]] QString numberText(std::uint64_t number);
//! `“worker-1”`, or `no owner`.
[[nodiscard]] QString ownerText(const Owner& owner);

} // namespace lockboard
