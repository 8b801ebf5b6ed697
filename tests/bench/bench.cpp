// SPDX-License-Identifier: MIT
// lockboard-bench --list            every case, its unit and its rounds, a line each
// lockboard-bench --once            every case for a moment, and every peer that a case brings;
//                                   fails if one counts nothing
// lockboard-bench                   reads "CASE MILLISECONDS" lines, answers each with a number;
//                                   "peer:CASE" where the case brings its own peer, and
//                                   "redis-url 0" and "postgres-url 0" with those of the run's own
//                                   servers
#include "tests/bench/bench.h"

#include <QCoreApplication>

#include <cstdio>
#include <iostream>

using namespace lockboard;
using namespace lockboard::bench;

static bool countsSomething(const std::string& name, const std::string& unit,
                            const std::function<double(Duration)>& measure)
{
    const double measured = measure(Duration(5));
    std::printf("%s %.4g %s\n", name.c_str(), measured, unit.c_str());
    return measured > 0;
}

static int runOnce(const std::vector<Case>& cases)
{
    for (const Case& one : cases) {
        if (!countsSomething(one.name, one.unit, one.measure)
            || (one.peer && !countsSomething("peer:" + one.name, one.unit, one.peer)))
            return 1;
    }
    return 0;
}

static int serve(const std::vector<Case>& cases, const ServerSource& redis,
                 const PostgresSource& postgres)
{
    std::string name;
    Duration::rep milliseconds = 0;
    while (std::cin >> name >> milliseconds) {
        if (name == "redis-url") {
            std::cout << redis().url().toStdString() << std::endl;
            continue;
        }
        if (name == "postgres-url") {
            std::cout << postgres().url().toStdString() << std::endl;
            continue;
        }
        const bool peer = name.starts_with("peer:");
        const std::string wanted = peer ? name.substr(5) : name;
        const auto found = std::find_if(cases.begin(), cases.end(),
                                        [&](const Case& one) { return one.name == wanted; });
        if (found == cases.end())
            return 64;
        const auto& measure = peer ? found->peer : found->measure;
        std::cout << measure(Duration(milliseconds)) << std::endl;
    }
    return 0;
}

int main(int argc, char** argv)
{
    const QCoreApplication application(argc, argv);
    std::unique_ptr<test::RedisServer> redisServer;
    const ServerSource redis = [&redisServer]() -> test::RedisServer& {
        if (!redisServer)
            redisServer = std::make_unique<test::RedisServer>();
        return *redisServer;
    };
    std::unique_ptr<test::PostgresServer> postgresServer;
    const PostgresSource postgres = [&postgresServer]() -> test::PostgresServer& {
        if (!postgresServer) {
            postgresServer = std::make_unique<test::PostgresServer>();
            postgresServer->createTable();
        }
        return *postgresServer;
    };
    std::vector<Case> cases;
    addMemoryCases(cases);
    addRedisCases(cases, redis);
    addBareRedisCases(cases, redis);
    addHotKeyCases(cases, redis);
    addPostgresCases(cases, postgres);
    addBarePostgresCases(cases, postgres);

    const QStringList arguments = application.arguments().mid(1);
    if (arguments.value(0) == QStringLiteral("--hot-key-worker"))
        return runHotKeyWorker(arguments.mid(1));
    if (arguments.contains(QStringLiteral("--once")))
        return runOnce(cases);
    if (!arguments.contains(QStringLiteral("--list")))
        return serve(cases, redis, postgres);
    for (const Case& one : cases)
        std::printf("%s %s %d %s\n", one.name.c_str(), one.unit.c_str(), one.rounds,
                    one.peer ? "own-peer" : "");
    return 0;
}
