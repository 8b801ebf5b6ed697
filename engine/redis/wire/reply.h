// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct redisReply;

namespace lockboard::redis {

//! One answer of Redis, as hiredis has read it.
class Reply final {
public:
    //! The first word of what stands in the place of a string that is too long (Decoder).
    static constexpr std::string_view tooLong = "LOCKBOARD-TOO-LONG";

    Reply() = default;
    explicit Reply(redisReply* reply)
        : m_owned(reply)
        , m_reply(reply)
    {
    }

    [[nodiscard]] bool isNil() const;
    [[nodiscard]] bool isError() const;
    [[nodiscard]] bool isInteger() const;
    [[nodiscard]] bool isString() const;
    [[nodiscard]] bool isArray() const;
    //! A status, which a server has for what a command did: `OK`.
    [[nodiscard]] bool isStatus() const;
    [[nodiscard]] bool isStatus(std::string_view word) const;
    //! A string that was not kept, because it is too long; text() ends with how many bytes it has.
    [[nodiscard]] bool isTooLong() const { return isError(tooLong); }
    //! What a server that speaks RESP3 sends unasked; never seen with a hiredis older than 1.0.
    [[nodiscard]] bool isPush() const;
    [[nodiscard]] static bool canBePush();
    //! Of a string, a status or an error; else empty.
    [[nodiscard]] std::string_view text() const;
    //! Else 0.
    [[nodiscard]] std::int64_t integer() const;
    //! The number of elements, 0 if it is no array.
    [[nodiscard]] std::size_t size() const;
    //! An element, which lives as long as this reply. Nil past the end.
    [[nodiscard]] Reply at(std::size_t i) const;
    //! An error whose first word is this: `WRONGTYPE`, say.
    [[nodiscard]] bool isError(std::string_view word) const;
    //! Makes asterisks of it wherever an error or a status repeats it.
    void hideInError(std::string_view secret);
    //! The user may do this, but not to this key.
    [[nodiscard]] bool isDeniedKey() const;
    //! What it is, for a sentence: `the integer 1`, `an array of 3`. Short, and free of what a
    //! terminal would obey.
    [[nodiscard]] std::string description() const;

private:
    struct Free {
        void operator()(redisReply* reply) const;
    };
    std::unique_ptr<redisReply, Free> m_owned;
    const redisReply* m_reply = nullptr; // m_owned, or a part of another reply
};

} // namespace lockboard::redis
