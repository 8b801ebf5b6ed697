// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"
#include "tests/support/proxy.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

using Fault = Proxy::Fault;

//! A server that stops or dies, and lines that fall silent or speak nonsense. (Lines that die:
//! redis_outcome_test; servers that start anew: redis_restart_test; nobody there, no Redis there:
//! redis_connection_test.)
class RedisFailuresTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aHalfOpenSocket_data();
    void aHalfOpenSocket();
    void aReplyThatIsNotResp();
    void stoppedForLongerThanTheLease();
    void killedWhileOthersWait();
    void releaseAllIsCutShort_data();
    void releaseAllIsCutShort();
};

static const QString impatient =
    u", \"redisOptions\": {\"connectTimeout\": 500, \"commandTimeout\": 500}"_s;

static QString urlOf(quint16 port)
{
    return u"\"redisUrl\": \"redis://127.0.0.1:%1\""_s.arg(port);
}

static AcquireOptions mine(std::optional<Duration> lease = {})
{
    return AcquireOptions().ownedBy("me").expiringIn(lease);
}

//! Runs until it is told that the lock is lost, or to end.
class Job final {
public:
    [[nodiscard]] auto callable()
    {
        return [this](std::stop_token lost) { return run(this, std::move(lost)); };
    }
    bool started = false;
    bool mayEnd = false;
    bool wasStopped = false;

private:
    static Task<void> run(Job* job, std::stop_token lost)
    {
        job->started = true;
        while (!lost.stop_requested() && !job->mayEnd)
            co_await ResumeOn(qApp);
        job->wasStopped = lost.stop_requested();
    }
};

void RedisFailuresTest::aHalfOpenSocket_data()
{
    QTest::addColumn<QByteArray>("trigger");
    QTest::newRow("one key") << QByteArray("SET\r\n");
    QTest::newRow("several") << QByteArray("EVALSHA");
}

void RedisFailuresTest::aHalfOpenSocket()
{
    QFETCH(const QByteArray, trigger);
    RedisServer server;
    Proxy proxy(server.port());
    RedisModule locks(urlOf(proxy.port()) + impatient);
    const LockKeys keys =
        trigger == "EVALSHA" ? LockKeys("a", "b") : LockKeys(std::string_view("a"));
    await(locks->acquire(keys, mine()));
    await(locks->release(keys, ReleaseOptions().ownedBy("me")));
    proxy.failAt(trigger, Fault::Silence);
    QElapsedTimer took;
    took.start();
    thrownBy<NotTaken>(locks->acquire(keys, mine(60s)));
    QVERIFY(took.elapsed() >= 490);
    QVERIFY2(locks.log.find("it has not answered for 500 ms") != std::string::npos,
             locks.log.c_str());
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
    await(locks->acquire(keys, mine(60s)));
}

void RedisFailuresTest::aReplyThatIsNotResp()
{
    RedisServer server;
    Proxy proxy(server.port());
    RedisModule locks(urlOf(proxy.port()));
    await(locks->acquire("w", mine()));
    proxy.failAt("SET\r\n", Fault::Garbage);
    await(locks->acquire("a", mine(60s))); // looked at again on a new line: it was taken
    QVERIFY2(locks.log.find("does not speak the protocol of Redis") != std::string::npos,
             locks.log.c_str());
    proxy.failAt("EVALSHA", Fault::Garbage);
    const ReleaseResult result = await(locks->release("a", ReleaseOptions().ownedBy("me")));
    QCOMPARE(result.of("a").outcome, ReleaseOutcome::Unknown);
    proxy.failAt("EVALSHA", Fault::Garbage);
    const auto nothing = [] {};
    await(locks->execute("b", nothing));
    QTRY_COMPARE(server.cli({u"EXISTS"_s, u"medusa_lock:b"_s}), u"0"_s);
}

void RedisFailuresTest::stoppedForLongerThanTheLease()
{
    RedisServer server;
    RedisModule locks(server, impatient);
    Job job;
    Task<void> execution = locks->execute("a", job.callable(), ExecuteOptions().expiringIn(1s));
    QTRY_VERIFY(job.started);
    server.pause();
    QElapsedTimer took;
    took.start();
    thrownBy<Lost>(std::move(execution));
    QVERIFY(job.wasStopped);
    QVERIFY2(took.elapsed() < 3000, qPrintable(QString::number(took.elapsed())));
    QTest::qWait(500);
    server.resume();
    QTRY_COMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
    const auto nothing = [] {};
    const auto runs = [&] {
        try {
            await(locks->execute("a", nothing));
            return true;
        } catch (const Unavailable&) {
            return false;
        }
    };
    QTRY_VERIFY(runs());
    QTest::qWait(1200);
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s); // nothing came late
}

void RedisFailuresTest::killedWhileOthersWait()
{
    RedisServer server;
    RedisModule locks(server);
    server.cli({u"SET"_s, u"medusa_lock:a"_s, u"eve"_s});
    Task<Grant> waiter = locks->acquire("a", mine().waiting(20s));
    QTest::qWait(100);
    server.kill();
    // Either it was just looking, or it looks when the server is back, and finds the lock free.
    server.start();
    try {
        await(std::move(waiter));
        QCOMPARE(server.cli({u"GET"_s, u"medusa_lock:a"_s}), u"me"_s);
    } catch (const Unavailable&) {
        QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
    }
}

void RedisFailuresTest::releaseAllIsCutShort_data()
{
    QTest::addColumn<Fault>("fault");
    QTest::newRow("before") << Fault::DropsBefore;
    QTest::newRow("after") << Fault::DropsAfter;
}

void RedisFailuresTest::releaseAllIsCutShort()
{
    QFETCH(const Fault, fault);
    RedisServer server;
    QByteArray commands;
    for (int i = 0; i < 5000; ++i)
        commands += "SET medusa_lock:k" + QByteArray::number(i) + " me\r\n";
    server.cli({u"--pipe"_s}, commands);
    Proxy proxy(server.port());
    RedisModule locks(urlOf(proxy.port()));
    ReleaseAllOptions options;
    options.reportingTo([&](std::uint64_t released, std::uint64_t) {
        if (released >= 2000 && released < 3000)
            proxy.failAt("EVALSHA", fault);
    });
    const ReleaseAllResult result = await(locks->releaseAll(options));
    QVERIFY(result.released >= 2000 && result.released < 5000);
    QVERIFY(result.interruption);
    const std::string said = messageOf(result.interruption);
    QVERIFY2(said.find("was lost") != std::string::npos, said.c_str());
    const auto left = server.cli({u"DBSIZE"_s}).toULongLong();
    if (fault == Fault::DropsBefore)
        QCOMPARE(left, 5000 - result.released);
    else
        QVERIFY(left < 5000 - result.released); // the last page was released, which nobody told us
    QCOMPARE(await(locks->releaseAll()).released, left);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisFailuresTest)
#include "redis_failures_test.moc"
