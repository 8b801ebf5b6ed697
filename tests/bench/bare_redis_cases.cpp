// SPDX-License-Identifier: MIT
// What the provider adds to Redis itself: beside redis-benchmark, and beside loops over hiredis
// that do nothing but the same commands.
#include "tests/bench/bench.h"

#include "engine/redis/wire/script.h"
#include "tests/bench/loops.h"

#include <hiredis/hiredis.h>

#include <cstring>

namespace lockboard::bench {

using namespace std::chrono_literals;

namespace {

constexpr int manyLocks = 1'000'000;

//! A test that the cases run at all has no time for a million.
int lockCountIn(Duration length)
{
    return length < 100ms ? manyLocks / 100 : manyLocks;
}

//! A blocking connection of hiredis.
class Bare final {
public:
    explicit Bare(const test::RedisServer& server)
        : m_context(redisConnect("127.0.0.1", server.port()))
    {
        if (!m_context || m_context->err)
            throw std::runtime_error("hiredis can't connect");
    }
    ~Bare() { redisFree(m_context); }
    Bare(const Bare&) = delete;
    Bare& operator=(const Bare&) = delete;

    template <typename... Args> void append(const char* format, Args... args)
    {
        redisAppendCommand(m_context, format, args...);
    }
    using Reply = std::unique_ptr<redisReply, void (*)(void*)>;
    Reply next()
    {
        void* reply = nullptr;
        if (redisGetReply(m_context, &reply) != REDIS_OK)
            throw std::runtime_error("hiredis lost its server");
        return Reply(static_cast<redisReply*>(reply), freeReplyObject);
    }

private:
    redisContext* m_context;
};

//! The same two commands one after the other, nothing else.
double barePairs(const test::RedisServer& server, Duration length)
{
    Bare redis(server);
    const redis::Script release("release.lua");
    redis.append("SCRIPT LOAD %b", release.source.data(), release.source.size());
    redis.next();
    const Budget budget(length);
    std::uint64_t count = 0;
    for (; !budget.isSpent(); ++count) {
        redis.append("SET medusa_lock:prod_0 user_123 NX PX 60000");
        redis.next();
        redis.append("EVALSHA %s 1 medusa_lock:prod_0 user_123 1", release.sha1.c_str());
        redis.next();
    }
    return budget.perSecond(count);
}

double requestsPerSecond(const test::RedisServer& server, int depth, const QStringList& command)
{
    QProcess benchmark;
    benchmark.start(QStringLiteral("redis-benchmark"),
                    QStringList{QStringLiteral("-p"), QString::number(server.port()),
                                QStringLiteral("-c"), QStringLiteral("1"), QStringLiteral("-P"),
                                QString::number(depth), QStringLiteral("-n"),
                                QStringLiteral("100000"), QStringLiteral("-r"),
                                QString::number(depth), QStringLiteral("--csv")}
                        + command);
    benchmark.waitForFinished(-1);
    // "name","rps",...
    const QByteArray line = benchmark.readAllStandardOutput().trimmed().split('\n').last();
    return line.split(',').value(1).replace('"', "").toDouble();
}

//! redis-benchmark runs one command at a time: that many of each, as pairs.
double benchmarkPairs(const test::RedisServer& server, int depth)
{
    const redis::Script release("release.lua");
    server.cli({QStringLiteral("-x"), QStringLiteral("SCRIPT"), QStringLiteral("LOAD")},
               QByteArray::fromStdString(release.source));
    const QString key = QStringLiteral("medusa_lock:prod___rand_int__");
    const double taken =
        requestsPerSecond(server, depth,
                          {QStringLiteral("SET"), key, QStringLiteral("user_123"),
                           QStringLiteral("NX"), QStringLiteral("PX"), QStringLiteral("60000")});
    const double released = requestsPerSecond(
        server, depth,
        {QStringLiteral("EVALSHA"), QString::fromStdString(release.sha1), QStringLiteral("1"), key,
         QStringLiteral("user_123"), QStringLiteral("1")});
    return 1 / (1 / taken + 1 / released);
}

void fill(const test::RedisServer& server, int locks)
{
    if (server.cli({QStringLiteral("DBSIZE")}).toInt() == locks)
        return;
    server.cli({QStringLiteral("FLUSHALL")});
    for (int i = 0; i < 10; ++i) {
        server.cli(
            {QStringLiteral("EVAL"),
             QStringLiteral("for i = ARGV[1], ARGV[2] do redis.call('SET', "
                            "'medusa_lock:cart_' .. i, 'owner_' .. i % 10, 'EX', 36000) end"),
             QStringLiteral("0"), QString::number(i * locks / 10 + 1),
             QString::number((i + 1) * locks / 10)});
    }
}

//! Seconds until all locks are in a vector, or the first of them: by SCAN, GET and PTTL in pages of
//! 1,000.
double bareList(const test::RedisServer& server, int count, bool firstPageOnly)
{
    fill(server, count);
    Bare redis(server);
    std::vector<Lock> locks;
    std::string cursor = "0";
    const auto start = std::chrono::steady_clock::now();
    do {
        redis.append("SCAN %s MATCH medusa_lock:* COUNT 1000", cursor.c_str());
        const auto page = redis.next();
        cursor = page->element[0]->str;
        const redisReply* const keys = page->element[1];
        for (std::size_t i = 0; i < keys->elements; ++i) {
            redis.append("GET %b", keys->element[i]->str, keys->element[i]->len);
            redis.append("PTTL %b", keys->element[i]->str, keys->element[i]->len);
        }
        for (std::size_t i = 0; i < keys->elements; ++i) {
            const auto value = redis.next();
            const auto left = redis.next();
            locks.emplace_back(std::string(keys->element[i]->str, keys->element[i]->len),
                               std::string(value->str, value->len),
                               start + std::chrono::milliseconds(left->integer));
        }
    } while (cursor != "0" && !firstPageOnly);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

void addBareRedisCases(std::vector<Case>& cases, const ServerSource& server)
{
    const auto paired = [server](int depth) {
        return [server, depth](Duration length) {
            server().cli({QStringLiteral("FLUSHALL")});
            return pairsPerSecond(server().url(), depth, length);
        };
    };
    cases.push_back({"redis-beside-redis-benchmark-64", "pairs/s", paired(64), 0,
                     [server](Duration) { return benchmarkPairs(server(), 64); }});
    cases.push_back({"redis-beside-hiredis-1", "pairs/s", paired(1), 0,
                     [server](Duration length) { return barePairs(server(), length); }});
    for (const bool first : {false, true}) {
        cases.push_back(
            {first ? "redis-list-1m-first-page" : "redis-list-1m", "s",
             [=](Duration length) {
                 fill(server(), lockCountIn(length));
                 return secondsToList(server().url(), lockCountIn(length), first);
             },
             3, [=](Duration length) { return bareList(server(), lockCountIn(length), first); }});
    }
}

} // namespace lockboard::bench
