// SPDX-License-Identifier: MIT
// One key that everybody wants: jobs of 5 ms, each waiter in line again as soon as it had its turn.
#include "engine/module/built_in_kinds.h"
#include "tests/bench/bench.h"

#include "tests/bench/turns.h"
#include "tests/support/await.h"

#include <QCoreApplication>

#include <cstdio>

namespace lockboard::bench {

namespace {

Turns turnsOfProcesses(const QString& url, int processes, int waiters, int jobs)
{
    std::vector<std::unique_ptr<QProcess>> workers;
    for (int i = 0; i < processes; ++i) {
        workers.push_back(std::make_unique<QProcess>());
        workers.back()->start(QCoreApplication::applicationFilePath(),
                              {QStringLiteral("--hot-key-worker"), url,
                               QString::number(waiters / processes),
                               QString::number(jobs / processes)});
    }
    Turns turns;
    for (const auto& worker : workers) {
        worker->waitForFinished(-1);
        const QList<QByteArray> lines = worker->readAllStandardOutput().trimmed().split('\n');
        for (const QByteArray& line : lines) {
            const QList<QByteArray> numbers = line.split(' ');
            Turn turn;
            turn.queued = numbers.value(0).toDouble();
            turn.began = numbers.value(1).toDouble();
            turn.ended = numbers.value(2).toDouble();
            turns.push_back(turn);
        }
    }
    return turns;
}

double commandsSoFar(const test::RedisServer& server)
{
    const QString stats = server.cli({QStringLiteral("INFO"), QStringLiteral("stats")});
    return stats.section(QStringLiteral("total_commands_processed:"), 1)
        .section(u'\r', 0, 0)
        .toDouble();
}

HotKey run(test::RedisServer& server, int processes, int waiters, int jobs)
{
    server.cli({QStringLiteral("FLUSHALL")});
    const double before = commandsSoFar(server);
    Turns turns = processes == 1 ? turnsOfProcess(server.url(), waiters, jobs)
                                 : turnsOfProcesses(server.url(), processes, waiters, jobs);
    return HotKey(std::move(turns), waiters, commandsSoFar(server) - before);
}

//! From the end of a lease that a killed holder left to the grant of who waits, in ms; beside so
//! many other keys with a lease that Redis itself doesn't come round to this one's.
double takeover(test::RedisServer& server)
{
    server.cli({QStringLiteral("FLUSHALL")});
    server.cli({QStringLiteral("EVAL"),
                QStringLiteral("for i = 1, 200000 do redis.call('SET', 'other_' .. i, 1, 'PX', "
                               "600000 + i) end"),
                QStringLiteral("0")});
    SystemClock clock;
    LockingModule locks(Config::connectTo(server.url().toStdString(), builtInKinds()),
                        Container(clock, [](LogLevel, const std::string&) {}));
    test::await(locks.release("prod_123"));
    const double before = nowMs();
    server.cli({QStringLiteral("SET"), QStringLiteral("medusa_lock:prod_123"),
                QStringLiteral("killed"), QStringLiteral("PX"), QStringLiteral("700")});
    test::await(locks.acquire("prod_123", AcquireOptions().ownedBy("user_123").waiting()));
    return nowMs() - (before + 700); // a few ms of it are redis-cli's
}

} // namespace

int runHotKeyWorker(const QStringList& arguments)
{
    const Turns turns =
        turnsOfProcess(arguments.value(0), arguments.value(1).toInt(), arguments.value(2).toInt());
    for (const Turn& turn : turns)
        std::printf("%.4f %.4f %.4f\n", turn.queued, turn.began, turn.ended);
    return 0;
}

void addHotKeyCases(std::vector<Case>& cases, const ServerSource& server)
{
    const auto add = [&](int processes, int waiters) {
        std::string name = "redis-hot-key-" + std::to_string(waiters);
        if (processes > 1)
            name += "-in-" + std::to_string(processes) + "-processes";
        const auto metric = [&](const char* what, const char* unit, auto of) {
            const auto measure = [=](Duration length) {
                const int jobs = jobsIn(length);
                return of(run(server(), processes, waiters, jobs));
            };
            cases.push_back({name + what, unit, measure, 3});
        };
        metric("-efficiency", "%", [](const HotKey& all) { return all.efficiency(); });
        metric("-p50", "ms", [](const HotKey& all) { return all.handOver(0.5); });
        metric("-p99", "ms", [](const HotKey& all) { return all.handOver(0.99); });
        metric("-longest-wait", "fair-shares", [](const HotKey& all) { return all.longestWait(); });
        metric("-commands", "commands/job", [](const HotKey& all) { return all.commands(); });
    };
    cases.push_back(
        {"redis-takeover-beside-200k", "ms", [server](Duration) { return takeover(server()); }, 3});
    for (const int waiters : {2, 10, 50})
        add(1, waiters);
    add(4, 48);
}

} // namespace lockboard::bench
