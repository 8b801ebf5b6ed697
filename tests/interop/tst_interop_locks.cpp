// SPDX-License-Identifier: MIT
#include "tests/cli/ctl.h"
#include "tests/interop/interop_fixture.h"
#include "tests/interop/seen.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! What Medusa writes we see, respect and free, and the other way round.
class InteropLocksTest final : public InteropTest {
    Q_OBJECT

private Q_SLOTS:
    void showsWhatMedusaDoes();
    void listsWhatMedusaHolds();
    void acquireExcludesAcquire();
    void ownerlessLocksExclude();
    void theSameOwnerReenters();
    void releasesOnlyTheOwners();
    void releasesTheOwnerless();
    void releaseAllFreesOneOwners();
    void releaseAllOfTheCommandLineFreesOneOwners();
    void ourExtraKeysAreNothingToMedusa();
    void medusaTakesWhatWeLeave();
    void weTakeWhatMedusaLeaves();

private:
    //! Two owners' locks of Medusa's, one of ours, one without owner.
    void makeAMix();
    [[nodiscard]] CtlRun ctl(const QByteArrayList& words) const;
};

static QString refusalOf(const QString& key)
{
    return u"Failed to acquire lock for key \"%1\""_s.arg(key);
}

void InteropLocksTest::showsWhatMedusaDoes()
{
    m_medusa.run(u"acquire"_s, call({u"früh"_s}, u"ann"_s, 60));
    Seen seen(ours());
    QTRY_VERIFY(seen.complete);
    QCOMPARE(seen.locks.size(), 1u);
    QVERIFY(seen.has("früh", "ann"));
    QVERIFY(seen.lease("früh") > 50s && seen.lease("früh") <= 60s);

    m_medusa.run(u"acquire"_s, call({u"cart_1"_s, u"cart_2"_s}, u"bob"_s, 30));
    m_medusa.run(u"acquire"_s, call({u"prod_1"_s}));
    QTRY_COMPARE_WITH_TIMEOUT(seen.locks.size(), 4u, 20'000);
    QVERIFY(seen.has("cart_1", "bob") && seen.has("cart_2", "bob"));
    QVERIFY(seen.lease("cart_2") > 10s && seen.lease("cart_2") <= 30s);
    QVERIFY(seen.has("prod_1", {}));
    QVERIFY(!seen.locks["prod_1"].leaseEnd);

    m_medusa.run(u"acquire"_s, call({u"cart_1"_s}, u"bob"_s, 90));
    QTRY_VERIFY_WITH_TIMEOUT(seen.lease("cart_1") > 80s, 20'000);
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
    QVERIFY(seen.lease("order_1") > 40s && seen.lease("order_1") <= 60s);
}

CtlRun InteropLocksTest::ctl(const QByteArrayList& words) const
{
    Ctl program;
    program.alwaysWith({"--connect", m_server.url().toUtf8()});
    return program.run(words);
}

void InteropLocksTest::listsWhatMedusaHolds()
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

void InteropLocksTest::acquireExcludesAcquire()
{
    m_medusa.run(u"acquire"_s, call({u"b"_s}, u"ann"_s, 60));
    const auto conflict =
        thrownBy<Conflict>(ours().acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("bob")));
    QCOMPARE(conflict.message(), refusalOf(u"b"_s).toStdString());
    QCOMPARE(conflict.key(), std::string("b"));
    QCOMPARE(conflict.holder(), Owner("ann"));
    QVERIFY(conflict.remaining() > 50s && conflict.remaining() <= 60s);
    QCOMPARE(keys(), QStringList{u"b"_s}); // all or nothing
    thrownBy<Conflict>(ours().acquire("b"));

    await(ours().acquire("c", AcquireOptions().ownedBy("bob").expiringIn(60s)));
    QCOMPARE(refusal(u"acquire"_s, call({u"c"_s}, u"ann"_s, 90)), refusalOf(u"c"_s));
    QCOMPARE(refusal(u"acquire"_s, call({u"c"_s})), refusalOf(u"c"_s));
    QCOMPARE(owner(u"c"_s), u"bob"_s);
    QVERIFY(ttl(u"c"_s) <= 60'000);
}

void InteropLocksTest::ownerlessLocksExclude()
{
    QFETCH_GLOBAL(QString, resolve);
    await(ours().acquire("a"));
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s})), refusalOf(u"a"_s));
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"ann"_s)), refusalOf(u"a"_s));

    m_medusa.run(u"acquire"_s, call({u"b"_s}));
    AcquireOptions bob;
    bob.ownedBy("bob").expiringIn(60s);
    if (resolve == u"redis") { // the guide: it is there to be claimed
        await(ours().acquire("b", bob));
        QCOMPARE(refusal(u"acquire"_s, call({u"b"_s}, u"ann"_s)), refusalOf(u"b"_s));
        QCOMPARE(owner(u"b"_s), u"bob"_s);
        m_medusa.run(u"acquire"_s, call({u"c"_s}));
        const auto conflict = thrownBy<Conflict>(ours().acquire("c", bob.exclusively()));
        QCOMPARE(conflict.holder(), Owner());
    } else {
        const auto conflict = thrownBy<Conflict>(ours().acquire("b", bob));
        QCOMPARE(conflict.holder(), Owner());
        thrownBy<Conflict>(ours().acquire("b"));
        QCOMPARE(owner(u"b"_s), u"*"_s);
    }
}

void InteropLocksTest::theSameOwnerReenters()
{
    m_medusa.run(u"acquire"_s, call({u"a"_s}, u"ann"_s, 30));
    AcquireOptions ann;
    ann.ownedBy("ann").expiringIn(60s);
    QVERIFY(await(ours().acquire("a", ann)).isExtension());
    QVERIFY(ttl(u"a"_s) > 50'000);
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"ann"_s, 90)), QString());
    QVERIFY(ttl(u"a"_s) > 80'000);
    QVERIFY(await(ours().release("a", ReleaseOptions().ownedBy("ann"))).allReleased());
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"bob"_s)), QString());
}

void InteropLocksTest::releasesOnlyTheOwners()
{
    m_medusa.run(u"acquire"_s, call({u"a"_s}, u"ann"_s, 60));
    KeyRelease refused = await(ours().release("a", ReleaseOptions().ownedBy("bob"))).of("a");
    QCOMPARE(refused.outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(refused.holder, Owner("ann"));
    refused = await(ours().release("a")).of("a");
    QCOMPARE(refused.outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(owner(u"a"_s), u"ann"_s);
    QVERIFY(await(ours().release("a", ReleaseOptions().ownedBy("ann"))).allReleased());
    QCOMPARE(m_medusa.run(u"release"_s, call({u"a"_s}, u"ann"_s)), QJsonValue(false));

    await(ours().acquire(LockKeys("b", "c"), AcquireOptions().ownedBy("bob")));
    QCOMPARE(m_medusa.run(u"release"_s, call({u"b"_s}, u"ann"_s)), QJsonValue(false));
    QCOMPARE(m_medusa.run(u"release"_s, call({u"b"_s})), QJsonValue(false));
    QCOMPARE(owner(u"b"_s), u"bob"_s);
    QCOMPARE(m_medusa.run(u"release"_s, call({u"b"_s, u"c"_s}, u"bob"_s)), QJsonValue(true));
    const auto gone = await(ours().release("b", ReleaseOptions().ownedBy("bob"))).of("b");
    QCOMPARE(gone.outcome, ReleaseOutcome::NotHeld);
}

void InteropLocksTest::releasesTheOwnerless()
{
    m_medusa.run(u"acquire"_s, call({u"a"_s}));
    QVERIFY(await(ours().release("a")).allReleased());
    await(ours().acquire("b"));
    QCOMPARE(m_medusa.run(u"release"_s, call({u"b"_s}, u"ann"_s)), QJsonValue(false));
    QCOMPARE(m_medusa.run(u"release"_s, call({u"b"_s})), QJsonValue(true));
    QVERIFY(keys().isEmpty());
}

void InteropLocksTest::makeAMix()
{
    m_medusa.run(u"acquire"_s, call({u"ann_1"_s, u"ann_2"_s}, u"ann"_s, 60));
    m_medusa.run(u"acquire"_s, call({u"ann_3"_s}, u"ann"_s));
    m_medusa.run(u"acquire"_s, call({u"anna_1"_s}, u"anna"_s, 60));
    m_medusa.run(u"acquire"_s, call({u"free_1"_s}));
    await(ours().acquire("ann_4", AcquireOptions().ownedBy("ann").expiringIn(60s)));
    await(ours().acquire("bob_1", AcquireOptions().ownedBy("bob")));
    QCOMPARE(keys().size(), 7);
}

void InteropLocksTest::releaseAllFreesOneOwners()
{
    const QStringList others{u"anna_1"_s, u"bob_1"_s, u"free_1"_s};
    makeAMix();
    QCOMPARE(await(ours().releaseAll(ReleaseAllOptions().ownedBy("ann"))).released, 4u);
    QCOMPARE(keys(), others);
    cli(u"FLUSHALL"_s);
    makeAMix();
    m_medusa.run(u"releaseAll"_s, call({}, u"ann"_s));
    QCOMPARE(keys(), others);
    m_medusa.run(u"releaseAll"_s, call({})); // Medusa's: the ownerless ones
    QCOMPARE(keys(), (QStringList{u"anna_1"_s, u"bob_1"_s}));
    QCOMPARE(await(ours().releaseAll()).released, 2u); // the guide's: all
}

void InteropLocksTest::releaseAllOfTheCommandLineFreesOneOwners()
{
    makeAMix();
    const CtlRun run = ctl({"release-all", "--owner", "ann", "--yes", "--json"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.json().value(0)[u"released"].toInt(), 4);
    QCOMPARE(keys(), (QStringList{u"anna_1"_s, u"bob_1"_s, u"free_1"_s}));
}

void InteropLocksTest::ourExtraKeysAreNothingToMedusa()
{
    const RedisModule noted(m_server, u", \"fencing\": true, \"annotate\": true"_s);
    await(noted->acquire("a", AcquireOptions().ownedBy("ann").expiringIn(60s)));
    await(noted->acquire(LockKeys("b", "c"), AcquireOptions().ownedBy("ann")));
    await(noted->acquire("d"));
    const auto extra = [this] { return cli(u"KEYS lockboard:*"_s).split(u'\n').size(); };
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
    Seen seen(*noted.operator->());
    QTRY_VERIFY(seen.complete);
    QVERIFY(seen.has("a", "bob") && seen.has("b", "bob"));
    QVERIFY(seen.locks["a"].note.isEmpty() && !seen.locks["a"].token);
    const Grant grant = await(noted->acquire("a", AcquireOptions().ownedBy("bob").expiringIn(60s)));
    QTRY_COMPARE(seen.locks["a"].token, grant.token());
    QVERIFY(await(noted->release("a", ReleaseOptions().ownedBy("bob"))).allReleased());
}

void InteropLocksTest::medusaTakesWhatWeLeave()
{
    await(ours().acquire("a", AcquireOptions().ownedBy("ann").expiringIn(1s)));
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"bob"_s, 60)), refusalOf(u"a"_s));
    QTRY_COMPARE_WITH_TIMEOUT(refusal(u"acquire"_s, call({u"a"_s}, u"bob"_s, 60)), QString(), 3000);
    QCOMPARE(owner(u"a"_s), u"bob"_s);
    const auto late = await(ours().release("a", ReleaseOptions().ownedBy("ann"))).of("a");
    QCOMPARE(late.holder, Owner("bob")); // who comes too late frees nothing
}

void InteropLocksTest::weTakeWhatMedusaLeaves()
{
    const QJsonObject ann = call({u"a"_s}, u"ann"_s, 1);
    m_medusa.run(u"acquire"_s, ann);
    AcquireOptions bob;
    bob.ownedBy("bob").expiringIn(60s);
    thrownBy<Conflict>(ours().acquire("a", bob));
    await(ours().acquire("a", bob.waiting(3s)));
    QCOMPARE(owner(u"a"_s), u"bob"_s);
    QCOMPARE(m_medusa.run(u"release"_s, ann), QJsonValue(false));
    QCOMPARE(owner(u"a"_s), u"bob"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::InteropLocksTest)
#include "tst_interop_locks.moc"
