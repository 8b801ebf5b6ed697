// SPDX-License-Identifier: MIT
#include "engine/redis/redis_call.h"

#include "engine/errors.h"
#include "engine/redis/redis_connection.h"
#include "engine/redis/redis_error.h"

#include <algorithm>
#include <charconv>

namespace lockboard {

//! "$5", say, and the end of its line.
static char* writeHeader(char* to, char kind, std::size_t number)
{
    *to++ = kind;
    to = std::to_chars(to, to + 20, number).ptr;
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

void RedisCommand::writeTo(std::string& out) const
{
    // By hand, because what hiredis has for it takes ten times as long, and as long as all the rest
    // of a call.
    constexpr std::size_t mostHeader = 1 + 20 + 2;
    const std::size_t before = out.size();
    std::size_t most = mostHeader;
    for (const std::string_view part : m_parts)
        most += mostHeader + part.size() + 2;
    out.resize(before + most);
    char* to = writeHeader(out.data() + before, '*', static_cast<std::size_t>(m_parts.size()));
    for (const std::string_view part : m_parts) {
        to = writeHeader(to, '$', part.size());
        to = std::copy(part.begin(), part.end(), to);
        *to++ = '\r';
        *to++ = '\n';
    }
    out.resize(static_cast<std::size_t>(to - out.data()));
}

std::string escapedForGlob(const std::string& text)
{
    std::string out;
    for (const char letter : text) {
        if (std::string_view("*?[]\\").find(letter) != std::string_view::npos)
            out += '\\';
        out += letter;
    }
    return out;
}

RedisPending::RedisPending(RedisConnection& connection, RedisEffect effect)
    : m_connection(connection)
    , m_alive(&connection)
    , m_effect(effect)
{
}

RedisPending::~RedisPending()
{
    if (m_due > 0)
        m_connection.forget(*this);
}

void RedisPending::check(const RedisReply& reply) const
{
    if (reply.isError())
        std::rethrow_exception(redisError(server(), reply.text()));
}

std::string RedisPending::server() const
{
    return m_alive ? m_connection.endpoint().name() : "a node that has left the cluster";
}

void RedisPending::refuse(const RedisReply& reply, const std::string& command) const
{
    check(reply);
    const std::string sentence = "Redis at " + server() + " answered " + command + " with "
        + reply.description() + ", which is no answer to that";
    const bool mutates = m_effect == RedisEffect::Mutates;
    if (m_alive)
        m_connection.distrust(sentence);
    if (mutates)
        throw OutcomeUnknown(sentence + "; whether it took effect is not known.");
    throw Unavailable(sentence + '.');
}

//! However little of the budget is left, an owner of the usual length is read.
RedisDecoder::Limits RedisPending::nextLimits() const
{
    constexpr std::size_t least = 256;
    return {std::min(m_limits.text, std::max(m_budget, least)), m_limits.bytes};
}

RedisCall::RedisCall(RedisConnection& connection, const RedisCommand& command, RedisEffect effect,
                     const RedisDecoder::Limits& limits)
    : RedisPending(connection, effect)
{
    m_limits = limits;
    m_connection.send(*this, command);
}

RedisReply RedisCall::Awaiter::await_resume()
{
    if (m_call->m_error)
        std::rethrow_exception(m_call->m_error);
    return std::move(m_call->m_reply);
}

void RedisCalls::send(const RedisCommand& command)
{
    m_connection.send(*this, command);
}

std::vector<RedisReply> RedisCalls::Awaiter::await_resume()
{
    if (m_calls->m_error)
        std::rethrow_exception(m_calls->m_error);
    return std::move(m_calls->m_list);
}

} // namespace lockboard
