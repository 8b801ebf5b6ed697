// SPDX-License-Identifier: MIT
#include "tests/interop/lock_cases.h"

namespace lockboard::test {

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
    QVERIFY(lease(u"c"_s) <= 60);
}

void InteropLocksTest::onlyOneOfTwoGetsALock()
{
    constexpr int rounds = 100;
    for (int i = 0; i < rounds; ++i) {
        const QString key = u"race_%1"_s.arg(i);
        // Who begins has an advantage: each in half of the rounds.
        int theirs = i % 2 == 0 ? m_medusa.begin(u"acquire"_s, call({key}, u"ann"_s, 60)) : 0;
        Task<Grant> task =
            ours().acquire(key.toStdString(), AcquireOptions().ownedBy("bob").expiringIn(60s));
        if (theirs == 0)
            theirs = m_medusa.begin(u"acquire"_s, call({key}, u"ann"_s, 60));
        bool granted = true;
        try {
            await(std::move(task));
        } catch (const Conflict&) {
            granted = false;
        }
        QCOMPARE(!m_medusa.refusal(theirs).isEmpty(), granted);
        QCOMPARE(owner(key), granted ? u"bob"_s : u"ann"_s);
    }
}

void InteropLocksTest::ownerlessLocksExclude()
{
    await(ours().acquire("a"));
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s})), refusalOf(u"a"_s));
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"ann"_s)), refusalOf(u"a"_s));

    m_medusa.run(u"acquire"_s, call({u"b"_s}));
    AcquireOptions bob;
    bob.ownedBy("bob").expiringIn(60s);
    if (!isUnderMedusasName()) { // the guide: it is there to be claimed
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
        QVERIFY(keys().contains(u"b"_s) && owner(u"b"_s).isNull());
    }
}

void InteropLocksTest::theSameOwnerReenters()
{
    m_medusa.run(u"acquire"_s, call({u"a"_s}, u"ann"_s, 30));
    AcquireOptions ann;
    ann.ownedBy("ann").expiringIn(60s);
    QVERIFY(await(ours().acquire("a", ann)).isExtension());
    QVERIFY(lease(u"a"_s) > 50);
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"ann"_s, 90)), QString());
    QVERIFY(lease(u"a"_s) > 80);
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
    store().empty();
    makeAMix();
    m_medusa.run(u"releaseAll"_s, call({}, u"ann"_s));
    QCOMPARE(keys(), others);
    QCOMPARE(await(ours().releaseAll()).released, 3u);
    QVERIFY(keys().isEmpty());
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
