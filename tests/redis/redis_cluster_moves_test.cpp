// SPDX-License-Identifier: MIT
#include "engine/redis/wire/slot.h"
#include "tests/redis/cluster_case.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Slots that move to other nodes while their locks are held.
class RedisClusterMovesTest final : public QObject, private ClusterCase {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { start(); }
    void init() { m_cluster->flush(); }

    void followsASlotThatMoves();
    void showsALockThatMovesOnce();
    void findsKeysOfAHalfMovedSlot();
    void waitsOutASlotThatIsBeingMoved();
};

void RedisClusterMovesTest::followsASlotThatMoves()
{
    const RedisModule locks(m_cluster->options());
    const std::string key = on(0);
    const int slot = redis::slot::of("medusa_lock:" + key);
    await(locks->acquire(key, AcquireOptions().ownedBy("ann").expiringIn(60s)));
    const auto job = [this, slot]() -> Task<bool> {
        m_cluster->moveSlot(slot, 0, 2);
        QElapsedTimer time;
        time.start();
        while (time.elapsed() < 1500)
            co_await ResumeOn(qApp);
        co_return true;
    };
    ExecuteOptions options;
    options.expiringIn(900ms);
    // Of the same slot, so that it moves along: renewed and released at its new place.
    const std::string other = "x{" + redis::slot::tag(slot) + "}";
    QCOMPARE(redis::slot::of("medusa_lock:" + other), slot);
    QVERIFY(await(locks->execute(other, job, options)));
    QCOMPARE(get(other), QString());

    QVERIFY(await(locks->acquire(key, AcquireOptions().ownedBy("ann"))).isExtension());
    thrownBy<Conflict>(locks->acquire(key, AcquireOptions().ownedBy("eve")));
    QCOMPARE(m_cluster->node(2).cli({u"GET"_s, stored(key)}), u"ann"_s);
    m_cluster->moveSlot(slot, 2, 0);
    QVERIFY(await(locks->release(key, ReleaseOptions().ownedBy("ann"))).allReleased());
    m_cluster->moveSlot(slot, 0, 1);
    await(locks->acquire(key, AcquireOptions().ownedBy("ann"))); // free, by the native command
    QCOMPARE(m_cluster->node(1).cli({u"GET"_s, stored(key)}), u"ann"_s);
    m_cluster->moveSlot(slot, 1, 0);
}

void RedisClusterMovesTest::showsALockThatMovesOnce()
{
    const RedisModule locks(m_cluster->options());
    const std::string key = on(0);
    const int slot = redis::slot::of("medusa_lock:" + key);
    set(key, u"ann"_s);
    Shown shown(locks);
    QTRY_VERIFY(shown.isLive && shown.state.mode.startsWith(u"push"_s));
    int times = 0;
    bool vanished = false;
    QObject::connect(shown.view.get(), &LiveView::snapshotStarted, &shown, [&] { times = 0; });
    QObject::connect(shown.view.get(), &LiveView::snapshotBatch, &shown,
                     [&](const LockBatch& batch) { times += int(batch.size()); });
    QObject::connect(shown.view.get(), &LiveView::changed, &shown, [&](const ChangeBatch& batch) {
        for (const LockChange& change : batch)
            vanished = vanished || change.kind == ChangeKind::Released;
    });
    for (int round = 0; round < 3; ++round) {
        m_cluster->beginMove(slot, 0, 2);
        m_cluster->moveKey(stored(key), 0, 2);
        shown.view->refresh(); // in a half-moved slot
        QTest::qWait(200);
        m_cluster->endMove(slot, 2);
        shown.view->refresh();
        QTest::qWait(200);
        m_cluster->moveSlot(slot, 2, 0);
    }
    shown.view->refresh();
    QTest::qWait(500);
    QTRY_VERIFY(shown.isLive && shown.locks.contains(key));
    QCOMPARE(times, 1);
    QVERIFY(!vanished);
    // It is followed where it is now, too.
    m_cluster->moveSlot(slot, 0, 2);
    m_cluster->cli(u"DEL"_s, stored(key));
    QTRY_VERIFY(shown.locks.empty());
    m_cluster->moveSlot(slot, 2, 0);
}

void RedisClusterMovesTest::findsKeysOfAHalfMovedSlot()
{
    const RedisModule locks(m_cluster->options());
    const std::string stays = on(1);
    const int slot = redis::slot::of("medusa_lock:" + stays);
    const std::string goes = "goes{" + redis::slot::tag(slot) + "}";
    const std::string fresh = "fresh{" + redis::slot::tag(slot) + "}";
    const QString gone = stored(goes);
    for (const std::string& key : {stays, goes})
        await(locks->acquire(key, AcquireOptions().ownedBy("ann").expiringIn(60s)));
    m_cluster->beginMove(slot, 1, 2);
    m_cluster->moveKey(gone, 1, 2);

    for (const std::string& key : {stays, goes}) {
        QVERIFY(await(locks->acquire(key, AcquireOptions().ownedBy("ann").expiringIn(60s)))
                    .isExtension());
        thrownBy<Conflict>(locks->acquire(key, AcquireOptions().ownedBy("eve")));
    }
    await(locks->acquire(fresh, AcquireOptions().ownedBy("ann")));
    thrownBy<Conflict>(locks->acquire(fresh, AcquireOptions().ownedBy("eve")));
    {
        const Shown shown(locks);
        QTRY_VERIFY(shown.isLive);
        QCOMPARE(shown.locks.size(), 3u);
    }
    QVERIFY(await(locks->release(goes, ReleaseOptions().ownedBy("ann"))).allReleased());
    QCOMPARE(await(locks->releaseAll()).released, 2u);
    m_cluster->endMove(slot, 2);
    m_cluster->moveSlot(slot, 2, 1);
}

void RedisClusterMovesTest::waitsOutASlotThatIsBeingMoved()
{
    const RedisModule locks(m_cluster->options());
    const std::string a = on(1);
    const int slot = redis::slot::of("medusa_lock:" + a);
    const std::string b = "b{" + redis::slot::tag(slot) + "}";
    const LockKeys both(a, b);
    await(locks->acquire(both, AcquireOptions().ownedBy("ann")));
    m_cluster->beginMove(slot, 1, 2);
    m_cluster->moveKey(stored(a), 1, 2);
    const auto done = begun(locks->release(both, ReleaseOptions().ownedBy("ann")));
    QTest::qWait(200);
    QVERIFY(!*done); // one is here and one is there
    m_cluster->moveKey(stored(b), 1, 2);
    QTRY_VERIFY(*done);
    QCOMPARE(get(a), QString());
    QCOMPARE(get(b), QString());

    // A move that does not go on is no reason to wait for ever.
    set(a, u"ann"_s); // there
    const Unavailable error =
        thrownBy<Unavailable>(locks->acquire(both, AcquireOptions().ownedBy("ann")));
    QVERIFY(error.message().find("on their way") != std::string::npos);
    m_cluster->endMove(slot, 2);
    await(locks->acquire(both, AcquireOptions().ownedBy("ann")));
    m_cluster->moveSlot(slot, 2, 1);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisClusterMovesTest)
#include "redis_cluster_moves_test.moc"
