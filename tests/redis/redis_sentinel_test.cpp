// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"
#include "tests/support/sentinels.h"

#include <QTcpServer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Redis behind Sentinel: found, followed, and doubted when another server takes its place.
class RedisSentinelTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void followsAFailover();
    void followsAfterAKill();
    void goesOnWithoutTheFirstSentinel();
    void saysWhatIsNotFound();
    void asksWithAPassword();
    void refusesAReplica();
};

static bool has(const RedisModule& locks, const QString& words)
{
    return locks.log.find(words.toStdString()) != std::string::npos;
}

static QString address(const RedisServer& server)
{
    return u"127.0.0.1:%1"_s.arg(server.port());
}

static bool canAcquire(const RedisModule& locks, const std::string& key)
{
    try {
        await(locks->acquire(key, AcquireOptions().ownedBy("me")));
        return true;
    } catch (const Unavailable&) {
        return false;
    }
}

void RedisSentinelTest::followsAFailover()
{
    const Sentinels sentinels;
    const RedisServer& old = *sentinels.first;
    const RedisServer& next = *sentinels.second;
    const RedisModule locks(sentinels.options());
    await(locks->acquire("a", AcquireOptions().ownedBy("me")));
    QCOMPARE(old.cli({u"GET"_s, u"medusa_lock:a"_s}), u"me"_s);
    const CheckReport report = await(locks->check());
    QVERIFY(report.findings.front().sentence.ends_with(
        (u"at %1 answers."_s.arg(address(old))).toStdString()));

    const LiveViewPtr view = await(locks->liveView());
    SourceState state;
    QSet<std::string> seen;
    connect(view.get(), &LiveView::stateChanged, this,
            [&state](const SourceState& now) { state = now; });
    connect(view.get(), &LiveView::changed, this, [&seen](const ChangeBatch& batch) {
        for (const LockChange& change : batch)
            seen.insert(change.lock.key);
    });
    view->start();
    QTRY_COMPARE(state.kind, SourceState::Live);
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(60s));
    QTRY_VERIFY(job.running);
    QTRY_COMPARE(next.cli({u"DBSIZE"_s}), u"2"_s);

    QCOMPARE(sentinels.all[1]->cli({u"SENTINEL"_s, u"failover"_s, u"shop"_s}), u"OK"_s);
    const QString sentence =
        u"Redis failed over from %1 to %2 at "_s.arg(address(old), address(next));
    QTRY_VERIFY_WITH_TIMEOUT(has(locks, sentence), 20'000);
    QTRY_VERIFY(canAcquire(locks, "b"));
    QCOMPARE(next.cli({u"GET"_s, u"medusa_lock:b"_s}), u"me"_s);
    QTRY_COMPARE(state.kind, SourceState::Live);
    QCOMPARE(state.warnings.size(), 1);
    QVERIFY2(state.warnings.first().startsWith(sentence), qPrintable(state.warnings.first()));
    // What the new master pushes is heard, too.
    QTRY_COMPARE(state.mode, u"push (RESP2)"_s);
    next.cli({u"SET"_s, u"medusa_lock:c"_s, u"bob"_s});
    QTRY_VERIFY(seen.contains("c"));
    // The replica had the job's lock, and so it was confirmed.
    QVERIFY(!job.stoppedAt);
    QCOMPARE(job.end(), std::string());
    QCOMPARE(next.cli({u"KEYS"_s, u"*execute*"_s}), QString());
}

void RedisSentinelTest::followsAfterAKill()
{
    const Sentinels sentinels;
    const RedisServer& next = *sentinels.second;
    const RedisModule locks(sentinels.options());
    RunningJob confirmed(locks, "confirmed", ExecuteOptions().expiringIn(60s));
    RunningJob lost(locks, "lost", ExecuteOptions().expiringIn(60s));
    QTRY_VERIFY(confirmed.running && lost.running);
    QTRY_COMPARE(next.cli({u"DBSIZE"_s}), u"2"_s);
    // As if it had not reached the replica in time.
    next.cli({u"CONFIG"_s, u"SET"_s, u"replica-read-only"_s, u"no"_s});
    QCOMPARE(next.cli({u"DEL"_s, u"medusa_lock:lost"_s}), u"1"_s);
    next.cli({u"CONFIG"_s, u"SET"_s, u"replica-read-only"_s, u"yes"_s});

    sentinels.first->kill();
    QTRY_VERIFY_WITH_TIMEOUT(lost.stoppedAt, 30'000);
    QVERIFY(has(locks, u"Redis failed over from "_s));
    const std::string said = lost.outcome();
    QVERIFY2(said.starts_with("Lost the lock for key \"lost\""), said.c_str());
    QVERIFY(!confirmed.stoppedAt);
    QCOMPARE(confirmed.end(), std::string());
    QCOMPARE(next.cli({u"DBSIZE"_s}), u"0"_s);

    // The old master comes back and still thinks that it is one, for a while.
    sentinels.first->start();
    for (int i = 0; i < 20; ++i) {
        QVERIFY(canAcquire(locks, std::to_string(i)));
        QTest::qWait(50);
    }
    QCOMPARE(next.cli({u"DBSIZE"_s}), u"20"_s);
}

void RedisSentinelTest::goesOnWithoutTheFirstSentinel()
{
    const Sentinels sentinels;
    QTcpServer deaf; // takes connections, says nothing
    deaf.listen(QHostAddress::LocalHost);
    const RedisModule locks(Sentinels::options(
        {deaf.serverPort(), 1, sentinels.all[0]->port(), sentinels.all[1]->port()},
        u", \"connectTimeout\": 2000"_s));
    await(locks->acquire("a", AcquireOptions().ownedBy("me")));
    // The one that it listens to goes, and another one tells of the failover.
    sentinels.all[0]->kill();
    QTRY_COMPARE(sentinels.second->cli({u"DBSIZE"_s}), u"1"_s);
    QCOMPARE(sentinels.all[1]->cli({u"SENTINEL"_s, u"failover"_s, u"shop"_s}), u"OK"_s);
    QTRY_VERIFY_WITH_TIMEOUT(has(locks, u"Redis failed over from "_s), 20'000);
    QTRY_VERIFY(canAcquire(locks, "b"));
    QCOMPARE(sentinels.second->cli({u"DBSIZE"_s}), u"2"_s);
}

void RedisSentinelTest::saysWhatIsNotFound()
{
    const RedisServer master;
    const auto sentinel = RedisServer::sentinel(Sentinels::configuration(master, 1));
    const RedisModule strange(Sentinels::options({sentinel->port()}, {}, u"shoes"_s));
    QCOMPARE(thrownBy<Unavailable>(strange->acquire("a")).message(),
             (u"No sentinel says where the master \"shoes\" is: the sentinel at %1 knows no master "
              "of that name."_s.arg(address(*sentinel)))
                 .toStdString());
    const CheckReport report = await(strange->check());
    QVERIFY(!report.reachable);

    const RedisModule silent(Sentinels::options({1, 2}));
    const std::string said = thrownBy<Unavailable>(silent->acquire("a")).message();
    QVERIFY2(said.starts_with("No sentinel says where the master \"shop\" is: Redis at 127.0.0.1:"),
             said.c_str());
}

void RedisSentinelTest::asksWithAPassword()
{
    const RedisServer master({u"--requirepass"_s, u"m4ster"_s});
    const auto sentinel =
        RedisServer::sentinel(Sentinels::configuration(master, 1)
                              + "sentinel auth-pass shop m4ster\nrequirepass s3cret\n");
    const QList<quint16> ports{sentinel->port()};
    const RedisModule locks(Sentinels::options(
        ports, u", \"password\": \"m4ster\", \"sentinelPassword\": \"s3cret\""_s));
    await(locks->acquire("a"));
    // As in Medusa's configuration: a URL, and the sentinels beside it.
    const RedisModule url(u"\"redisUrl\": \"redis://:m4ster@ignored:1\", "_s
                          + Sentinels::options(ports, u", \"sentinelPassword\": \"s3cret\""_s));
    thrownBy<Conflict>(url->acquire("a", AcquireOptions().ownedBy("me").exclusively()));

    const RedisModule wrong(Sentinels::options(
        ports, u", \"password\": \"m4ster\", \"sentinelPassword\": \"wr0ng\""_s));
    const std::string denied = thrownBy<Denied>(wrong->acquire("a")).message();
    QVERIFY2(denied.starts_with("No sentinel says where the master \"shop\" is: "), denied.c_str());
    QVERIFY(denied.find("wr0ng") == std::string::npos);
    const RedisModule none(Sentinels::options(ports, u", \"password\": \"m4ster\""_s));
    const std::string asked = thrownBy<Denied>(none->acquire("a")).message();
    QVERIFY2(asked.find("asks for a password") != std::string::npos, asked.c_str());
}

void RedisSentinelTest::refusesAReplica()
{
    const RedisServer master;
    const auto sentinel = RedisServer::sentinel(Sentinels::configuration(master, 1));
    const RedisModule locks(Sentinels::options({sentinel->port()}));
    await(locks->acquire("a"));
    // Behind the sentinel's back; it will notice much later.
    QTcpServer nowhere;
    nowhere.listen(QHostAddress::LocalHost);
    master.cli({u"REPLICAOF"_s, u"127.0.0.1"_s, QString::number(nowhere.serverPort())});
    const std::string said = thrownBy<Unavailable>(locks->acquire("b")).message();
    QVERIFY2(said.ends_with("is a read-only replica."), said.c_str());
    QTRY_VERIFY(has(locks, u" is not the master any more."_s));
    QTRY_VERIFY(has(locks, u" is a replica, though the sentinels call it the master."_s));
    thrownBy<Unavailable>(locks->acquire("b"));
    master.cli({u"REPLICAOF"_s, u"NO"_s, u"ONE"_s});
    QTRY_VERIFY(canAcquire(locks, "b"));
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisSentinelTest)
#include "redis_sentinel_test.moc"
