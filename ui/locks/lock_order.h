// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/lock_filter.h"

#include <stop_token>

namespace lockboard {

enum class LockColumn : std::uint8_t { Key, Holder, HeldBy, Ttl, State };
inline constexpr int lockColumns = 5;

//! Which locks are shown, and in which order.
class LockOrder final {
public:
    LockColumn column = LockColumn::Key;
    bool descending = false;
    LockFilter filter;
};

//! The rows to show, in order. By TTL means by the absolute end of the lease, which time does not
//! change; ties are broken by key. Pure, for any thread; stopped, what it gives is of no use.
[[nodiscard]] std::vector<RowId> arrange(const LockTable& table, const LockOrder& order,
                                         TimePoint now, const std::stop_token& stop = {});

} // namespace lockboard
