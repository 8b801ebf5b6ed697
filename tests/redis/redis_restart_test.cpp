// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! What becomes of those who hold locks when the server pauses, or is killed and comes back.
class RedisRestartTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void jobSurvivesAPause_data();
    void jobSurvivesAPause();
    void aPauseLongerThanTheLeaseEndsTheJobInTime();
    void jobSurvivesARestartThatKeepsTheData();
    void jobIsStoppedByARestartThatLosesTheData();
    void degradesWhereInfoIsForbidden();
    void waitersSeeARestartAtOnce();
    void warnsTheOperator();
    void anEndWhileSuspectIsNoSuccess();
    void usesNoReplicaThatTakesWrites();
};

static bool has(const RedisModule& locks, const char* words)
{
    return locks.log.find(words) != std::string::npos;
}

static int leases(const RedisServer& server)
{
    return server.cli({u"DBSIZE"_s}).toInt();
}

void RedisRestartTest::jobSurvivesAPause_data()
{
    QTest::addColumn<int>("commandTimeout");
    QTest::newRow("the connection stands") << 10'000;
    QTest::newRow("the connection is given up") << 300;
}

void RedisRestartTest::jobSurvivesAPause()
{
    QFETCH(int, commandTimeout);
    RedisServer server;
    const RedisModule locks(
        server,
        u", \"redisOptions\": {\"commandTimeout\": %1, \"connectTimeout\": 300}"_s.arg(
            commandTimeout));
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(6s));
    QTRY_VERIFY(job.running);
    server.pause();
    QTest::qWait(3000); // a renewal falls due in between
    server.resume();
    QTest::qWait(4500); // past the lease as it was before the pause
    QVERIFY(!job.stoppedAt);
    QCOMPARE(job.end(), std::string());
    QCOMPARE(leases(server), 0);
}

void RedisRestartTest::aPauseLongerThanTheLeaseEndsTheJobInTime()
{
    RedisServer server;
    const RedisModule locks(
        server, u", \"redisOptions\": {\"commandTimeout\": 500, \"connectTimeout\": 500}"_s);
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(1500ms));
    QTRY_VERIFY(job.running);
    QTest::qWait(700); // renewed once
    server.pause();
    const TimePoint paused = std::chrono::steady_clock::now();
    QTRY_VERIFY(job.stoppedAt);
    // The last renewal was half a second before at most, and what the server granted was not over.
    QVERIFY(*job.stoppedAt >= paused + 800ms);
    QVERIFY(*job.stoppedAt <= paused + 1500ms);
    const std::string said = job.outcome();
    QVERIFY2(said.starts_with("Lost the lock for key \"k\""), said.c_str());
    server.resume();
    QTRY_COMPARE(leases(server), 0); // by its lease, if not by us
    QTRY_VERIFY_WITH_TIMEOUT(
        [&] {
            try {
                await(locks->acquire("k", AcquireOptions().ownedBy("next")));
                return true;
            } catch (const LockError&) {
                return false;
            }
        }(),
        5000);
}

void RedisRestartTest::jobSurvivesARestartThatKeepsTheData()
{
    RedisServer server({u"--appendonly"_s, u"yes"_s, u"--appendfsync"_s, u"always"_s});
    const RedisModule locks(server);
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(20s));
    QTRY_VERIFY(job.running);
    QTest::qWait(1500);
    server.kill();
    QTest::qWait(100);
    server.start();
    QTRY_VERIFY(has(locks, "was restarted at "));
    // Renewed at once: not when a third of the lease is over, which is some seconds away.
    QTRY_VERIFY_WITH_TIMEOUT(
        server.cli({u"PTTL"_s, server.cli({u"KEYS"_s, u"*"_s})}).toInt() > 19'000, 3000);
    QVERIFY(!job.stoppedAt);
    QCOMPARE(job.end(), std::string());
    QCOMPARE(leases(server), 0);
}

void RedisRestartTest::jobIsStoppedByARestartThatLosesTheData()
{
    RedisServer server;
    const RedisModule locks(server);
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(60s));
    QTRY_VERIFY(job.running);
    server.kill();
    server.start();
    QTRY_VERIFY(job.stoppedAt); // long before the lease is over, or to be renewed
    const std::string said = job.outcome();
    QVERIFY2(said.starts_with("Lost the lock for key \"k\""), said.c_str());
    QVERIFY(has(locks, "locks taken before may be gone."));
    QVERIFY(has(locks, "Lost the lock for key \"k\": it is free or somebody else's now."));
}

void RedisRestartTest::degradesWhereInfoIsForbidden()
{
    RedisServer server({u"--user"_s, u"default"_s, u"on"_s, u"nopass"_s, u"~*"_s, u"&*"_s,
                        u"+@all"_s, u"-info"_s});
    const RedisModule locks(server);
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(60s));
    QTRY_VERIFY(job.running);
    QCOMPARE(locks.log, std::string());
    server.kill();
    server.start();
    QTRY_VERIFY(job.stoppedAt); // it is asked all the same
    QVERIFY(job.outcome().starts_with("Lost"));
    QVERIFY(!has(locks, "restarted"));
}

void RedisRestartTest::waitersSeeARestartAtOnce()
{
    RedisServer server;
    server.cli({u"SET"_s, u"medusa_lock:k"_s, u"bob"_s});
    const RedisModule locks(
        server, u", \"defaultRetryInterval\": 60000, \"maximumRetryInterval\": 60000"_s);
    bool granted = false;
    const auto acquire = [&]() -> Task<void> {
        co_await locks->acquire("k", AcquireOptions().ownedBy("me").waiting());
        granted = true;
    };
    letRun(acquire());
    QTest::qWait(300);
    QVERIFY(!granted);
    server.kill();
    server.start();
    QTRY_VERIFY(granted);
}

void RedisRestartTest::warnsTheOperator()
{
    RedisServer server;
    const RedisModule locks(server);
    const LiveViewPtr view = await(locks->liveView());
    SourceState state;
    connect(view.get(), &LiveView::stateChanged, this,
            [&state](const SourceState& now) { state = now; });
    view->start();
    QTRY_COMPARE(state.kind, SourceState::Live);
    QVERIFY(state.warnings.isEmpty());
    server.kill();
    QTRY_COMPARE(state.kind, SourceState::Stale);
    server.start();
    QTRY_COMPARE(state.kind, SourceState::Live);
    QCOMPARE(state.warnings.size(), 1);
    const QString said = state.warnings.first();
    QVERIFY2(said.startsWith(u"Redis at 127.0.0.1:%1 was restarted at "_s.arg(server.port())),
             qPrintable(said));
    // For who comes later, too.
    const LiveViewPtr later = await(locks->liveView());
    SourceState laterState;
    connect(later.get(), &LiveView::stateChanged, this,
            [&laterState](const SourceState& now) { laterState = now; });
    later->start();
    QTRY_COMPARE(laterState.kind, SourceState::Live);
    QCOMPARE(laterState.warnings, state.warnings);
}

void RedisRestartTest::anEndWhileSuspectIsNoSuccess()
{
    RedisServer server;
    RedisServer* const restarted = &server;
    const RedisModule locks(
        server, u", \"redisOptions\": {\"commandTimeout\": 300, \"connectTimeout\": 300}"_s);
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(60s));
    QTRY_VERIFY(job.running);
    restarted->kill();
    restarted->start();
    // What it says to INFO is heard, and nothing after it: the renewal is under way.
    QTRY_VERIFY(has(locks, "was restarted at "));
    restarted->pause();
    const std::string said = job.end();
    restarted->resume();
    QVERIFY2(said.starts_with("Lost the lock for key \"k\""), said.c_str());
}

void RedisRestartTest::usesNoReplicaThatTakesWrites()
{
    RedisServer master;
    RedisServer replica({u"--replicaof"_s, u"127.0.0.1"_s, QString::number(master.port()),
                         u"--replica-read-only"_s, u"no"_s});
    const RedisModule locks(replica);
    const std::string said = thrownBy<Unavailable>(locks->acquire("k")).message();
    QVERIFY2(said.find("is a replica that takes writes") != std::string::npos, said.c_str());
    QCOMPARE(leases(replica), 0);
    replica.cli({u"REPLICAOF"_s, u"NO"_s, u"ONE"_s});
    await(locks->acquire("k")); // asked again, it is none
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisRestartTest)
#include "redis_restart_test.moc"
