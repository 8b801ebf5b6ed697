// SPDX-License-Identifier: MIT
#include "engine/redis/wire/reply.h"

#include "engine/contract/lock.h"

#include <hiredis/hiredis.h>

#include <algorithm>

namespace lockboard::redis {

void Reply::Free::operator()(redisReply* reply) const
{
    freeReplyObject(reply);
}

bool Reply::isNil() const
{
    return !m_reply || m_reply->type == REDIS_REPLY_NIL;
}

bool Reply::isError() const
{
    return m_reply && m_reply->type == REDIS_REPLY_ERROR;
}

bool Reply::isInteger() const
{
    return m_reply && m_reply->type == REDIS_REPLY_INTEGER;
}

bool Reply::isString() const
{
    return m_reply && m_reply->type == REDIS_REPLY_STRING;
}

bool Reply::isArray() const
{
    return m_reply && m_reply->type == REDIS_REPLY_ARRAY;
}

bool Reply::isStatus() const
{
    return m_reply && m_reply->type == REDIS_REPLY_STATUS;
}

bool Reply::isStatus(std::string_view word) const
{
    return isStatus() && text() == word;
}

#ifdef REDIS_REPLY_PUSH
static constexpr int pushType = REDIS_REPLY_PUSH;
#else
static constexpr int pushType = -1; // this hiredis speaks RESP2 only
#endif

bool Reply::isPush() const
{
    return m_reply && m_reply->type == pushType;
}

bool Reply::canBePush()
{
    return pushType >= 0;
}

std::string_view Reply::text() const
{
    if (!m_reply || !m_reply->str)
        return {};
    return {m_reply->str, m_reply->len};
}

std::int64_t Reply::integer() const
{
    return isInteger() ? m_reply->integer : 0;
}

std::size_t Reply::size() const
{
    const bool many = m_reply && (m_reply->type == REDIS_REPLY_ARRAY || isPush());
    return many ? m_reply->elements : 0;
}

Reply Reply::at(std::size_t i) const
{
    Reply element;
    if (i < size())
        element.m_reply = m_reply->element[i];
    return element;
}

bool Reply::isError(std::string_view word) const
{
    return isError() && text().starts_with(word);
}

bool Reply::isDeniedKey() const
{
    // "... to access one of the keys used as arguments", since Redis 7.2 "... to access a key"
    const bool denied = isError("NOPERM") && text().find(" access ") != std::string_view::npos;
    return denied && text().find(" key") != std::string_view::npos;
}

std::string Reply::description() const
{
    constexpr std::size_t most = 60;
    if (isNil())
        return "nothing (nil)";
    if (isTooLong())
        return "a string of " + std::string(text().substr(text().rfind(' ') + 1)) + " bytes";
    if (isInteger())
        return "the integer " + std::to_string(integer());
    if (isString())
        return "the string \"" + printableStart(text(), most) + '"';
    if (isStatus())
        return "the status \"" + printableStart(text(), most) + '"';
    if (isError())
        return "the error \"" + printableStart(text(), most) + '"';
    if (isArray() && size() > 0 && !at(0).isArray() && size() <= 5) {
        std::string list = "an array of " + std::to_string(size()) + ": ";
        for (std::size_t i = 0; i < size(); ++i)
            list += (i > 0 ? ", " : "")
                + (at(i).isArray() ? "an array of " + std::to_string(at(i).size())
                                   : at(i).description());
        return list;
    }
    return isArray() ? "an array of " + std::to_string(size()) : "something unknown";
}

void Reply::hideInError(std::string_view secret)
{
    constexpr std::size_t shortest = 4; // anything shorter is in every sentence
    if ((!isError() && !isStatus()) || !m_owned || secret.size() < shortest)
        return;
    char* const end = m_owned->str + m_owned->len;
    for (char* at = m_owned->str;;) {
        at = std::search(at, end, secret.begin(), secret.end());
        if (at == end)
            return;
        at = std::fill_n(at, secret.size(), '*');
    }
}

} // namespace lockboard::redis
