// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace lockboard::redis {

//! A Lua script of scripts/, embedded in the engine.
class Script final {
public:
    //! By its file's name.
    explicit Script(const char* fileName);

    std::string name; //!< for sentences
    std::string source;
    std::string sha1; //!< in hex, what EVALSHA knows it by
};

} // namespace lockboard::redis
