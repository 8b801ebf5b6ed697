// SPDX-License-Identifier: MIT
#include "engine/redis/wire/call.h"

#include "engine/contract/errors.h"
#include "engine/redis/wire/connection.h"
#include "engine/redis/wire/error.h"

#include <algorithm>
#include <charconv>

namespace lockboard::redis {

//! "$5", say, and the end of its line.
static char* writeHeader(char* to, char kind, std::size_t number)
{
    *to++ = kind;
    to = std::to_chars(to, to + 20, number).ptr;
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

void Command::writeTo(std::string& out) const
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

Pending::Pending(Connection& connection, Effect effect)
    : m_connection(connection)
    , m_alive(&connection)
    , m_effect(effect)
{
}

Pending::~Pending()
{
    if (m_due > 0)
        m_connection.forget(*this);
}

void Pending::check(const Reply& reply) const
{
    if (reply.isError())
        std::rethrow_exception(lockErrorOf(server(), reply.text()));
}

std::string Pending::server() const
{
    return m_alive ? m_connection.endpoint().name() : "a node that has left the cluster";
}

void Pending::refuse(const Reply& reply, const std::string& command) const
{
    check(reply);
    const std::string sentence = "Redis at " + server() + " answered " + command + " with "
        + reply.description() + ", which is no answer to that";
    const bool mutates = m_effect == Effect::Mutates;
    if (m_alive)
        m_connection.distrust(sentence);
    if (mutates)
        throw OutcomeUnknown(sentence + "; whether it took effect is not known.");
    throw Unavailable(sentence + '.');
}

//! However little of the budget is left, an owner of the usual length is read.
Decoder::Limits Pending::nextLimits() const
{
    constexpr std::size_t least = 256;
    return {std::min(m_limits.text, std::max(m_budget, least)), m_limits.bytes};
}

Call::Call(Connection& connection, const Command& command, Effect effect,
           const Decoder::Limits& limits)
    : Pending(connection, effect)
{
    m_limits = limits;
    m_connection.send(*this, command);
}

Reply Call::Awaiter::await_resume()
{
    if (m_call->m_error)
        std::rethrow_exception(m_call->m_error);
    return std::move(m_call->m_reply);
}

void Calls::send(const Command& command)
{
    m_connection.send(*this, command);
}

std::vector<Reply> Calls::Awaiter::await_resume()
{
    if (m_calls->m_error)
        std::rethrow_exception(m_calls->m_error);
    return std::move(m_calls->m_list);
}

} // namespace lockboard::redis
