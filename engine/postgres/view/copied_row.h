// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lockboard::postgres {

//! Milliseconds of a number of seconds since 1970, rounded up; Row::never for one that is
//! infinite or no number.
[[nodiscard]] std::int64_t msFromSeconds(std::string_view seconds);

//! A line of PostgreSQL's COPY text format that holds a lock: key, owner and when its lease ends.
class CopiedRow final {
public:
    //! Where unescaped texts are kept, from one line to the next.
    using Buffers = std::array<std::string, 2>;

    //! None: it is no such line. The texts point into the line or the buffers.
    [[nodiscard]] static std::optional<CopiedRow> read(std::string_view line, Buffers& buffers);

    std::string_view key;
    std::optional<std::string_view> owner;
    std::int64_t expiration = 0; //!< in milliseconds since 1970, or Row::never
};

} // namespace lockboard::postgres
