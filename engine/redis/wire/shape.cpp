// SPDX-License-Identifier: MIT
#include "engine/redis/wire/shape.h"

#include "engine/redis/wire/reply.h"

#include <algorithm>

namespace lockboard::redis::shape {

static bool isBetween(const Reply& reply, std::int64_t least, std::int64_t most)
{
    return reply.isInteger() && reply.integer() >= least && reply.integer() <= most;
}

//! Which of the locks it is, counted from 1.
static bool isIndex(const Reply& reply, std::size_t locks)
{
    return isBetween(reply, 1, static_cast<std::int64_t>(locks));
}

//! A string, even one that was too long to be kept.
static bool isText(const Reply& reply)
{
    return reply.isString() || reply.isTooLong();
}

static bool isWord(const Reply& reply, std::string_view word)
{
    return reply.isString() && reply.text() == word;
}

//! {'held', index, holder, ms left} or {'type', index, type}
static bool isRefusal(const Reply& reply, std::size_t locks)
{
    if (isWord(reply.at(0), "held"))
        return reply.size() == 4 && isIndex(reply.at(1), locks) && isText(reply.at(2))
            && reply.at(3).isInteger() && reply.at(3).integer() >= -2;
    return isWord(reply.at(0), "type") && reply.size() == 3 && isIndex(reply.at(1), locks)
        && isText(reply.at(2));
}

bool isTime(const Reply& reply)
{
    return reply.isInteger() && reply.integer() >= -1;
}

bool isAcquire(const Reply& reply, std::size_t locks)
{
    if (!reply.isArray() || !isWord(reply.at(0), "granted"))
        return reply.isArray() && isRefusal(reply, locks);
    const Reply token = reply.at(1);
    const Reply grants = reply.at(2);
    const Reply before = reply.at(3);
    bool right = reply.size() == 4 && grants.isArray() && grants.size() == 2 * locks
        && before.isArray() && (before.size() == 0 || before.size() == locks)
        && (token.isNil() || (token.isInteger() && token.integer() > 0));
    for (std::size_t i = 0; right && i < locks; ++i)
        right = isBetween(grants.at(2 * i), 0, 1) && isTime(grants.at(2 * i + 1));
    for (std::size_t i = 0; right && i < before.size(); ++i) {
        const Reply one = before.at(i);
        right = one.isArray() && one.size() == 3 && one.at(0).isString() && one.at(1).isInteger()
            && isText(one.at(2));
    }
    return right;
}

bool isExtend(const Reply& reply, std::size_t locks)
{
    return reply.isArray() && reply.size() == 2
        && isBetween(reply.at(0), 0, static_cast<std::int64_t>(locks)) && isTime(reply.at(1));
}

static bool isReleased(const Reply& reply, std::size_t locks, std::int64_t last)
{
    if (!reply.isArray() || !isWord(reply.at(0), "done"))
        return reply.isArray() && isWord(reply.at(0), "type") && isRefusal(reply, locks);
    bool right = reply.size() == locks + 1;
    for (std::size_t i = 0; right && i < locks; ++i)
        right = isText(reply.at(i + 1)) || isBetween(reply.at(i + 1), 0, last);
    return right;
}

bool isRelease(const Reply& reply, std::size_t locks)
{
    const bool isBrief = locks == 1 && isBetween(reply, 1, 2);
    return isBrief || isReleased(reply, locks, 2);
}

bool isReleaseSeen(const Reply& reply, std::size_t locks)
{
    return isReleased(reply, locks, 3);
}

bool isReleasePage(const Reply& reply, std::size_t locks)
{
    return reply.isString() && reply.text().size() == locks
        && reply.text().find_first_not_of("rgot") == std::string_view::npos;
}

bool isCount(const Reply& reply, std::size_t locks)
{
    return isBetween(reply, 0, static_cast<std::int64_t>(locks));
}

bool isDone(const Reply& reply, std::size_t)
{
    return isWord(reply, "done");
}

bool isSet(const Reply& reply)
{
    return reply.isNil() || reply.isStatus("OK");
}

bool isAnswerTo(std::string_view question, const Reply& reply)
{
    if (question == "GET")
        return reply.isNil() || isText(reply);
    if (question == "PTTL")
        return reply.isInteger() && reply.integer() >= -2;
    return question == "TYPE" && reply.isStatus();
}

bool isHost(std::string_view host)
{
    constexpr std::size_t longestName = 253;
    const auto fits = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')
            || (letter >= '0' && letter <= '9')
            || std::string_view(".-_:%").find(letter) != std::string_view::npos;
    };
    return !host.empty() && host.size() <= longestName
        && std::all_of(host.begin(), host.end(), fits);
}

} // namespace lockboard::redis::shape
