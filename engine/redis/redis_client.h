// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/redis_connection.h"
#include "engine/redis/redis_script.h"
#include "engine/task.h"

namespace lockboard {

//! A script with its keys and arguments.
class RedisEval final {
public:
    explicit RedisEval(const RedisScript& s)
        : script(&s)
    {
    }
    void addKey(std::string key) { keys.push_back(std::move(key)); }
    void addArgument(std::string argument) { arguments.push_back(std::move(argument)); }

    const RedisScript* script;
    QVarLengthArray<std::string, 1> keys;
    QVarLengthArray<std::string, 4> arguments;
};

//! An answer, and when the question was written to the socket.
class RedisAnswer final {
public:
    RedisAnswer() = default;
    RedisAnswer(RedisReply r, TimePoint sent)
        : reply(std::move(r))
        , sentAt(sent)
    {
    }

    RedisReply reply;
    TimePoint sentAt;
};

//! What the provider and its views say to one server. The door for what is more than one
//! connection: Sentinel, Cluster, a connection for push.
class RedisClient final {
public:
    RedisClient(const RedisEndpoint& endpoint, const Container& container)
        : m_connection(endpoint, container)
    {
    }

    [[nodiscard]] RedisConnection& connection() { return m_connection; }

    //! Runs a script that mutates, once: by its hash; only if the server says that it does not know
    //! it, and so has done nothing, by its source. Never gives an error reply.
    //! \throws as RedisCall, and what check() throws
    Task<RedisAnswer> eval(RedisEval eval);
    //! \throws Denied, Unavailable if the server answered with an error
    void check(const RedisReply& reply) const;

private:
    RedisConnection m_connection;
};

} // namespace lockboard
