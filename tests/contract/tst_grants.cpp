// SPDX-License-Identifier: MIT
#include "tests/contract/subject.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! A grant says key by key what it did (Grant), and an operator's release takes away
//! the very grant that was seen, or nothing.
class TestGrants final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void eachKeyHasItsOwn();
    void releasesWhatWasSeen();
    void leavesAnotherOwners();
    void leavesAGrantThatCameAfter();
    void leavesAnotherLeaseWithoutOwner();
    void releasesAnExtendedJob();
    void judgesKeyByKey();
};

static SeenLock seen(Subject& subject, const std::string& key)
{
    return SeenLock(subject.find(key).value());
}

static ReleaseOptions expecting(std::vector<SeenLock> locks)
{
    return ReleaseOptions().expecting(std::move(locks));
}

void TestGrants::eachKeyHasItsOwn()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("b", AcquireOptions().ownedBy("X").expiringIn(20s)));
    await(locks.acquire("c", AcquireOptions().ownedBy("X")));
    const Grant grant =
        await(locks.acquire(LockKeys("a", "b", "c"), AcquireOptions().ownedBy("X")));
    QVERIFY(grant.isExtension());
    QVERIFY(!grant.of("a").extended); // new, and never expires
    QVERIFY(!grant.of("a").leaseEnd);
    QVERIFY(grant.of("b").extended); // keeps the lease it has
    QVERIFY(grant.of("b").leaseEnd);
    QCOMPARE(grant.leaseEnd(), grant.of("b").leaseEnd);
    const Duration left =
        std::chrono::duration_cast<Duration>(*grant.of("b").leaseEnd - subject->clock().now());
    QVERIFY2(left > 10s && left <= 20s, qPrintable(QString::number(left.count())));
    QVERIFY(grant.of("c").extended);
    QVERIFY(!grant.of("c").leaseEnd);
    const std::vector<KeyGrant> all = grant.outcomes(LockKeys("a", "b", "c"));
    QCOMPARE(all.size(), std::size_t(3));
    QCOMPARE(all[1], grant.of("b"));

    const Grant leased =
        await(locks.acquire(LockKeys("a", "d"), AcquireOptions().ownedBy("X").expiringIn(30s)));
    QVERIFY(leased.of("a").extended && leased.of("a").leaseEnd);
    QVERIFY(!leased.of("d").extended && leased.of("d").leaseEnd);
}

void TestGrants::releasesWhatWasSeen()
{
    const auto subject = makeSubject(Ownerless::Exclusive);
    LockingModule& locks = subject->module();
    await(locks.acquire("owned", AcquireOptions().ownedBy("X").expiringIn(30s)));
    await(locks.acquire("forever", AcquireOptions().ownedBy("X")));
    await(locks.acquire("nobody", AcquireOptions().expiringIn(30s)));
    await(locks.acquire("nobody forever"));
    const std::vector<SeenLock> all{seen(*subject, "owned"), seen(*subject, "forever"),
                                    seen(*subject, "nobody"), seen(*subject, "nobody forever")};
    const LockKeys keys("owned", "forever", "nobody", "nobody forever");
    QVERIFY(await(locks.release(keys, expecting(all))).allReleased());
    QVERIFY(subject->locks().isEmpty());
    const ReleaseResult again = await(locks.release(keys, expecting(all)));
    QCOMPARE(again.left().size(), std::size_t(4));
    QCOMPARE(again.of("owned").outcome, ReleaseOutcome::NotHeld);
}

void TestGrants::leavesAnotherOwners()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    await(locks.acquire("n"));
    const std::vector<SeenLock> before{seen(*subject, "k"), seen(*subject, "n")};
    await(locks.releaseAll());
    await(locks.acquire("k", AcquireOptions().ownedBy("Y")));
    await(locks.acquire("n", AcquireOptions().ownedBy("Y")));
    const ReleaseResult result = await(locks.release(LockKeys("k", "n"), expecting(before)));
    for (const char* const key : {"k", "n"}) {
        QCOMPARE(result.of(key).outcome, ReleaseOutcome::HeldByOther);
        QCOMPARE(result.of(key).holder, Owner("Y"));
        QVERIFY(subject->find(key));
    }
}

void TestGrants::leavesAGrantThatCameAfter()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    const AcquireOptions mine = AcquireOptions().ownedBy("X");
    await(locks.acquire("k", mine));
    const SeenLock first = seen(*subject, "k");
    await(locks.release("k", ReleaseOptions().ownedBy("X")));
    await(locks.acquire("k", mine));
    const ReleaseResult result = await(locks.release("k", expecting({first})));
    if (first.token) { // nothing else tells two grants to one owner apart
        QCOMPARE(result.of("k").outcome, ReleaseOutcome::Changed);
        QCOMPARE(result.of("k").holder, Owner("X"));
        QVERIFY(subject->find("k"));
    } else {
        QVERIFY(result.allReleased());
    }
}

void TestGrants::leavesAnotherLeaseWithoutOwner()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    for (const Duration again : {30'000ms, 0ms}) {
        await(locks.acquire("k", AcquireOptions().expiringIn(10s)));
        const SeenLock first = seen(*subject, "k");
        await(locks.release("k"));
        AcquireOptions options;
        if (again > 0ms)
            options.expiringIn(again);
        await(locks.acquire("k", options));
        const ReleaseResult result = await(locks.release("k", expecting({first})));
        QCOMPARE(result.of("k").outcome, ReleaseOutcome::Changed);
        QVERIFY(!result.of("k").holder);
        QVERIFY(subject->find("k"));
        await(locks.release("k"));
    }
}

//! A renewal is no other grant: an operator can let go of a job that runs.
void TestGrants::releasesAnExtendedJob()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    const auto job = [&clock](std::stop_token token) -> Task<int> {
        while (!token.stop_requested())
            co_await SleepFor(clock, 10ms);
        co_return 0;
    };
    const Pending running(locks.execute("k", job, ExecuteOptions().expiringIn(600ms)));
    QVERIFY(subject->passUntil([&] { return subject->find("k").has_value(); }));
    const SeenLock first = seen(*subject, "k");
    subject->pass(1500ms); // renewed meanwhile
    QVERIFY(await(locks.release("k", expecting({first}))).allReleased());
    QVERIFY(subject->passUntil([&] { return running.isDone(); }));
    QCOMPARE(running.errorCode(), ErrorCode::Lost);
}

void TestGrants::judgesKeyByKey()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    const AcquireOptions x = AcquireOptions().ownedBy("X").expiringIn(30s);
    await(locks.acquire(LockKeys("a", "b", "c", "d"), x));
    std::vector<SeenLock> all;
    for (const char* const key : {"a", "b", "c", "d"})
        all.push_back(seen(*subject, key));
    await(locks.release(LockKeys("b", "c"), ReleaseOptions().ownedBy("X")));
    await(locks.acquire("b", AcquireOptions().ownedBy("Y")));
    await(locks.acquire("e", x)); // nobody has seen it
    const ReleaseResult result =
        await(locks.release(LockKeys("a", "b", "c", "d", "e"), expecting(all)));
    QCOMPARE(result.of("a").outcome, ReleaseOutcome::Released);
    QCOMPARE(result.of("b").outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(result.of("c").outcome, ReleaseOutcome::NotHeld);
    QCOMPARE(result.of("d").outcome, ReleaseOutcome::Released);
    QCOMPARE(result.of("e").outcome, ReleaseOutcome::HeldByOther); // no owner was passed
}

QTEST_GUILESS_MAIN(TestGrants)
#include "tst_grants.moc"
