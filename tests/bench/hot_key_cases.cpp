// SPDX-License-Identifier: MIT
// One key that everybody wants: jobs of 5 ms, each waiter in line again as soon as it had its turn.
#include "tests/bench/bench.h"

#include "tests/support/await.h"

#include <QCoreApplication>

#include <algorithm>
#include <cstdio>

namespace lockboard::bench {

using namespace std::chrono_literals;

namespace {

constexpr Duration jobLength = 5ms;
constexpr int jobCount = 200;
constexpr int fewJobs = 50; // if only asked for a moment

double nowMs()
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
}

//! One job, in ms on the machine's monotonic clock.
class Turn final {
public:
    double queued = 0;
    double began = 0;
    double ended = 0;
};
using Turns = std::vector<Turn>;

class Rest final {
public:
    explicit Rest(Clock& clock)
        : m_clock(&clock)
    {
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const
    {
        m_clock->callAfter(jobLength, [waiting] { waiting.resume(); });
    }
    void await_resume() const noexcept { }

private:
    Clock* m_clock;
};

Task<void> job(Clock* clock, Turn* turn)
{
    turn->began = nowMs();
    co_await Rest(*clock);
    turn->ended = nowMs();
}

Task<void> waiter(LockingModule& locks, Clock& clock, int jobs, Turns& turns)
{
    for (int i = 0; i < jobs; ++i) {
        Turn turn;
        turn.queued = nowMs();
        const auto run = [clock = &clock, turn = &turn] { return job(clock, turn); };
        co_await locks.execute("prod_123", run, ExecuteOptions().timingOutAfter(10min));
        turns.push_back(turn);
    }
}

Task<void> contend(LockingModule& locks, Clock& clock, int waiters, int jobs, Turns& turns)
{
    std::vector<Task<void>> all;
    for (int i = 0; i < waiters; ++i)
        all.push_back(waiter(locks, clock, jobs / waiters, turns));
    for (auto& each : all)
        co_await each;
}

Turns turnsOfProcess(const QString& url, int waiters, int jobs)
{
    SystemClock clock;
    LockingModule locks(Config::connectTo(url.toStdString()),
                        Container(clock, [](LogLevel, const std::string&) {}));
    Turns turns;
    test::await(contend(locks, clock, waiters, jobs, turns), 5min);
    return turns;
}

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

//! What is to be known of one run.
class HotKey final {
public:
    HotKey(Turns turns, int waiters, double commands)
        : m_turns(std::move(turns))
        , m_waiters(waiters)
        , m_commands(commands)
    {
        std::sort(m_turns.begin(), m_turns.end(),
                  [](const Turn& a, const Turn& b) { return a.began < b.began; });
        for (std::size_t i = 1; i < m_turns.size(); ++i) {
            if (m_turns[i].began < m_turns[i - 1].ended)
                throw std::runtime_error("two jobs ran at the same time");
            // Who came later did not wait for this hand-over.
            if (m_turns[i].queued < m_turns[i - 1].ended)
                m_handOvers.push_back(m_turns[i].began - m_turns[i - 1].ended);
        }
        std::sort(m_handOvers.begin(), m_handOvers.end());
    }

    //! The share of the time that jobs ran, in percent.
    [[nodiscard]] double efficiency() const
    {
        const double all = m_turns.back().ended - m_turns.front().began;
        double running = 0; // a timer of 5 ms takes a little longer
        for (const Turn& turn : m_turns)
            running += turn.ended - turn.began;
        return 100 * running / all;
    }
    //! From the end of a job to the beginning of the next.
    [[nodiscard]] double handOver(double quantile) const
    {
        return m_handOvers[static_cast<std::size_t>(quantile
                                                    * static_cast<double>(m_handOvers.size() - 1))];
    }
    //! The longest wait, where 1 is a turn of everybody else's.
    [[nodiscard]] double longestWait() const
    {
        double longest = 0;
        for (const Turn& turn : m_turns)
            longest = std::max(longest, turn.began - turn.queued);
        return longest / (m_waiters * double(jobLength.count()));
    }
    //! That the server ran for each job, those inside scripts counted too.
    [[nodiscard]] double commands() const
    {
        return m_commands / static_cast<double>(m_turns.size());
    }

private:
    Turns m_turns;
    int m_waiters;
    double m_commands;
    std::vector<double> m_handOvers;
};

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
    LockingModule locks(Config::connectTo(server.url().toStdString()),
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
                const int jobs = length < 100ms ? fewJobs : jobCount;
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
