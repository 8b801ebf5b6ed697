// SPDX-License-Identifier: MIT
#include "engine/redis/redis_client.h"

#include "engine/redis/redis_error.h"

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

Task<RedisAnswer> RedisClient::eval(RedisEval eval)
{
    const std::string keyCount = std::to_string(eval.keys.size());
    {
        RedisCall call(m_connection, commandOf(eval, false, keyCount), RedisEffect::Mutates);
        RedisReply reply = co_await call.answer();
        if (!reply.isError("NOSCRIPT")) {
            check(reply);
            co_return RedisAnswer(std::move(reply), call.sentAt());
        }
    }
    RedisCall call(m_connection, commandOf(eval, true, keyCount), RedisEffect::Mutates);
    RedisReply reply = co_await call.answer();
    check(reply);
    co_return RedisAnswer(std::move(reply), call.sentAt());
}

void RedisClient::check(const RedisReply& reply) const
{
    if (reply.isError())
        std::rethrow_exception(redisError(m_connection.endpoint().name(), reply.text()));
}

} // namespace lockboard
