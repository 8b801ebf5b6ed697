// SPDX-License-Identifier: MIT
#include "engine/redis/redis_reply.h"

#include <hiredis/hiredis.h>

namespace lockboard {

void RedisReply::Free::operator()(redisReply* reply) const
{
    freeReplyObject(reply);
}

bool RedisReply::isNil() const
{
    return !m_reply || m_reply->type == REDIS_REPLY_NIL;
}

bool RedisReply::isError() const
{
    return m_reply && m_reply->type == REDIS_REPLY_ERROR;
}

bool RedisReply::isInteger() const
{
    return m_reply && m_reply->type == REDIS_REPLY_INTEGER;
}

bool RedisReply::isString() const
{
    return m_reply && m_reply->type == REDIS_REPLY_STRING;
}

#ifdef REDIS_REPLY_PUSH
static constexpr int pushType = REDIS_REPLY_PUSH;
#else
static constexpr int pushType = -1; // this hiredis speaks RESP2 only
#endif

bool RedisReply::isPush() const
{
    return m_reply && m_reply->type == pushType;
}

bool RedisReply::canBePush()
{
    return pushType >= 0;
}

std::string_view RedisReply::text() const
{
    if (!m_reply || !m_reply->str)
        return {};
    return {m_reply->str, m_reply->len};
}

std::int64_t RedisReply::integer() const
{
    return isInteger() ? m_reply->integer : 0;
}

std::size_t RedisReply::size() const
{
    const bool many = m_reply && (m_reply->type == REDIS_REPLY_ARRAY || isPush());
    return many ? m_reply->elements : 0;
}

RedisReply RedisReply::at(std::size_t i) const
{
    RedisReply element;
    if (i < size())
        element.m_reply = m_reply->element[i];
    return element;
}

bool RedisReply::isError(std::string_view word) const
{
    return isError() && text().starts_with(word);
}

bool RedisReply::isDeniedKey() const
{
    // "... to access one of the keys used as arguments", since Redis 7.2 "... to access a key"
    const bool denied = isError("NOPERM") && text().find(" access ") != std::string_view::npos;
    return denied && text().find(" key") != std::string_view::npos;
}

} // namespace lockboard
