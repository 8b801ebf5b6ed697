// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace lockboard {

class ConfigValue;

//! A server's URL, its user part cut off where nobody can disagree on it. Parsers do disagree: to
//! some a user part ends at the first `@`, to some at the last, to most not behind a `/`, and what
//! is behind it is taken for the host, and shown. So there is one `@` that is written as it is, and
//! before it no `/`, `?` or `#` and no `%` but of two hexadecimal digits. Whatever else stands
//! there may be written as it is.
class ServerUrl final {
public:
    //! \throws ConfigError that says which character to write as what, and nothing of the URL
    [[nodiscard]] static ServerUrl parse(const ConfigValue& place, const std::string& text);

    std::string scheme;
    std::string username; //!< decoded: any bytes
    std::string password; //!< decoded: any bytes
    std::string rest; //!< the URL without its user part: UTF-8, free of secrets if it is valid
};

//! The name or address of one host: letters, digits, `-`, `.` and `_`, or an IPv6 address.
[[nodiscard]] bool isHost(std::string_view text);
//! \throws ConfigError, which does not repeat the text, if it is none: a URL, say
void requireHost(const ConfigValue& place, std::string_view text);
//! A name that is shown must be no URL. \throws ConfigError, which does not repeat the text
void requireName(const ConfigValue& place, std::string_view text);

} // namespace lockboard
