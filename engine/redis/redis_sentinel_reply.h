// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/redis_reply.h"

#include <string>

namespace lockboard {

//! Where a sentinel says that the master is. Port 0: it says nothing that can be one.
class RedisMasterAddress final {
public:
    RedisMasterAddress() = default;

    std::string host;
    int port = 0;
};

//! Of SENTINEL get-master-addr-by-name.
[[nodiscard]] RedisMasterAddress readMaster(const RedisReply& reply);
//! Of +switch-master, `NAME OLD-HOST OLD-PORT HOST PORT`, if it is about this master.
[[nodiscard]] RedisMasterAddress readSwitch(std::string_view text, std::string_view master);

} // namespace lockboard
