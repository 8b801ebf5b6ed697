// SPDX-License-Identifier: MIT
#pragma once

#include "tests/hostile/hostile_server.h"

#include <vector>

namespace lockboard::test {

//! One way to be hostile.
class Way final {
public:
    const char* name;
    HostileServer::Script script;
};

//! All that are known. To add one, add a row.
[[nodiscard]] const std::vector<Way>& hostileWays();

} // namespace lockboard::test
