// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace lockboard {

//! The owner of an acquire that names none: `user@host:PID-RANDOM`, no other call's, so that two
//! jobs, or two consoles, of one user exclude each other.
[[nodiscard]] std::string uniqueOwner();

//! This user took it on this host without naming an owner: by an acquire of ours, or in the
//! console.
[[nodiscard]] bool isOwnDefault(const std::string& owner);

} // namespace lockboard
