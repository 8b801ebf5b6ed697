// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/wire/reply.h"

#include <array>
#include <string>

struct redisReader;

namespace lockboard::redis {

//! Makes replies of the bytes that a server sends. hiredis does that, but it believes what it is
//! told: it allocates an array as long as the array says it is, and keeps a string of any length.
//! So nothing reaches it that was not found to be within bounds before. A string that is too long
//! comes as Reply::isTooLong() in its place, an error that is too long is cut, and what goes
//! beyond any reason is refused; the decoder is of no use any more then.
class Decoder final {
public:
    //! How much of it one reply may have.
    class Limits final {
    public:
        Limits() = default;
        Limits(std::size_t t, std::size_t b)
            : text(t)
            , bytes(b)
        {
        }
        std::size_t text = std::size_t(12) << 20; //!< bytes of one string
        std::size_t bytes = std::size_t(16) << 20; //!< of all its strings
    };
    static constexpr std::size_t mostElements = 1'000'000; //!< of one reply, of all its arrays
    static constexpr std::size_t mostDepth = 6;
    static constexpr std::size_t mostLine = 4096; //!< of an error or a status; the rest is cut off
    //! No Redis has a string longer than this; so what claims to be is no Redis.
    static constexpr std::size_t longestText = std::size_t(512) << 20;

    enum class Step : std::uint8_t { Reply, NeedsMore, Refused };

    Decoder();
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    //! Bytes that stay where they are until next() needs more.
    void feed(std::string_view piece) { m_piece = piece; }
    //! The next reply, if all of it is there.
    [[nodiscard]] Step next(Reply& reply, const Limits& limits);
    //! How many bytes the strings of the last reply had.
    [[nodiscard]] std::size_t lastBytes() const { return m_lastBytes; }
    //! Why it is refused: goes on from "it sent"; empty: this is not the protocol of Redis.
    [[nodiscard]] const std::string& problem() const { return m_problem; }

private:
    void readLine();
    void readText();
    void takeLine(std::string_view line, bool endsInMemory);
    bool beginArray(std::uint64_t count, bool isOfPairs);
    void beginText(std::uint64_t length, std::string_view line, bool endsInMemory);
    void endElement();
    void pass(std::string_view bytes);
    void passLine(std::string_view line, bool endsInMemory);
    void refuse(std::string problem = {});

    redisReader* m_reader;
    std::string_view m_piece; // not read yet
    std::string m_line; // the beginning of a line that comes in pieces
    std::size_t m_lineLength = 0; // the whole of that so far
    char m_lastOfLine = 0;
    bool m_inText = false;
    bool m_skips = false; // the text that we are in
    std::size_t m_left = 0; // of that text, with the end of its line
    std::array<std::uint64_t, mostDepth> m_due{}; // elements still to come, of each array we are in
    std::size_t m_depth = 0;
    std::size_t m_elements = 0;
    std::size_t m_bytes = 0;
    std::size_t m_lastBytes = 0;
    Limits m_limits;
    bool m_complete = false;
    bool m_refused = false;
    std::string m_problem;
};

} // namespace lockboard::redis
