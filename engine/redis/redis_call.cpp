// SPDX-License-Identifier: MIT
#include "engine/redis/redis_call.h"

#include "engine/redis/redis_connection.h"
#include "engine/redis/redis_error.h"

#include <hiredis/hiredis.h>

#include <new>

namespace lockboard {

void RedisCommand::writeTo(std::string& out) const
{
    // The other formatter of hiredis, for plain memory, goes by sprintf and takes three times as
    // long.
    sds bytes = nullptr;
    // It takes `const char**` and leaves it as it is.
    const int size = redisFormatSdsCommandArgv(&bytes, static_cast<int>(m_parts.size()),
                                               const_cast<const char**>(m_parts.constData()),
                                               m_sizes.constData());
    if (size < 0)
        throw std::bad_alloc();
    out.append(bytes, static_cast<std::size_t>(size));
    redisFreeSdsCommand(bytes);
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

RedisPending::~RedisPending()
{
    if (m_due > 0)
        m_connection.forget(*this);
}

void RedisPending::check(const RedisReply& reply) const
{
    if (reply.isError())
        std::rethrow_exception(redisError(m_connection.endpoint().name(), reply.text()));
}

RedisCall::RedisCall(RedisConnection& connection, const RedisCommand& command, RedisEffect effect)
    : RedisPending(connection, effect)
{
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
