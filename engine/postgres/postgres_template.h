// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace lockboard {

//! `text` on one line, each `@name` in it replaced by what it stands for, which is left as it is:
//! names of tables may hold anything. Names are lower-case letters; one that is not known stays.
[[nodiscard]] std::string filledIn(std::string_view text,
                                   const std::map<std::string_view, std::string>& names);
//! As a string in SQL.
[[nodiscard]] std::string quotedText(std::string_view text);

} // namespace lockboard
