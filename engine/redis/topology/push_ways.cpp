// SPDX-License-Identifier: MIT
#include "engine/redis/topology/push.h"

// How a server is asked to tell of changes.

namespace lockboard::redis {

static std::string refused(const char* what, const Reply& reply)
{
    return std::string("the server refuses ") + what + " (" + printableStart(reply.text()) + ')';
}

//! What it answers to a request that has nothing to tell but that it is done.
static std::string refusedUnlessOk(const char* what, const Reply& reply)
{
    if (reply.isError())
        return refused(what, reply);
    if (reply.isStatus("OK"))
        return {};
    return std::string("the server's answer about ") + what + " is " + reply.description();
}

Task<std::string> Push::askForPush()
{
    {
        Call call(*m_connection, Command("HELLO") << "3", Effect::Reads);
        const Reply reply = co_await call.answer();
        if (reply.isError())
            co_return refused("RESP3", reply);
    }
    Command command("CLIENT");
    command << "TRACKING"
            << "ON"
            << "BCAST"
            << "PREFIX" << m_prefix;
    Call call(*m_connection, command, Effect::Reads);
    const Reply reply = co_await call.answer();
    co_return refusedUnlessOk("client tracking", reply);
}

Task<std::string> Push::askForRedirection()
{
    std::string id;
    {
        Call call(*m_connection, Command("CLIENT") << "ID", Effect::Reads);
        const Reply reply = co_await call.answer();
        if (!reply.isInteger())
            co_return refusedUnlessOk("client tracking", reply);
        id = std::to_string(reply.integer());
    }
    {
        // Before SUBSCRIBE: a connection that subscribes may not ask for it any more.
        Command command("CLIENT");
        command << "TRACKING"
                << "ON"
                << "REDIRECT" << id << "BCAST"
                << "PREFIX" << m_prefix;
        Call call(*m_connection, command, Effect::Reads);
        const Reply reply = co_await call.answer();
        const std::string refusal = refusedUnlessOk("client tracking", reply);
        if (!refusal.empty())
            co_return refusal;
    }
    Call call(*m_connection, Command("SUBSCRIBE") << redirectionChannel, Effect::Reads);
    const Reply reply = co_await call.answer();
    co_return reply.at(0).text() == "subscribe" ? std::string()
                                                : refusedUnlessOk("client tracking", reply);
}

Task<std::string> Push::askForEvents()
{
    {
        Command command("CONFIG");
        command << "GET"
                << "notify-keyspace-events";
        Call call(*m_connection, command, Effect::Reads);
        const Reply reply = co_await call.answer();
        if (reply.isError())
            co_return refused("to say whether it sends keyspace events", reply);
        // To turn them on is the administrator's business.
        const std::string_view flags = reply.at(1).text();
        const auto sends = [flags](char kind) { return flags.find(kind) != flags.npos; };
        if (!sends('K') || !(sends('A') || (sends('g') && sends('$') && sends('x'))))
            co_return "it sends no keyspace events";
    }
    const std::string pattern = m_eventPrefix + escapedForGlob(m_prefix) + '*';
    Call call(*m_connection, Command("PSUBSCRIBE") << pattern, Effect::Reads);
    const Reply reply = co_await call.answer();
    co_return reply.at(0).text() == "psubscribe" ? std::string()
                                                 : refusedUnlessOk("keyspace events", reply);
}

} // namespace lockboard::redis
