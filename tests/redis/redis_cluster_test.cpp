// SPDX-License-Identifier: MIT
#include "engine/redis/wire/slot.h"
#include "tests/redis/cluster_case.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

class RedisClusterTest final : public QObject, private ClusterCase {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { start(); }
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

private:
    // Whoever polls with these comes too late for every case.
    const QString m_slow = u", \"defaultRetryInterval\": 20000, \"maximumRetryInterval\": 20000"_s;
};

void RedisClusterTest::hashesAsRedisDoes()
{
    for (const char* key : {"foo", "medusa_lock:a", "{user}:1", "a{user}b", "x{}y", "{a}{b}", "{",
                            "}{", "a}b{c}d", "{{a}}", "\xc3\xa4\xff"}) {
        const QString slot =
            m_cluster->node(0).cli({u"-x"_s, u"CLUSTER"_s, u"KEYSLOT"_s}, QByteArray(key));
        QCOMPARE(QString::number(redis::slot::of(key)), slot);
    }
    for (int slot = 0; slot < redis::slot::count; ++slot)
        QCOMPARE(redis::slot::of("note:{" + redis::slot::tag(slot) + "}:x{y}"), slot);
}

void RedisClusterTest::reachesEveryMaster()
{
    const RedisModule locks(m_cluster->options());
    for (int master = 0; master < 3; ++master) {
        const std::string key = on(master);
        await(locks->acquire(key, AcquireOptions().ownedBy("ann").expiringIn(60s)));
        QCOMPARE(m_cluster->node(master).cli({u"GET"_s, stored(on(master))}), u"ann"_s);
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
        return redis::slot::of("medusa_lock:" + a) < redis::slot::of("medusa_lock:" + b);
    });
    set(keys[1], u"*"_s, {u"PX"_s, u"60000"_s});
    set(keys[2], u"*"_s);
    set(keys[3], u"ann"_s, {u"PX"_s, u"70000"_s});
    set(keys[4], u"ann"_s);
    m_cluster->cli(u"HSET"_s, stored(keys[7]), {u"f"_s, u"v"_s});
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
        + QString::fromStdString(redis::slot::tag(redis::slot::of("medusa_lock:" + b))) + u'}';
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
    m_cluster->cli(u"HSET"_s, stored(keys[2]), {u"f"_s, u"v"_s});
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
            const QString name = stored("v" + std::to_string(i));
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
        m_cluster->cli(u"DEL"_s, stored(key));
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
        const auto done = begun(locks->acquire(
            everywhere(), AcquireOptions().ownedBy("ann").expiringIn(60s).waiting(Duration(15s))));
        QTest::qWait(1000); // push is up
        QVERIFY(!*done);
        // While it waits, it does not take and give back the others.
        for (int master = 0; master < 3; ++master)
            QCOMPARE(get(on(master)), master == held ? u"medusa"_s : QString());
        m_cluster->cli(u"DEL"_s, stored(on(held)));
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
    m_cluster->cli(u"HSET"_s, stored("h"), {u"f"_s, u"v"_s});
    const ReleaseAllResult rest = await(locks->releaseAll());
    QCOMPARE(rest.released, 30u);
    QCOMPARE(rest.left(), 1u);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisClusterTest)
#include "redis_cluster_test.moc"
