// SPDX-License-Identifier: MIT
#include "engine/redis/wire/reply.h"
#include "tests/redis/shown.h"
#include "tests/support/proxy.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QRegularExpression>
#include <QTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! An acquire that waits, and when it was granted.
class Waiter final {
public:
    Waiter(const RedisModule& module, const char* key, const char* owner)
    {
        AcquireOptions options;
        options.ownedBy(owner).expiringIn(60s).waiting(Duration(30s));
        letRun(run(module->acquire(key, options), m_state));
    }
    [[nodiscard]] bool isDone() const { return m_state->done; }
    [[nodiscard]] TimePoint at() const { return m_state->at; }

private:
    struct State {
        bool done = false;
        TimePoint at;
    };
    static Task<> run(Task<Grant> call, std::shared_ptr<State> state)
    {
        try {
            co_await call;
            state->at = std::chrono::steady_clock::now();
            state->done = true;
        } catch (const LockError&) {
        }
    }
    std::shared_ptr<State> m_state = std::make_shared<State>();
};

class RedisPushTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<RedisServer>(); }
    void cleanup() { cli(u"FLUSHALL"_s); }

    void wakesAWaiterOnForeignRelease();
    void wakesAWaiterBehindALockOfThisProcess();
    void stopsAJobWhoseLockIsTaken();
    void servesManyWaitersWithFewCommands();
    void showsWhatOthersDoWithoutScanning();
    void emptiesTheViewOnFlush();
    void comesBackWhenItsConnectionIsKilled();
    void comesBackFromASilentDeath();
    void pollsWhenTrackingIsRefused();
    void hearsKeyspaceEvents();

private:
    QString cli(const QString& command) const { return m_server->cli(command.split(u' ')); }
    [[nodiscard]] int count(const QString& statistic) const
    {
        const QString info = m_server->cli({u"INFO"_s, u"all"_s});
        return info.section(statistic, 1, 1).section(QRegularExpression(u"[^0-9]"_s), 0, 0).toInt();
    }
    //! Connections that hear of changes: they track, or have subscribed.
    [[nodiscard]] int subscribers() const
    {
        return cli(u"CLIENT LIST"_s).count(QRegularExpression(u" flags=[A-Za-z]*[tP]"_s));
    }
    //! Until the view has looked at everything after push began.
    void settle(const Shown& shown) const
    {
        QTRY_VERIFY(shown.isLive);
        QTRY_COMPARE(subscribers(), 1);
        int before = -1;
        for (int now = scans(); now != before; now = scans()) {
            before = now;
            QTest::qWait(300);
        }
    }
    [[nodiscard]] int scans() const { return count(u"cmdstat_scan:calls="_s); }

    // Whoever polls with these comes too late for every case.
    const QString m_slow = u", \"defaultRetryInterval\": 20000, \"maximumRetryInterval\": 20000"_s;
    std::unique_ptr<RedisServer> m_server;
};

void RedisPushTest::wakesAWaiterOnForeignRelease()
{
    const RedisModule module(*m_server, m_slow);
    cli(u"SET medusa_lock:a medusa"_s);
    cli(u"SET medusa_lock:b medusa PX 60000"_s);
    const Waiter a(module, "a", "ann");
    const Waiter b(module, "b", "bob");
    QTRY_COMPARE(subscribers(), 1);
    QTest::qWait(100);
    for (const auto& [key, waiter] : {std::pair(u"a"_s, &a), std::pair(u"b"_s, &b)}) {
        QVERIFY(!waiter->isDone());
        cli(u"DEL medusa_lock:"_s + key);
        const TimePoint freed = std::chrono::steady_clock::now();
        QTRY_VERIFY(waiter->isDone());
        const auto late = waiter->at() - freed;
        QVERIFY2(late < 100ms, qPrintable(QString::number(late / 1ms)));
    }
    QCOMPARE(subscribers(), 1);
}

void RedisPushTest::wakesAWaiterBehindALockOfThisProcess()
{
    const RedisModule module(*m_server, m_slow);
    cli(u"SET medusa_lock:a medusa"_s);
    const Waiter first(module, "a", "ann");
    QTRY_COMPARE(subscribers(), 1);
    cli(u"DEL medusa_lock:a"_s);
    QTRY_VERIFY(first.isDone());
    const Waiter second(module, "a", "bob");
    QTest::qWait(200);
    QVERIFY(!second.isDone());
    cli(u"DEL medusa_lock:a"_s);
    const TimePoint freed = std::chrono::steady_clock::now();
    QTRY_VERIFY(second.isDone());
    const auto late = second.at() - freed;
    QVERIFY2(late < 200ms, qPrintable(QString::number(late / 1ms)));
    QCOMPARE(cli(u"GET medusa_lock:a"_s), u"bob"_s);
}

class Pause final {
public:
    explicit Pause(int ms)
        : m_ms(ms)
    {
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const
    {
        QTimer::singleShot(m_ms, Qt::PreciseTimer, qApp, [waiting] { waiting.resume(); });
    }
    void await_resume() const noexcept { }

private:
    int m_ms;
};

struct Job {
    bool started = false;
    std::optional<TimePoint> stopped;
    std::optional<ErrorCode> error;
};

static Task<void> untilStopped(Job* job, std::stop_token stop)
{
    job->started = true;
    const Pause pause(2);
    for (int i = 0; i < 3000 && !stop.stop_requested(); ++i)
        co_await pause;
    job->stopped = std::chrono::steady_clock::now();
}

static Task<> runUntilStopped(LockingModule* module, Job* job)
{
    LockedJob body = [job](std::stop_token stop, Grant) {
        return untilStopped(job, std::move(stop));
    };
    try {
        co_await module->executeJob("a", std::move(body), ExecuteOptions(), {});
    } catch (const LockError& error) {
        job->error = error.code();
    }
}

void RedisPushTest::stopsAJobWhoseLockIsTaken()
{
    const RedisModule module(*m_server, m_slow);
    const Shown shown(module);
    settle(shown);
    Job job;
    letRun(runUntilStopped(module.operator->(), &job)); // its lease is looked at every 20 s only
    QTRY_VERIFY(job.started);
    QTest::qWait(100);
    QVERIFY(!job.stopped);
    cli(u"SET medusa_lock:a thief"_s);
    const TimePoint taken = std::chrono::steady_clock::now();
    QTRY_VERIFY(job.error);
    QCOMPARE(*job.error, ErrorCode::Lost);
    const auto late = *job.stopped - taken;
    QVERIFY2(late < 200ms, qPrintable(QString::number(late / 1ms)));
    QCOMPARE(cli(u"GET medusa_lock:a"_s), u"thief"_s);
}

static Task<void> shortJob(std::vector<int>* served, int number)
{
    served->push_back(number);
    const Pause pause(5);
    co_await pause;
}

static Task<> runShortJob(LockingModule* module, std::vector<int>* served, int number)
{
    LockedJob body = [served, number](std::stop_token, Grant) { return shortJob(served, number); };
    ExecuteOptions options;
    options.timingOutAfter(Duration(30s));
    co_await module->executeJob("hot", std::move(body), std::move(options), {});
}

void RedisPushTest::servesManyWaitersWithFewCommands()
{
    constexpr int waiters = 50;
    const RedisModule module(*m_server, m_slow);
    await(module->acquire("warm", AcquireOptions().ownedBy("ann")));
    await(module->release("warm", ReleaseOptions().ownedBy("ann")));
    cli(u"SET medusa_lock:hot medusa"_s);
    std::vector<int> served;
    std::vector<int> expected;
    std::vector<Task<>> calls;
    for (int i = 0; i < waiters; ++i) {
        expected.push_back(i);
        calls.push_back(runShortJob(module.operator->(), &served, i));
    }
    QTRY_COMPARE(subscribers(), 1);
    QTest::qWait(100);
    const int before = count(u"total_commands_processed:"_s);
    QElapsedTimer took;
    took.start();
    cli(u"DEL medusa_lock:hot"_s);
    for (Task<>& call : calls)
        await(std::move(call)); // no QTRY: between two looks it sleeps
    const qint64 elapsed = took.elapsed();
    QCOMPARE(served, expected);
    const double each = double(count(u"total_commands_processed:"_s) - before) / waiters;
    qInfo("%.2f commands a job, %lld ms for 50 jobs of 5 ms", each, elapsed);
    QVERIFY2(each <= 5.5, qPrintable(QString::number(each)));
    QVERIFY2(elapsed < 1500, qPrintable(QString::number(elapsed)));
}

void RedisPushTest::showsWhatOthersDoWithoutScanning()
{
    cli(u"SET medusa_lock:old ann"_s);
    const RedisModule module(*m_server);
    Shown shown(module);
    settle(shown);
    const int before = scans();
    const auto soon = [](const auto& holds) {
        QElapsedTimer took;
        took.start();
        while (!holds() && took.elapsed() < 200)
            QTest::qWait(1);
        return holds();
    };
    cli(u"SET medusa_lock:a ann PX 60000"_s);
    QVERIFY(soon([&] { return shown.locks.contains("a"); }));
    QCOMPARE(shown.locks["a"].owner, Owner("ann"));
    cli(u"PEXPIRE medusa_lock:a 90000"_s);
    const TimePoint extended = std::chrono::steady_clock::now() + 80s;
    QVERIFY(soon([&] { return shown.locks["a"].leaseEnd > extended; }));
    cli(u"SET medusa_lock:a bob"_s);
    QVERIFY(soon([&] { return shown.locks["a"].owner == Owner("bob"); }));
    cli(u"DEL medusa_lock:a"_s);
    QVERIFY(soon([&] { return !shown.locks.contains("a"); }));
    cli(u"SET other_lock:x ann"_s);
    QTest::qWait(1500); // polling would look in it
    QCOMPARE(shown.locks.size(), 1u);
    QCOMPARE(scans(), before);
}

void RedisPushTest::emptiesTheViewOnFlush()
{
    cli(u"SET medusa_lock:a ann"_s);
    cli(u"SET medusa_lock:b ann"_s);
    const RedisModule module(*m_server, m_slow);
    const Shown shown(module);
    settle(shown);
    QCOMPARE(shown.locks.size(), 2u);
    const Waiter waiter(module, "a", "bob");
    QTest::qWait(50);
    QVERIFY(!waiter.isDone());
    QElapsedTimer took;
    took.start();
    cli(u"FLUSHALL"_s);
    QTRY_VERIFY(waiter.isDone() && shown.locks.size() == 1 && shown.locks.contains("a"));
    QVERIFY2(took.elapsed() < 500, qPrintable(QString::number(took.elapsed())));
}

void RedisPushTest::comesBackWhenItsConnectionIsKilled()
{
    const RedisModule module(*m_server);
    const Shown shown(module);
    settle(shown);
    const QRegularExpression tracking(u"id=([0-9]+) [^\n]* flags=[A-Za-z]*t"_s);
    cli(u"CLIENT KILL ID "_s + tracking.match(cli(u"CLIENT LIST"_s)).captured(1));
    cli(u"SET medusa_lock:meanwhile ann"_s);
    settle(shown);
    QVERIFY(shown.locks.contains("meanwhile"));
    const int before = scans();
    cli(u"SET medusa_lock:after ann"_s);
    QTRY_VERIFY_WITH_TIMEOUT(shown.locks.contains("after"), 500);
    QCOMPARE(scans(), before);
}

void RedisPushTest::comesBackFromASilentDeath()
{
    Proxy proxy(m_server->port());
    const RedisModule module(u"\"redisUrl\": \"redis://127.0.0.1:%1\""_s.arg(proxy.port()));
    const Shown shown(module);
    settle(shown);
    proxy.swallowsPushes = true; // nobody is told that the connection is dead
    cli(u"SET medusa_lock:unheard ann"_s);
    QTest::qWait(300);
    QVERIFY(!shown.locks.contains("unheard"));
    QTRY_VERIFY_WITH_TIMEOUT(proxy.swallowed > 0, 5000);
    proxy.swallowsPushes = false; // for connections to come; the dead one stays dead
    QTRY_VERIFY_WITH_TIMEOUT(shown.locks.contains("unheard"), 15'000);
    const int before = scans();
    cli(u"SET medusa_lock:after ann"_s);
    QTRY_VERIFY_WITH_TIMEOUT(shown.locks.contains("after"), 500);
    QCOMPARE(scans(), before);
}

static bool says(const RedisModule& module, const std::string& start, const std::string& part)
{
    for (const Finding& finding : await(module->check()).findings) {
        if (finding.sentence.starts_with(start))
            return finding.sentence.find(part) != std::string::npos;
    }
    return false;
}

void RedisPushTest::pollsWhenTrackingIsRefused()
{
    {
        const RedisModule free(*m_server);
        QVERIFY(says(free, "live mode: ", "push (RESP"));
    }
    QTRY_COMPARE(subscribers(), 0);
    m_server->cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"on"_s, u">pw"_s, u"~medusa_lock:*"_s,
                   u"+@all"_s, u"-client|tracking"_s});
    const RedisModule module(
        u"\"redisUrl\": \"redis://ann:pw@127.0.0.1:%1\""_s.arg(m_server->port()));
    QVERIFY(says(module, "live mode: ", "polling: the server refuses client tracking (NOPERM"));
    QVERIFY(says(module, "live mode: ", "it sends no keyspace events."));
    QCOMPARE(subscribers(), 0);
    const Shown shown(module);
    QTRY_VERIFY(shown.isLive);
    cli(u"SET medusa_lock:a medusa"_s);
    QTRY_VERIFY(shown.locks.contains("a"));
    const Waiter waiter(module, "a", "ann");
    QTest::qWait(100);
    cli(u"DEL medusa_lock:a"_s);
    QTRY_VERIFY(waiter.isDone());
    m_server->cli({u"ACL"_s, u"SETUSER"_s, u"bob"_s, u"on"_s, u">pw"_s, u"~medusa_lock:*"_s,
                   u"+@all"_s, u"resetchannels"_s});
    const RedisModule mute(
        u"\"redisUrl\": \"redis://bob:pw@127.0.0.1:%1\""_s.arg(m_server->port()));
    QVERIFY(says(mute, "live mode: ",
                 redis::Reply::canBePush() // needs no channel
                     ? "push (RESP3)"
                     : "polling: the server refuses client tracking (NOPERM"));
}

void RedisPushTest::hearsKeyspaceEvents()
{
    const RedisServer server({u"--notify-keyspace-events"_s, u"Kg$x"_s});
    server.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"on"_s, u">pw"_s, u"~*"_s, u"&*"_s, u"+@all"_s,
                u"-client|tracking"_s});
    const RedisModule module(
        u"\"redisUrl\": \"redis://ann:pw@127.0.0.1:%1/3\", \"namespace\": \"a[b*\""_s.arg(
            server.port())
        + m_slow);
    QVERIFY(says(module, "live mode: ", "push (keyspace events)"));
    const auto cli = [&server](const QStringList& words) {
        return server.cli(QStringList{u"-n"_s, u"3"_s} + words);
    };
    cli({u"SET"_s, u"a[b*x"_s, u"medusa"_s});
    const Shown shown(module);
    QTRY_VERIFY(shown.isLive && shown.locks.contains("x"));
    const Waiter waiter(module, "x", "ann");
    QTest::qWait(300);
    QVERIFY(!waiter.isDone());
    cli({u"SET"_s, u"a[b*y"_s, u"medusa"_s, u"PX"_s, u"60000"_s});
    QTRY_VERIFY_WITH_TIMEOUT(shown.locks.contains("y"), 500);
    cli({u"DEL"_s, u"a[b*x"_s});
    QTRY_VERIFY_WITH_TIMEOUT(waiter.isDone(), 500);
    QTRY_VERIFY_WITH_TIMEOUT(shown.locks.at("x").owner == Owner("ann"), 500);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisPushTest)
#include "redis_push_test.moc"
