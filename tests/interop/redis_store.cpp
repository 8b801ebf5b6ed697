// SPDX-License-Identifier: MIT
#include "tests/interop/redis_store.h"

#include <QCoroTimer>
#include <QRandomGenerator>

namespace lockboard::test {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

RedisStore::RedisStore()
{
    redis::Endpoint endpoint;
    endpoint.port = server.port();
    m_connection = std::make_unique<redis::Connection>(endpoint, Container(m_clock));
    m_connection->open();
}

std::unique_ptr<OneProvider> RedisStore::lockboard(const QString& resolve) const
{
    return std::make_unique<RedisModule>(u"\"redisUrl\": \"%1\""_s.arg(url()), resolve);
}

QString RedisStore::owner(const QString& key)
{
    const QString value = cli(u"GET medusa_lock:"_s + key);
    return value == u"*"_s ? QString() : value;
}

double RedisStore::lease(const QString& key)
{
    return cli(u"PTTL medusa_lock:"_s + key).toInt() / 1000.0;
}

QStringList RedisStore::keys()
{
    QStringList keys = cli(u"KEYS medusa_lock:*"_s).split(u'\n', Qt::SkipEmptyParts);
    keys.replaceInStrings(u"medusa_lock:"_s, QString());
    keys.sort();
    return keys;
}

QStringList RedisStore::trail()
{
    return cli(u"LRANGE trail 0 -1"_s).split(u'\n', Qt::SkipEmptyParts);
}

void RedisStore::leaveTrail(const QString& what)
{
    server.cli({u"RPUSH"_s, u"trail"_s, what});
}

Task<> RedisStore::increment()
{
    const redis::Command get = redis::Command("GET") << "counter";
    redis::Call read(*m_connection, get, redis::Effect::Reads);
    const redis::Reply count = co_await read.answer();
    const std::string next =
        std::to_string(QByteArray::fromStdString(std::string(count.text())).toInt() + 1);
    if (QRandomGenerator::global()->bounded(2) == 1)
        co_await QCoro::sleepFor(1ms);
    redis::Calls write(*m_connection, redis::Effect::Mutates);
    write.send(redis::Command("SET") << "counter" << next);
    write.send(redis::Command("RPUSH") << "trail"
                                       << "ours");
    co_await write.answers();
}

} // namespace lockboard::test
