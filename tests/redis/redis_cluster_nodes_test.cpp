// SPDX-License-Identifier: MIT
#include "tests/redis/cluster_case.h"

using namespace Qt::StringLiterals;

namespace lockboard::test {

static QStringList findings(const CheckReport& report)
{
    QStringList all;
    for (const Finding& finding : report.findings)
        all.append(QString::fromStdString(finding.sentence));
    return all;
}

//! How the nodes of a cluster are found, and what is said of them.
class RedisClusterNodesTest final : public QObject, private ClusterCase {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { start(); }
    void init() { m_cluster->flush(); }

    void worksWithoutTheRightToAskForSlots();
    void startsFromAnyOfItsSeeds();
    void refusesSeedsThatAreNoCluster();
    void checksEveryNode();
};

void RedisClusterNodesTest::worksWithoutTheRightToAskForSlots()
{
    for (int i = 0; i < 3; ++i) {
        m_cluster->node(i).cli({u"ACL"_s, u"SETUSER"_s, u"plain"_s, u"on"_s, u">pw"_s,
                                u"~medusa_lock:*"_s, u"&*"_s, u"+@all"_s, u"-cluster"_s});
    }
    const RedisModule locks(
        u"\"redisUrl\": \"redis://plain:pw@127.0.0.1:%1\""_s.arg(m_cluster->node(0).port()));
    await(locks->acquire(everywhere(), AcquireOptions().ownedBy("ann")));
    for (int master = 0; master < 3; ++master)
        QCOMPARE(get(on(master)), u"ann"_s);
    {
        const Shown shown(locks);
        QTRY_VERIFY(shown.isLive);
        QCOMPARE(shown.locks.size(), 3u);
        QVERIFY(shown.state.warnings.join(u' ').contains(u"CLUSTER SLOTS"_s));
    }
    QVERIFY(findings(await(locks->check())).join(u' ').contains(u"CLUSTER SLOTS"_s));
    QVERIFY(await(locks->release(everywhere(), ReleaseOptions().ownedBy("ann"))).allReleased());
}

void RedisClusterNodesTest::startsFromAnyOfItsSeeds()
{
    const QString seeds =
        u"\"cluster\": [{\"host\": \"127.0.0.1\", \"port\": %1}, {\"host\": \"127.0.0.1\", \"port\": %2}]"_s
            .arg(RedisServer::freePort())
            .arg(m_cluster->node(2).port());
    const RedisModule locks(seeds);
    await(locks->acquire(on(0), AcquireOptions().ownedBy("ann"))); // the very first call
    QCOMPARE(get(on(0)), u"ann"_s);
    const Shown shown(locks);
    QTRY_VERIFY(shown.isLive);
    QCOMPARE(shown.locks.size(), 1u);

    const RedisModule nowhere(
        u"\"cluster\": [{\"host\": \"127.0.0.1\", \"port\": %1}, {\"host\": \"127.0.0.1\", \"port\": %2}]"_s
            .arg(RedisServer::freePort())
            .arg(RedisServer::freePort()));
    thrownBy<Unavailable>(nowhere->acquire("a"));
    QVERIFY(!await(nowhere->check()).reachable);
}

void RedisClusterNodesTest::refusesSeedsThatAreNoCluster()
{
    const RedisServer alone;
    const RedisModule locks(
        u"\"cluster\": [{\"host\": \"127.0.0.1\", \"port\": %1}]"_s.arg(alone.port()));
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("a"));
    QVERIFY(error.message().find("belongs to no cluster") != std::string::npos);
    QCOMPARE(alone.cli({u"DBSIZE"_s}), u"0"_s);
}

void RedisClusterNodesTest::checksEveryNode()
{
    const RedisModule locks(m_cluster->options());
    const CheckReport report = await(locks->check());
    QVERIFY(report.reachable);
    const QString all = findings(report).join(u'\n');
    QVERIFY2(all.contains(u"cluster of 3 masters"_s), qPrintable(all));
    QVERIFY2(all.contains(u"no replica"_s), qPrintable(all));
    QCOMPARE(all.count(u"append-only"_s), 1); // what is true of all is said once
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisClusterNodesTest)
#include "redis_cluster_nodes_test.moc"
