// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/wire/reply.h"
#include "engine/redis/wire/settings.h"

#include <vector>

namespace lockboard::redis {

//! Slots in a row that one master serves.
class SlotRange final {
public:
    SlotRange() = default;

    int first = 0;
    int last = 0; //!< it too
    std::string host;
    int port = 0;
    int replicas = 0;
};

//! More than any cluster has: its makers advise against more than a thousand.
constexpr std::size_t mostRedisNodes = 1000;

//! What `CLUSTER SLOTS` says. A node that does not announce its address has that of `asked`.
//! Entries that name no slots or no possible address are left out. \throws Unavailable if that is
//! no map at all, or one of more nodes than a cluster has
[[nodiscard]] std::vector<SlotRange> readSlots(const Reply& reply, const Endpoint& asked);

//! Where another node is, as `MOVED` and `ASK` say it: `host:port`, `[v6]:port`, `v6:port`, or
//! `:port` on the host of `asked`. Port 0: it can't be read.
[[nodiscard]] Endpoint readAddress(std::string_view text, const Endpoint& asked);

} // namespace lockboard::redis
