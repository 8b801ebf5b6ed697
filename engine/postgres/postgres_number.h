// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <string_view>

namespace lockboard {

//! PostgreSQL's text of a float8.
[[nodiscard]] inline double numberFrom(std::string_view text)
{
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number); // knows "-Infinity" too
    return number;
}

} // namespace lockboard
