// SPDX-License-Identifier: MIT
#include "engine/redis/redis_client.h"

namespace lockboard {

static RedisCommand commandOf(const RedisEval& eval, bool bySource, const std::string& keyCount)
{
    RedisCommand command(bySource ? "EVAL" : "EVALSHA");
    command << (bySource ? eval.script->source : eval.script->sha1) << keyCount;
    for (const std::string& key : eval.keys)
        command << key;
    for (const std::string& argument : eval.arguments)
        command << argument;
    return command;
}

RedisClient::RedisClient(const RedisEndpoint& endpoint, const Container& container)
    : m_connection(endpoint, container)
{
    connect(&m_connection, &RedisConnection::ready, this, &RedisClient::ready);
    connect(&m_connection, &RedisConnection::unavailable, this, &RedisClient::unavailable);
    connect(&m_connection, &RedisConnection::replaced, this, &RedisClient::replaced);
}

void RedisClient::open()
{
    m_connection.open();
}

void RedisClient::close()
{
    m_connection.close();
}

bool RedisClient::isReady() const
{
    return m_connection.isReady();
}

std::exception_ptr RedisClient::problem() const
{
    return m_connection.problem();
}

RedisConnection& RedisClient::connectionFor(std::string_view)
{
    return m_connection;
}

std::vector<RedisConnection*> RedisClient::masters()
{
    return {&m_connection};
}

Task<RedisAnswer> RedisClient::eval(RedisEval eval)
{
    const std::string keyCount = std::to_string(eval.keys.size());
    {
        RedisCall call(m_connection, commandOf(eval, false, keyCount), RedisEffect::Mutates);
        RedisReply reply = co_await call.answer();
        if (!reply.isError("NOSCRIPT")) {
            call.check(reply);
            co_return RedisAnswer(std::move(reply), call.sentAt());
        }
    }
    RedisCall call(m_connection, commandOf(eval, true, keyCount), RedisEffect::Mutates);
    RedisReply reply = co_await call.answer();
    call.check(reply);
    co_return RedisAnswer(std::move(reply), call.sentAt());
}

Task<RedisAnswers> RedisClient::ask(std::vector<std::string> keys, std::string_view question,
                                    std::string_view another)
{
    RedisAnswers answers;
    RedisCalls calls(m_connection, RedisEffect::Reads);
    for (const std::string& key : keys) {
        calls.send(RedisCommand(question) << key);
        if (!another.empty())
            calls.send(RedisCommand(another) << key);
    }
    answers.replies = co_await calls.answers();
    answers.sentAt = calls.sentAt();
    for (const RedisReply& reply : answers.replies) {
        if (!reply.isError("WRONGTYPE"))
            calls.check(reply);
    }
    co_return answers;
}

} // namespace lockboard
