// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace lockboard {

//! PostgreSQL's text of a float8.
[[nodiscard]] inline double numberFrom(std::string_view text)
{
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number); // knows "-Infinity" too
    return number;
}

//! All of the text; none: it is no such number.
template <typename Number> [[nodiscard]] std::optional<Number> readNumber(std::string_view text)
{
    Number number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || rest != text.data() + text.size())
        return {};
    return number;
}

} // namespace lockboard
