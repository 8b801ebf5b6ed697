// SPDX-License-Identifier: MIT
#include "engine/redis/wire/slot.h"
#include "tests/redis/documented_rights.h"
#include "tests/redis/redis_fixture.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/sentinels.h"

#include <QCoroTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! The rights that engine/redis/README.md names do behind Sentinel and in a Cluster too.
class RedisRightsTopologyTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void behindSentinels();
    void inACluster();

private:
    const DocumentedRights m_rights{u"s3cret"_s};
};

static void permit(const RedisServer& server, const QString& user, const QStringList& rights)
{
    const QStringList command{u"ACL"_s, u"SETUSER"_s, user, u"reset"_s};
    if (server.cli(command + rights) != u"OK"_s)
        throw std::runtime_error("the user can't be made");
    server.cli({u"ACL"_s, u"LOG"_s, u"RESET"_s});
}

static QString denials(const RedisServer& server)
{
    return server.cli({u"ACL"_s, u"LOG"_s});
}

void RedisRightsTopologyTest::behindSentinels()
{
    QVERIFY(m_rights.all.contains(u">s3cret"_s));
    const Sentinels sentinels;
    permit(*sentinels.first, u"lockboard"_s, m_rights.all);
    permit(*sentinels.second, u"lockboard"_s, m_rights.all);
    QList<quint16> ports;
    for (const auto& sentinel : sentinels.all) {
        permit(*sentinel, u"watcher"_s,
               {u"on"_s, u">w4tch"_s, u"+sentinel|get-master-addr-by-name"_s, u"+subscribe"_s,
                u"&+switch-master"_s});
        ports += sentinel->port();
    }
    const RedisModule locks(Sentinels::options(
        ports,
        u", \"username\": \"lockboard\", \"password\": \"s3cret\", \"sentinelUsername\": "
        "\"watcher\", \"sentinelPassword\": \"w4tch\""_s));
    const auto mine = AcquireOptions().ownedBy("me").expiringIn(60s);
    await(locks->acquire("a", mine));
    QTRY_COMPARE(sentinels.second->cli({u"EXISTS"_s, u"medusa_lock:a"_s}), u"1"_s);

    QCOMPARE(sentinels.all[0]->cli({u"SENTINEL"_s, u"failover"_s, u"shop"_s}), u"OK"_s);
    QTRY_VERIFY_WITH_TIMEOUT(locks.log.find("The sentinels say that the master is not ")
                                 != std::string::npos,
                             20'000); // told by the sentinel, and not by the old master
    QVERIFY(QTest::qWaitFor(
        [&] {
            try {
                return await(locks->release("a", ReleaseOptions().ownedBy("me"))).allReleased();
            } catch (const Unavailable&) {
                return false;
            }
        },
        20'000));
    QCOMPARE(sentinels.second->cli({u"EXISTS"_s, u"medusa_lock:a"_s}), u"0"_s);
    QCOMPARE(denials(*sentinels.second), QString());
}

void RedisRightsTopologyTest::inACluster()
{
    const RedisCluster cluster;
    for (int i = 0; i < cluster.size(); ++i)
        permit(cluster.node(i), u"lockboard"_s, m_rights.all + m_rights.forTokens);
    const QString url =
        u"\"redisUrl\": \"redis://lockboard:s3cret@127.0.0.1:%1\""_s.arg(cluster.node(0).port());
    const RedisModule locks(url + u", \"fencing\": true, \"annotate\": true"_s);
    const RedisModule plain(url);
    const auto mine = AcquireOptions().ownedBy("me").expiringIn(60s);
    std::vector<std::string> names;
    for (int i = 0; i < 3; ++i)
        names.push_back(RedisCluster::keyOn(i).toStdString());
    const LockKeys keys(names);
    QVERIFY(await(locks->acquire(keys, mine)).token());
    thrownBy<Conflict>(locks->acquire(names[1], AcquireOptions().ownedBy("you")));
    thrownBy<Conflict>(locks->acquire(LockKeys(RedisCluster::keyOn(0, 1).toStdString(), names[2]),
                                      AcquireOptions().ownedBy("you")));
    await(locks->execute(
        LockKeys("job"), [] { return QCoro::sleepFor(700ms); },
        ExecuteOptions().expiringIn(400ms)));
    QVERIFY(await(locks->release(keys, ReleaseOptions().ownedBy("me"))).allReleased());
    await(locks->acquire(keys, mine));
    // A slot on its way to another node, and then there.
    const QString key = "medusa_lock:"_L1 + RedisCluster::keyOn(0);
    const int slot = cluster.node(0).cli({u"CLUSTER"_s, u"KEYSLOT"_s, key}).toInt();
    cluster.beginMove(slot, 0, 1);
    await(locks->release(names[0], ReleaseOptions().ownedBy("me")));
    cluster.moveKey(u"lockboard:token:{%1}"_s.arg(QString::fromStdString(redis::slot::tag(slot))),
                    0, 1);
    // By ASK. With a note it would have to wait: Redis takes no two new keys into such a slot.
    await(plain->acquire(names[0], mine));
    cluster.endMove(slot, 1);

    const LiveViewPtr view = await(locks->liveView());
    qsizetype shown = 0;
    bool complete = false;
    connect(view.get(), &LiveView::snapshotBatch, view.get(),
            [&](const LockBatch& batch) { shown += batch.size(); });
    connect(view.get(), &LiveView::snapshotCompleted, view.get(), [&] { complete = true; });
    view->start();
    QTRY_VERIFY(complete);
    QCOMPARE(shown, 3);
    QCOMPARE(await(locks->releaseAll(ReleaseAllOptions())).released, 3U);
    for (int i = 0; i < cluster.size(); ++i)
        QCOMPARE(denials(cluster.node(i)), QString());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisRightsTopologyTest)
#include "redis_rights_topology_test.moc"
