// SPDX-License-Identifier: MIT
#include "tests/redis/shown.h"
#include "tests/support/redis_cluster.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

static const QString prefix = u"medusa_lock:"_s;

//! Nodes of a cluster that die and come back.
class RedisClusterFailoverTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void followsAPromotedReplica();
    void neverAsksAReplica();
    void waitsForTheReplicasOfEachNode();
    void saysWhichNodeIsDown();
    void knowsWhatBecameOfCallsUnderWay();
    void findsTheClusterAgainAfterAllWereDown();
};

static std::string on(int master, int n = 0)
{
    return RedisCluster::keyOn(master, n).toStdString();
}

void RedisClusterFailoverTest::followsAPromotedReplica()
{
    const RedisCluster cluster(1);
    const RedisModule locks(cluster.options());
    const LockKeys everywhere(on(0), on(1), on(2));
    await(locks->acquire(everywhere, AcquireOptions().ownedBy("ann").expiringIn(300s)));
    Shown shown(locks);
    QTRY_VERIFY(shown.isLive && shown.locks.size() == 3);
    QTRY_COMPARE(cluster.node(4).cli({u"DBSIZE"_s}), u"1"_s); // replicated
    QString why;
    QStringList warnings;
    QObject::connect(shown.view.get(), &LiveView::stateChanged, &shown,
                     [&](const SourceState& state) {
                         warnings += state.warnings;
                         if (state.kind == SourceState::Stale && why.isEmpty())
                             why = state.why;
                     });
    cluster.node(1).kill();
    QTRY_VERIFY(!why.isEmpty());
    QVERIFY2(why.contains(QString::number(cluster.node(1).port())), qPrintable(why));
    QTRY_VERIFY_WITH_TIMEOUT(shown.isLive, 30'000);
    QCOMPARE(shown.locks.size(), 3u);
    QVERIFY2(warnings.join(u' ').contains(u"failed over"_s), qPrintable(warnings.join(u' ')));
    QVERIFY(await(locks->acquire(everywhere, AcquireOptions().ownedBy("ann"))).isExtension());
    thrownBy<Conflict>(locks->acquire(on(1), AcquireOptions().ownedBy("eve")));
    QTRY_VERIFY_WITH_TIMEOUT(shown.state.mode.startsWith(u"push"_s), 10'000);
    QVERIFY(await(locks->release(everywhere, ReleaseOptions().ownedBy("ann"))).allReleased());
    QTRY_VERIFY(shown.locks.empty());

    // The old master comes back as a replica: nothing changes for us.
    cluster.node(1).start();
    cluster.waitUntilWell();
    await(locks->acquire(everywhere, AcquireOptions().ownedBy("bob")));
    QTRY_COMPARE(shown.locks.size(), 3u);
}

void RedisClusterFailoverTest::neverAsksAReplica()
{
    const RedisCluster cluster(1);
    const RedisModule locks(u"\"redisUrl\": \"%1\""_s.arg(cluster.node(4).url())); // a replica
    const LockKeys everywhere(on(0), on(1), on(2));
    {
        const Shown shown(locks);
        await(locks->acquire(everywhere, AcquireOptions().ownedBy("ann")));
        await(locks->acquire(on(0, 1), AcquireOptions().ownedBy("ann")));
        QTRY_VERIFY(shown.isLive && shown.locks.size() == 4);
        await(locks->releaseAll());
        QTRY_VERIFY(shown.locks.empty());
    }
    for (int replica = 3; replica < 6; ++replica) {
        const QString stats = cluster.node(replica).cli({u"INFO"_s, u"commandstats"_s});
        for (const QString& command : {u"get"_s, u"evalsha"_s, u"eval"_s, u"scan"_s, u"pttl"_s})
            QVERIFY2(!stats.contains(u"cmdstat_%1:"_s.arg(command)), qPrintable(stats));
    }
}

void RedisClusterFailoverTest::waitsForTheReplicasOfEachNode()
{
    const RedisCluster cluster(1);
    const RedisModule locks(cluster.options()
                            + u", \"waitReplicas\": 1, \"waitReplicasTimeout\": 500"_s);
    const LockKeys everywhere(on(0), on(1), on(2));
    await(locks->acquire(everywhere, AcquireOptions().ownedBy("ann")));
    for (int replica = 3; replica < 6; ++replica)
        QCOMPARE(cluster.node(replica).cli({u"DBSIZE"_s}), u"1"_s); // has it already
    QVERIFY(await(locks->release(everywhere, ReleaseOptions().ownedBy("ann"))).allReleased());
    cluster.node(4).pause(); // that of node 1
    await(locks->acquire(on(0, 1), AcquireOptions().ownedBy("ann")));
    const Unavailable error = thrownBy<Unavailable>(
        locks->acquire(everywhere, AcquireOptions().ownedBy("bob").expiringIn(60s)));
    QVERIFY(error.message().find(std::to_string(cluster.node(1).port())) != std::string::npos);
    QCOMPARE(cluster.get(prefix + RedisCluster::keyOn(1)), QString());
    cluster.node(4).resume();
}

void RedisClusterFailoverTest::saysWhichNodeIsDown()
{
    const RedisCluster cluster;
    const RedisModule locks(cluster.options());
    await(locks->acquire(on(0), AcquireOptions().ownedBy("ann")));
    Shown shown(locks);
    QTRY_VERIFY(shown.isLive);
    cluster.node(2).kill();
    QTRY_VERIFY(shown.state.kind == SourceState::Stale);
    QVERIFY2(shown.state.why.contains(QString::number(cluster.node(2).port())),
             qPrintable(shown.state.why));
    // The others notice, and take no more writes: CLUSTERDOWN.
    QTRY_VERIFY_WITH_TIMEOUT(
        cluster.node(0).cli({u"CLUSTER"_s, u"INFO"_s}).contains(u"cluster_state:fail"_s), 20'000);
    const Unavailable error =
        thrownBy<Unavailable>(locks->acquire(on(0, 1), AcquireOptions().ownedBy("ann")));
    QVERIFY2(error.message().find("cluster that is down") != std::string::npos, error.what());
    const LockKeys both(on(0, 1), on(1));
    thrownBy<Unavailable>(locks->acquire(both, AcquireOptions().ownedBy("ann")));
    const CheckReport report = await(locks->check());
    QVERIFY(report.reachable);
    bool named = false;
    for (const Finding& finding : report.findings) {
        named = named
            || (finding.level == Finding::Problem
                && finding.sentence.find(std::to_string(cluster.node(2).port()))
                    != std::string::npos);
    }
    QVERIFY(named);

    cluster.node(2).start(); // empty, but with its slots
    cluster.waitUntilWell();
    QTRY_VERIFY_WITH_TIMEOUT(shown.isLive, 20'000);
    await(locks->acquire(on(2), AcquireOptions().ownedBy("ann")));
    QTRY_COMPARE(shown.locks.size(), 2u);
}

void RedisClusterFailoverTest::knowsWhatBecameOfCallsUnderWay()
{
    const RedisCluster cluster;
    const RedisModule locks(cluster.options()
                            + u", \"redisOptions\": {\"commandTimeout\": 1000}"_s);
    const LockKeys everywhere(on(0), on(1), on(2));
    for (int master = 0; master < 3; ++master) {
        for (int n = 0; n < 3; ++n)
            await(locks->acquire(on(master, n), AcquireOptions().ownedBy("ann")));
    }
    // Node 1 hangs: what it was sent may have happened, what the others were sent has.
    cluster.node(1).pause();
    const ReleaseResult result = await(locks->release(everywhere, ReleaseOptions().ownedBy("ann")));
    QCOMPARE(result.of(on(0)).outcome, ReleaseOutcome::Released);
    QCOMPARE(result.of(on(1)).outcome, ReleaseOutcome::Unknown);
    QCOMPARE(result.of(on(2)).outcome, ReleaseOutcome::Released);
    cluster.node(1).resume();
}

void RedisClusterFailoverTest::findsTheClusterAgainAfterAllWereDown()
{
    const RedisCluster cluster;
    // One of the seeds is gone for good.
    const RedisModule locks(
        u"\"cluster\": [{\"host\": \"127.0.0.1\", \"port\": %1}, {\"host\": \"127.0.0.1\", \"port\": %2}]"_s
            .arg(RedisServer::freePort())
            .arg(cluster.node(0).port()));
    Shown shown(locks);
    QTRY_VERIFY(shown.isLive);
    for (int i = 0; i < 3; ++i)
        cluster.node(i).kill();
    QTRY_VERIFY(!shown.isLive);
    int timesLive = 0;
    SourceState::Kind last = SourceState::Stale;
    QObject::connect(shown.view.get(), &LiveView::stateChanged, &shown,
                     [&](const SourceState& state) {
                         if (std::exchange(last, state.kind) != SourceState::Live)
                             timesLive += state.kind == SourceState::Live;
                     });
    // As long as that node's own end has not been noticed, the outcome is unknown.
    const auto code = [&locks] {
        return thrownBy<LockError>(locks->acquire(on(1), AcquireOptions().ownedBy("ann"))).code();
    };
    QTRY_COMPARE(code(), ErrorCode::Unavailable);
    for (int i = 0; i < 3; ++i)
        cluster.node(i).start();
    cluster.waitUntilWell();
    QTRY_VERIFY_WITH_TIMEOUT(shown.isLive, 20'000);
    await(locks->acquire(on(1), AcquireOptions().ownedBy("ann")));
    QTRY_COMPARE(shown.locks.size(), 1u);
    QTest::qWait(1500);
    QVERIFY(shown.isLive);
    QCOMPARE(timesLive, 1); // the seed that is gone is of no account
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisClusterFailoverTest)
#include "redis_cluster_failover_test.moc"
