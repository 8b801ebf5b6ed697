// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/wire/call.h"
#include "engine/redis/wire/decoder.h"

#include <cstdint>
#include <string>
#include <vector>

namespace lockboard::redis {

//! One walk over the keys of a server with SCAN, page by page. The server says where it goes on and
//! when it ends, so what it says is judged: a walk that goes in circles, does not end, or gives
//! what was not asked for ends with a sentence. Two pages of one walk are never under way at once.
class Scan final {
public:
    //! Keys asked for at a time.
    static constexpr int pageSize = 1000;
    //! How long a key may be and a page of them, in bytes; of what is longer we learn the number.
    [[nodiscard]] static Decoder::Limits limits()
    {
        return {std::size_t(128) << 10, std::size_t(4) << 20};
    }

    //! `pattern` matches what begins with `prefix`; both outlive it.
    Scan(const std::string& prefix, const std::string& pattern)
        : m_prefix(&prefix)
        , m_pattern(&pattern)
    {
    }

    //! How many keys the server has, of any kind: what it says to DBSIZE. Without it, it may go on
    //! for longer. \throws Unavailable if that is neither a number nor a refusal
    void expect(const Reply& databaseSize, const std::string& server);
    //! For the next page. Lives no longer than this.
    [[nodiscard]] Command command() const;
    //! The keys of a page, as Redis knows them. `server`: its name in sentences.
    //! \throws Unavailable
    std::vector<std::string> take(const Reply& reply, const std::string& server);

    [[nodiscard]] bool isFirst() const { return m_pages == 0; }
    [[nodiscard]] bool isOver() const { return m_over; }
    //! Keys that were too long to be told.
    [[nodiscard]] std::uint64_t tooLong() const { return m_tooLong; }

private:
    [[noreturn]] static void refuse(const std::string& server, const std::string& what);

    const std::string* m_prefix;
    const std::string* m_pattern;
    std::string m_cursor = std::string(1, '0'); // "0": gcc 12 warns of an overlap
    std::string m_marked; // a cursor of before, which must not come again
    std::uint64_t m_nextMark = 1; // the page whose cursor is marked next
    std::uint64_t m_pages = 0;
    std::uint64_t m_keys = 0;
    std::uint64_t m_mostPages = 200'000;
    std::uint64_t m_mostKeys = std::uint64_t(1) << 32;
    std::uint64_t m_tooLong = 0;
    bool m_over = false;
};

} // namespace lockboard::redis
