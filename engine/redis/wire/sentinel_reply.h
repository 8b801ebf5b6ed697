// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/wire/reply.h"

#include <string>

namespace lockboard::redis {

//! Where a sentinel says that the master is. Port 0: it says nothing that can be one.
class MasterAddress final {
public:
    MasterAddress() = default;

    std::string host;
    int port = 0;
};

//! Of SENTINEL get-master-addr-by-name.
[[nodiscard]] MasterAddress readMaster(const Reply& reply);
//! Of +switch-master, `NAME OLD-HOST OLD-PORT HOST PORT`, if it is about this master.
[[nodiscard]] MasterAddress readSwitch(std::string_view text, std::string_view master);

} // namespace lockboard::redis
