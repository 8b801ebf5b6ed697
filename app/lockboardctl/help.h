// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace lockboard::ctl {

class Verb;

//! The program's help, or a verb's.
[[nodiscard]] std::string helpText(const Verb* verb);

} // namespace lockboard::ctl
