// SPDX-License-Identifier: MIT
#include "tests/cli/ctl.h"
#include "tests/interop/lock_cases.h"
#include "tests/interop/redis_store.h"

namespace lockboard::test {

class InteropRedisLocksTest final : public InteropLocksTest {
    Q_OBJECT

public:
    InteropRedisLocksTest()
        : InteropLocksTest(std::make_unique<RedisStore>())
    {
    }

private Q_SLOTS:
    void showsWhatMedusaDoes();
    void listsWhatMedusaHolds();
    void releaseAllFreesTheOwnerless();
    void releaseAllOfTheCommandLineFreesOneOwners();
    void ourExtraKeysAreNothingToMedusa();
    void medusaTakesWhatWeLeave();

private:
    [[nodiscard]] RedisStore& redis() const { return static_cast<RedisStore&>(store()); }
    [[nodiscard]] CtlRun ctl(const QByteArrayList& words) const;
};

void InteropRedisLocksTest::showsWhatMedusaDoes()
{
    m_medusa.run(u"acquire"_s, call({u"früh"_s}, u"ann"_s, 60));
    Watcher seen(lockboard());
    QTRY_VERIFY(seen.isLive());
    QCOMPARE(seen.locks.size(), 1u);
    QVERIFY(shows(seen, "früh", "ann"));
    QVERIFY(leaseShown(seen, "früh") > 50s && leaseShown(seen, "früh") <= 60s);

    m_medusa.run(u"acquire"_s, call({u"cart_1"_s, u"cart_2"_s}, u"bob"_s, 30));
    m_medusa.run(u"acquire"_s, call({u"prod_1"_s}));
    QTRY_COMPARE_WITH_TIMEOUT(seen.locks.size(), 4u, 20'000);
    QVERIFY(shows(seen, "cart_1", "bob") && shows(seen, "cart_2", "bob"));
    QVERIFY(leaseShown(seen, "cart_2") > 10s && leaseShown(seen, "cart_2") <= 30s);
    QVERIFY(shows(seen, "prod_1", {}));
    QVERIFY(!seen.locks["prod_1"].leaseEnd);

    m_medusa.run(u"acquire"_s, call({u"cart_1"_s}, u"bob"_s, 90));
    QTRY_VERIFY_WITH_TIMEOUT(leaseShown(seen, "cart_1") > 80s, 20'000);
    m_medusa.run(u"releaseAll"_s, call({}, u"bob"_s));
    m_medusa.run(u"release"_s, call({u"prod_1"_s}));
    QTRY_COMPARE_WITH_TIMEOUT(seen.locks.size(), 1u, 20'000);

    QJsonObject job = call({u"order_1"_s}, {}, 60);
    job.insert(u"milliseconds"_s, 60'000); // longer than anyone looks
    m_medusa.begin(u"execute"_s, job);
    QTRY_VERIFY_WITH_TIMEOUT(seen.locks.contains("order_1"), 20'000);
    const Owner running = seen.locks["order_1"].owner;
    QVERIFY(running->starts_with("execute:"));
    QCOMPARE(QString::fromStdString(*running), owner(u"order_1"_s));
    QVERIFY(leaseShown(seen, "order_1") > 40s && leaseShown(seen, "order_1") <= 60s);
}

CtlRun InteropRedisLocksTest::ctl(const QByteArrayList& words) const
{
    Ctl program;
    program.alwaysWith({"--connect", store().url().toUtf8()});
    return program.run(words);
}

void InteropRedisLocksTest::listsWhatMedusaHolds()
{
    m_medusa.run(u"acquire"_s, call({u"cart_1"_s}, u"ann"_s, 60));
    m_medusa.run(u"acquire"_s, call({u"prod_1"_s}));
    const CtlRun run = ctl({"list", "--json"});
    QCOMPARE(run.code, 0);
    std::map<QString, QJsonObject> locks;
    for (const QJsonObject& lock : run.json())
        locks[lock[u"key"].toString()] = lock;
    QCOMPARE(locks.size(), 2u);
    QCOMPARE(locks[u"cart_1"_s][u"owner"].toString(), u"ann"_s);
    const int left = locks[u"cart_1"_s][u"ttlMs"].toInt();
    QVERIFY2(left > 50'000 && left <= 60'000, qPrintable(QString::number(left)));
    QVERIFY(locks[u"prod_1"_s][u"owner"].isNull());
    QVERIFY(locks[u"prod_1"_s][u"ttlMs"].isNull());
}

//! Medusa's own: those without owner; the guide's: all.
void InteropRedisLocksTest::releaseAllFreesTheOwnerless()
{
    makeAMix();
    m_medusa.run(u"releaseAll"_s, call({}));
    QCOMPARE(keys().size(), 6);
    QVERIFY(!keys().contains(u"free_1"_s));
    QCOMPARE(await(ours().releaseAll()).released, 6u);
}

void InteropRedisLocksTest::releaseAllOfTheCommandLineFreesOneOwners()
{
    makeAMix();
    const CtlRun run = ctl({"release-all", "--owner", "ann", "--yes", "--json"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.json().value(0)[u"released"].toInt(), 4);
    QCOMPARE(keys(), (QStringList{u"anna_1"_s, u"bob_1"_s, u"free_1"_s}));
}

void InteropRedisLocksTest::ourExtraKeysAreNothingToMedusa()
{
    const RedisModule noted(redis().server, u", \"fencing\": true, \"annotate\": true"_s);
    await(noted->acquire("a", AcquireOptions().ownedBy("ann").expiringIn(60s)));
    await(noted->acquire(LockKeys("b", "c"), AcquireOptions().ownedBy("ann")));
    await(noted->acquire("d"));
    const auto extra = [this] { return redis().cli(u"KEYS lockboard:*"_s).split(u'\n').size(); };
    QCOMPARE(extra(), 5); // four notes, one counter
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"bob"_s, 60)), refusalOf(u"a"_s));
    m_medusa.run(u"release"_s, call({u"a"_s}, u"ann"_s));
    QCOMPARE(keys(), (QStringList{u"b"_s, u"c"_s, u"d"_s}));
    m_medusa.run(u"releaseAll"_s, call({}, u"ann"_s));
    m_medusa.run(u"releaseAll"_s, call({}));
    QCOMPARE(keys(), QStringList());
    QCOMPARE(extra(), 5); // not touched: each ends by itself, the counter stays

    // What Medusa takes then is not taken for what the old notes say.
    m_medusa.run(u"acquire"_s, call({u"a"_s, u"b"_s}, u"bob"_s, 60));
    Watcher seen(noted);
    QTRY_VERIFY(seen.isLive());
    QVERIFY(shows(seen, "a", "bob") && shows(seen, "b", "bob"));
    QVERIFY(seen.locks["a"].note.isEmpty() && !seen.locks["a"].token);
    const Grant grant = await(noted->acquire("a", AcquireOptions().ownedBy("bob").expiringIn(60s)));
    QTRY_COMPARE(seen.locks["a"].token, grant.token());
    QVERIFY(await(noted->release("a", ReleaseOptions().ownedBy("bob"))).allReleased());
}

void InteropRedisLocksTest::medusaTakesWhatWeLeave()
{
    await(ours().acquire("a", AcquireOptions().ownedBy("ann").expiringIn(1s)));
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"bob"_s, 60)), refusalOf(u"a"_s));
    QTRY_COMPARE_WITH_TIMEOUT(refusal(u"acquire"_s, call({u"a"_s}, u"bob"_s, 60)), QString(), 3000);
    QCOMPARE(owner(u"a"_s), u"bob"_s);
    const auto late = await(ours().release("a", ReleaseOptions().ownedBy("ann"))).of("a");
    QCOMPARE(late.holder, Owner("bob")); // who comes too late frees nothing
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::InteropRedisLocksTest)
#include "tst_interop_locks.moc"
