// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace lockboard::ctl {

//! The owner of an acquire that names none: `user@host:PID-RANDOM`, no other call's, so that two
//! jobs of one user exclude each other.
[[nodiscard]] std::string uniqueOwner();

//! This user took it on this host without naming an owner: by an acquire of ours, or, as
//! `user@host`, in the console.
[[nodiscard]] bool isOwnDefault(const std::string& owner);

} // namespace lockboard::ctl
