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

//! Answers to questions about keys, and when the first question was written to its socket.
class RedisAnswers final {
public:
    RedisAnswers() = default;

    std::vector<RedisReply> replies; //!< key by key
    TimePoint sentAt;
};

//! What the provider and its views say to Redis, whatever that consists of: the one place that
//! knows which servers there are and which of them keeps a key.
class RedisClient final : public QObject {
    Q_OBJECT

public:
    RedisClient(const RedisEndpoint& endpoint, const Container& container);

    //! Starts to connect; returns at once.
    void open();
    //! For good. What is under way ends with Cancelled before this returns.
    void close();

    //! Every server that keeps locks is connected.
    [[nodiscard]] bool isReady() const;
    //! Why it is not ready, if an attempt has shown that: Unavailable or Denied.
    [[nodiscard]] std::exception_ptr problem() const;
    //! To the server that keeps this key, as Redis knows it.
    [[nodiscard]] RedisConnection& connectionFor(std::string_view key);
    //! To those that keep locks.
    [[nodiscard]] std::vector<RedisConnection*> masters();

    //! Runs a script that mutates, once: by its hash; only if the server says that it does not know
    //! it, and so has done nothing, by its source. Never gives an error reply.
    //! \throws as RedisCall, and what its check() throws
    Task<RedisAnswer> eval(RedisEval eval);
    //! Sends one or two commands, such as GET, with each of the keys and nothing else, all in one
    //! go. No answer is an error other than WRONGTYPE. \throws as RedisCall, and what its check()
    //! throws
    Task<RedisAnswers> ask(std::vector<std::string> keys, std::string_view question,
                           std::string_view another = {});

Q_SIGNALS:
    void ready();
    //! An attempt to connect failed, or a connection was lost; problem() says why.
    void unavailable();
    //! Before ready: as RedisConnection says it of one of the servers.
    void replaced(const std::string& how);

private:
    RedisConnection m_connection;
};

} // namespace lockboard
