// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace lockboard::redis {

//! A server's `-ERROR ...` as one of the engine's own errors. `server` is its name in sentences.
//! An error reply says that nothing was done, so all but the denials are Unavailable.
[[nodiscard]] std::exception_ptr lockErrorOf(const std::string& server, std::string_view error);

} // namespace lockboard::redis
