// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace lockboard::postgres {

//! PostgreSQL's text of a float8.
[[nodiscard]] inline double numberFrom(std::string_view text)
{
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number); // knows "-Infinity" too
    return number;
}

//! Seconds since 1970, by a server; 0 for what the nanoseconds of our clocks can't be reckoned
//! with.
[[nodiscard]] inline double serverTimeFrom(std::string_view text)
{
    const double seconds = numberFrom(text);
    return seconds > 0 && seconds < 8e9 ? seconds : 0;
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

} // namespace lockboard::postgres
