// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace lockboard {

//! A Lua script of scripts/, embedded in the engine.
class RedisScript final {
public:
    //! By its file's name.
    explicit RedisScript(const char* fileName);

    std::string name; //!< for sentences
    std::string source;
    std::string sha1; //!< in hex, what EVALSHA knows it by
};

} // namespace lockboard
