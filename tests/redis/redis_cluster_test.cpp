// SPDX-License-Identifier: MIT
#include "engine/redis/redis_slot.h"
#include "tests/redis/shown.h"
#include "tests/support/redis_cluster.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

static const QString prefix = u"medusa_lock:"_s;

static std::string on(int master, int n = 0)
{
    return RedisCluster::keyOn(master, n).toStdString();
}

//! One key of every master.
static LockKeys everywhere()
{
    return LockKeys(on(0), on(1), on(2));
}

static QStringList findings(const CheckReport& report)
{
    QStringList all;
    for (const Finding& finding : report.findings)
        all.append(QString::fromStdString(finding.sentence));
    return all;
}

template <typename T> static Task<> finish(Task<T> call, std::shared_ptr<bool> done)
{
    try {
        co_await call;
        *done = true;
    } catch (const LockError&) {
    }
}

//! Whether the call has come to a good end.
template <typename T> static std::shared_ptr<bool> start(Task<T> call)
{
    const auto done = std::make_shared<bool>(false);
    finish(std::move(call), done);
    return done;
}

class RedisClusterTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_cluster = std::make_unique<RedisCluster>(); }
    void init() { m_cluster->flush(); }

    void hashesAsRedisDoes();
    void reachesEveryMaster();
    void takesKeysOfSeveralSlotsAsOne();
    void givesBackWhatItTookBeforeAnError();
    void takesAThousandKeys();
    void givesTokensThatGrow();
    void givesBackNotesToo();
    void releasesKeyByKey();
    void runsJobsUnderKeysOfSeveralSlots();
    void showsTheLocksOfAllMasters();
    void hearsFromEveryMaster();
    void waitsForKeysOfSeveralSlots();
    void releasesAllOfAllMasters();
    void followsASlotThatMoves();
    void showsALockThatMovesOnce();
    void findsKeysOfAHalfMovedSlot();
    void waitsOutASlotThatIsBeingMoved();
    void worksWithoutTheRightToAskForSlots();
    void startsFromAnyOfItsSeeds();
    void refusesSeedsThatAreNoCluster();
    void checksEveryNode();

private:
    [[nodiscard]] QString get(const std::string& key) const
    {
        return m_cluster->get(prefix + QString::fromStdString(key));
    }
    void set(const std::string& key, const QString& owner, const QStringList& more = {}) const
    {
        const QString name = prefix + QString::fromStdString(key);
        QCOMPARE(m_cluster->cli(u"SET"_s, name, QStringList{owner} + more), u"OK"_s);
    }
    [[nodiscard]] int pttl(const std::string& key) const
    {
        return m_cluster->cli(u"PTTL"_s, prefix + QString::fromStdString(key)).toInt();
    }

    // Whoever polls with these comes too late for every case.
    const QString m_slow = u", \"defaultRetryInterval\": 20000, \"maximumRetryInterval\": 20000"_s;
    std::unique_ptr<RedisCluster> m_cluster;
};

void RedisClusterTest::hashesAsRedisDoes()
{
    for (const char* key : {"foo", "medusa_lock:a", "{user}:1", "a{user}b", "x{}y", "{a}{b}", "{",
                            "}{", "a}b{c}d", "{{a}}", "\xc3\xa4\xff"}) {
        const QString slot =
            m_cluster->node(0).cli({u"-x"_s, u"CLUSTER"_s, u"KEYSLOT"_s}, QByteArray(key));
        QCOMPARE(QString::number(redis_slot::of(key)), slot);
    }
    for (int slot = 0; slot < redis_slot::count; ++slot)
        QCOMPARE(redis_slot::of("note:{" + redis_slot::tag(slot) + "}:x{y}"), slot);
}

void RedisClusterTest::reachesEveryMaster()
{
    const RedisModule locks(m_cluster->options());
    for (int master = 0; master < 3; ++master) {
        const std::string key = on(master);
        await(locks->acquire(key, AcquireOptions().ownedBy("ann").expiringIn(60s)));
        QCOMPARE(m_cluster->node(master).cli({u"GET"_s, prefix + RedisCluster::keyOn(master)}),
                 u"ann"_s);
        QVERIFY(await(locks->acquire(key, AcquireOptions().ownedBy("ann").expiringIn(90s)))
                    .isExtension());
        QVERIFY(pttl(key) > 80'000);
        const Conflict conflict =
            thrownBy<Conflict>(locks->acquire(key, AcquireOptions().ownedBy("eve")));
        QCOMPARE(conflict.holder(), Owner("ann"));
        QVERIFY(!await(locks->release(key, ReleaseOptions().ownedBy("eve"))).allReleased());
        QVERIFY(await(locks->release(key, ReleaseOptions().ownedBy("ann"))).allReleased());
        QCOMPARE(get(key), QString());
    }
}

void RedisClusterTest::takesKeysOfSeveralSlotsAsOne()
{
    const RedisModule locks(m_cluster->options());
    const Grant grant =
        await(locks->acquire(everywhere(), AcquireOptions().ownedBy("ann").expiringIn(60s)));
    QVERIFY(grant.leaseEnd() && !grant.isExtension());
    for (int master = 0; master < 3; ++master)
        QCOMPARE(get(on(master)), u"ann"_s);

    // Whichever of them is held: nothing else is.
    for (int held = 0; held < 3; ++held) {
        m_cluster->flush();
        set(on(held), u"bob"_s, {u"PX"_s, u"60000"_s});
        const Conflict conflict =
            thrownBy<Conflict>(locks->acquire(everywhere(), AcquireOptions().ownedBy("ann")));
        QCOMPARE(conflict.key(), on(held));
        QCOMPARE(conflict.holder(), Owner("bob"));
        QVERIFY(conflict.remaining() && *conflict.remaining() > 50s);
        for (int master = 0; master < 3; ++master)
            QCOMPARE(get(on(master)), master == held ? u"bob"_s : QString());
    }
}

void RedisClusterTest::givesBackWhatItTookBeforeAnError()
{
    // What is no lock is met only when its turn comes: then the others have been taken.
    const RedisModule locks(m_cluster->options());
    std::vector<std::string> keys;
    for (int n = 0; n < 3; ++n) {
        for (int master = 0; master < 3; ++master)
            keys.push_back(on(master, n));
    }
    std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
        return redis_slot::of("medusa_lock:" + a) < redis_slot::of("medusa_lock:" + b);
    });
    set(keys[1], u"*"_s, {u"PX"_s, u"60000"_s});
    set(keys[2], u"*"_s);
    set(keys[3], u"ann"_s, {u"PX"_s, u"70000"_s});
    set(keys[4], u"ann"_s);
    m_cluster->cli(u"HSET"_s, prefix + QString::fromStdString(keys[7]), {u"f"_s, u"v"_s});
    const InvalidArgument error = thrownBy<InvalidArgument>(
        locks->acquire(LockKeys(keys), AcquireOptions().ownedBy("ann").expiringIn(300s)));
    QVERIFY(error.message().find("holds a hash") != std::string::npos);
    for (const int free : {0, 5, 6, 8})
        QCOMPARE(get(keys[static_cast<std::size_t>(free)]), QString());
    QCOMPARE(get(keys[1]), u"*"_s);
    QVERIFY(pttl(keys[1]) > 40'000 && pttl(keys[1]) <= 60'000);
    QCOMPARE(get(keys[2]), u"*"_s);
    QCOMPARE(pttl(keys[2]), -1);
    QCOMPARE(get(keys[3]), u"ann"_s);
    QVERIFY(pttl(keys[3]) > 50'000 && pttl(keys[3]) <= 70'000);
    QCOMPARE(get(keys[4]), u"ann"_s);
    QCOMPARE(pttl(keys[4]), -1);
}

void RedisClusterTest::takesAThousandKeys()
{
    const RedisModule locks(m_cluster->options());
    std::vector<std::string> keys;
    for (int i = 0; i < 1000; ++i)
        keys.push_back("many" + std::to_string(i));
    await(locks->acquire(LockKeys(keys), AcquireOptions().ownedBy("ann")));
    int size = 0;
    for (int master = 0; master < 3; ++master)
        size += m_cluster->node(master).cli({u"DBSIZE"_s}).toInt();
    QCOMPARE(size, 1000);
    QVERIFY(await(locks->release(LockKeys(keys), ReleaseOptions().ownedBy("ann"))).allReleased());
    for (int master = 0; master < 3; ++master)
        QCOMPARE(m_cluster->node(master).cli({u"DBSIZE"_s}), u"0"_s);
}

void RedisClusterTest::givesTokensThatGrow()
{
    const RedisModule locks(m_cluster->options() + u", \"fencing\": true, \"annotate\": true"_s);
    const std::string a = on(0);
    const std::string b = on(1);
    // The counter of one slot is far ahead.
    const QString ahead = u"lockboard:token:{"_s
        + QString::fromStdString(redis_slot::tag(redis_slot::of("medusa_lock:" + b))) + u'}';
    m_cluster->cli(u"SET"_s, ahead, {u"9000000000000000"_s});
    std::map<std::string, FencingToken> last;
    for (const LockKeys& keys : {LockKeys(a), LockKeys(a, b), LockKeys(a), LockKeys(b),
                                 LockKeys(a, b, on(2)), LockKeys(on(2)), LockKeys(a)}) {
        const Grant grant = await(locks->acquire(keys, AcquireOptions().ownedBy("ann")));
        for (const std::string& key : keys) {
            QVERIFY(grant.token() && *grant.token() > last[key]);
            last[key] = *grant.token();
        }
        const Shown shown(locks);
        QTRY_VERIFY(shown.isLive);
        QCOMPARE(shown.locks.size(), keys.size());
        for (const auto& [key, lock] : shown.locks) {
            QCOMPARE(lock.token, grant.token());
            QVERIFY(!lock.note.isEmpty());
        }
        QVERIFY(await(locks->release(keys, ReleaseOptions().ownedBy("ann"))).allReleased());
    }
    for (int master = 0; master < 3; ++master)
        QVERIFY(!m_cluster->node(master).cli({u"KEYS"_s, u"*"_s}).contains(u"note"_s));
}

void RedisClusterTest::givesBackNotesToo()
{
    const RedisModule locks(m_cluster->options() + u", \"fencing\": true, \"annotate\": true"_s);
    std::vector<std::string> keys = {on(0), on(1), on(2)}; // in the order of their slots
    m_cluster->cli(u"HSET"_s, prefix + QString::fromStdString(keys[2]), {u"f"_s, u"v"_s});
    await(locks->acquire(keys[1], AcquireOptions().ownedBy("ann").expiringIn(60s)));
    const QString note = u"lockboard:note:{medusa_lock:"_s + QString::fromStdString(keys[1]) + u'}';
    const QString before = m_cluster->get(note);
    QVERIFY(before.contains(u"ann"_s));
    thrownBy<InvalidArgument>(
        locks->acquire(LockKeys(keys), AcquireOptions().ownedBy("ann").expiringIn(300s)));
    QCOMPARE(m_cluster->get(note), before);
    const int left = m_cluster->cli(u"PTTL"_s, note).toInt();
    QVERIFY(left > 40'000 && left <= 60'000);
    QVERIFY(!m_cluster->node(0).cli({u"KEYS"_s, u"*"_s}).contains(u"note"_s));
}

void RedisClusterTest::releasesKeyByKey()
{
    const RedisModule locks(m_cluster->options());
    set(on(0), u"ann"_s);
    set(on(1), u"bob"_s);
    const ReleaseResult result =
        await(locks->release(everywhere(), ReleaseOptions().ownedBy("ann")));
    QCOMPARE(result.of(on(0)).outcome, ReleaseOutcome::Released);
    QCOMPARE(result.of(on(1)).outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(result.of(on(1)).holder, Owner("bob"));
    QCOMPARE(result.of(on(2)).outcome, ReleaseOutcome::NotHeld);
    QCOMPARE(get(on(0)), QString());
    QCOMPARE(get(on(1)), u"bob"_s);
}

void RedisClusterTest::runsJobsUnderKeysOfSeveralSlots()
{
    const RedisModule locks(m_cluster->options());
    ExecuteOptions options;
    options.expiringIn(900ms);
    const auto job = [this]() -> Task<bool> {
        // Longer than the lease: it is renewed on every node.
        QElapsedTimer time;
        time.start();
        while (time.elapsed() < 2000)
            co_await ResumeOn(qApp);
        bool all = true;
        for (int master = 0; master < 3; ++master)
            all = all && get(on(master)).startsWith(u"execute:"_s);
        co_return all;
    };
    QVERIFY(await(locks->execute(everywhere(), job, options)));
    for (int master = 0; master < 3; ++master)
        QCOMPARE(get(on(master)), QString());
}

void RedisClusterTest::showsTheLocksOfAllMasters()
{
    for (int master = 0; master < 3; ++master) {
        QByteArray commands;
        for (int n = 0, i = 0; n < 1500; ++i) {
            const QString name = prefix + u"v%1"_s.arg(i);
            if (RedisCluster::masterOf(name) == master && ++n != 0)
                commands += "SET " + name.toUtf8() + " ann\r\n";
        }
        m_cluster->node(master).cli({u"--pipe"_s}, commands);
    }
    const RedisModule locks(m_cluster->options());
    const Shown shown(locks);
    QTRY_VERIFY(shown.isLive);
    QCOMPARE(shown.locks.size(), 4500u);
    QTRY_VERIFY(shown.state.mode.startsWith(u"push"_s));
}

void RedisClusterTest::hearsFromEveryMaster()
{
    const RedisModule locks(m_cluster->options() + m_slow);
    const Shown shown(locks);
    QTRY_VERIFY(shown.isLive && shown.state.mode.startsWith(u"push"_s));
    QTest::qWait(500); // until it has looked at everything after push began
    for (int master = 0; master < 3; ++master) {
        const std::string key = on(master);
        set(key, u"medusa"_s);
        QTRY_VERIFY_WITH_TIMEOUT(shown.locks.contains(key), 900);
        m_cluster->cli(u"DEL"_s, prefix + QString::fromStdString(key));
        QTRY_VERIFY_WITH_TIMEOUT(!shown.locks.contains(key), 900);
    }
    for (int master = 0; master < 3; ++master) {
        QTRY_COMPARE(m_cluster->node(master)
                         .cli({u"CLIENT"_s, u"LIST"_s, u"TYPE"_s, u"pubsub"_s})
                         .count(u"id="_s),
                     1);
    }
}

void RedisClusterTest::waitsForKeysOfSeveralSlots()
{
    const RedisModule locks(m_cluster->options() + m_slow);
    for (int held = 0; held < 3; ++held) {
        set(on(held), u"medusa"_s);
        const auto done = start(locks->acquire(
            everywhere(), AcquireOptions().ownedBy("ann").expiringIn(60s).waiting(Duration(15s))));
        QTest::qWait(1000); // push is up
        QVERIFY(!*done);
        // While it waits, it does not take and give back the others.
        for (int master = 0; master < 3; ++master)
            QCOMPARE(get(on(master)), master == held ? u"medusa"_s : QString());
        m_cluster->cli(u"DEL"_s, prefix + RedisCluster::keyOn(held));
        QTRY_VERIFY(*done);
        QVERIFY(await(locks->release(everywhere(), ReleaseOptions().ownedBy("ann"))).allReleased());
    }
}

void RedisClusterTest::releasesAllOfAllMasters()
{
    const RedisModule locks(m_cluster->options());
    for (int master = 0; master < 3; ++master) {
        for (int n = 0; n < 20; ++n)
            set(on(master, n), n % 2 == 0 ? u"ann"_s : u"bob"_s);
    }
    ReleaseAllOptions anns;
    anns.ownedBy("ann");
    QCOMPARE(await(locks->releaseAll(anns)).released, 30u);
    m_cluster->cli(u"HSET"_s, prefix + u"h"_s, {u"f"_s, u"v"_s});
    const ReleaseAllResult rest = await(locks->releaseAll());
    QCOMPARE(rest.released, 30u);
    QCOMPARE(rest.left(), 1u);
}

void RedisClusterTest::followsASlotThatMoves()
{
    const RedisModule locks(m_cluster->options());
    const std::string key = on(0);
    const int slot = redis_slot::of("medusa_lock:" + key);
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
    const std::string other = "x{" + redis_slot::tag(slot) + "}";
    QCOMPARE(redis_slot::of("medusa_lock:" + other), slot);
    QVERIFY(await(locks->execute(other, job, options)));
    QCOMPARE(get(other), QString());

    QVERIFY(await(locks->acquire(key, AcquireOptions().ownedBy("ann"))).isExtension());
    thrownBy<Conflict>(locks->acquire(key, AcquireOptions().ownedBy("eve")));
    QCOMPARE(m_cluster->node(2).cli({u"GET"_s, prefix + QString::fromStdString(key)}), u"ann"_s);
    m_cluster->moveSlot(slot, 2, 0);
    QVERIFY(await(locks->release(key, ReleaseOptions().ownedBy("ann"))).allReleased());
    m_cluster->moveSlot(slot, 0, 1);
    await(locks->acquire(key, AcquireOptions().ownedBy("ann"))); // free, by the native command
    QCOMPARE(m_cluster->node(1).cli({u"GET"_s, prefix + QString::fromStdString(key)}), u"ann"_s);
    m_cluster->moveSlot(slot, 1, 0);
}

void RedisClusterTest::showsALockThatMovesOnce()
{
    const RedisModule locks(m_cluster->options());
    const std::string key = on(0);
    const int slot = redis_slot::of("medusa_lock:" + key);
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
        m_cluster->moveKey(prefix + QString::fromStdString(key), 0, 2);
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
    m_cluster->cli(u"DEL"_s, prefix + QString::fromStdString(key));
    QTRY_VERIFY(shown.locks.empty());
    m_cluster->moveSlot(slot, 2, 0);
}

void RedisClusterTest::findsKeysOfAHalfMovedSlot()
{
    const RedisModule locks(m_cluster->options());
    const std::string stays = on(1);
    const int slot = redis_slot::of("medusa_lock:" + stays);
    const std::string goes = "goes{" + redis_slot::tag(slot) + "}";
    const std::string fresh = "fresh{" + redis_slot::tag(slot) + "}";
    const QString gone = prefix + QString::fromStdString(goes);
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

void RedisClusterTest::waitsOutASlotThatIsBeingMoved()
{
    const RedisModule locks(m_cluster->options());
    const std::string a = on(1);
    const int slot = redis_slot::of("medusa_lock:" + a);
    const std::string b = "b{" + redis_slot::tag(slot) + "}";
    const LockKeys both(a, b);
    await(locks->acquire(both, AcquireOptions().ownedBy("ann")));
    m_cluster->beginMove(slot, 1, 2);
    m_cluster->moveKey(prefix + QString::fromStdString(a), 1, 2);
    const auto done = start(locks->release(both, ReleaseOptions().ownedBy("ann")));
    QTest::qWait(200);
    QVERIFY(!*done); // one is here and one is there
    m_cluster->moveKey(prefix + QString::fromStdString(b), 1, 2);
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

void RedisClusterTest::worksWithoutTheRightToAskForSlots()
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

void RedisClusterTest::startsFromAnyOfItsSeeds()
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

void RedisClusterTest::refusesSeedsThatAreNoCluster()
{
    const RedisServer alone;
    const RedisModule locks(
        u"\"cluster\": [{\"host\": \"127.0.0.1\", \"port\": %1}]"_s.arg(alone.port()));
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("a"));
    QVERIFY(error.message().find("belongs to no cluster") != std::string::npos);
    QCOMPARE(alone.cli({u"DBSIZE"_s}), u"0"_s);
}

void RedisClusterTest::checksEveryNode()
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

QTEST_GUILESS_MAIN(lockboard::test::RedisClusterTest)
#include "redis_cluster_test.moc"
