// SPDX-License-Identifier: MIT
#include "tests/contract/subject.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

Q_DECLARE_METATYPE(lockboard::Ownerless)
Q_DECLARE_METATYPE(lockboard::Owner)
Q_DECLARE_METATYPE(lockboard::ReleaseOutcome)

//! The table at LockProvider::release, a row a case, and releaseAll.
class TestRelease final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void table_data();
    void table();
    void severalKeysEachByItself();
    void releaseAll();
    void releaseAllOfOneOwner();
    void releaseAllIsCancelled();
    void releaseAllReportsProgress();
};

enum State { Free, Over, HeldByX, HeldWithoutOwner };
Q_DECLARE_METATYPE(State)

void TestRelease::table_data()
{
    QTest::addColumn<Ownerless>("policy");
    QTest::addColumn<State>("state");
    QTest::addColumn<Owner>("caller");
    QTest::addColumn<ReleaseOutcome>("outcome");

    using enum ReleaseOutcome;
    const Owner x("X"), y("Y"), none;
    const auto row = [](const char* name, State state, const Owner& caller,
                        ReleaseOutcome claimable, ReleaseOutcome exclusive) {
        QTest::newRow(qPrintable(QLatin1String("claimable: ") + QLatin1String(name)))
            << Ownerless::Claimable << state << caller << claimable;
        QTest::newRow(qPrintable(QLatin1String("exclusive: ") + QLatin1String(name)))
            << Ownerless::Exclusive << state << caller << exclusive;
    };
    row("held by X, X", HeldByX, x, Released, Released);
    row("held by X, Y", HeldByX, y, HeldByOther, HeldByOther);
    row("held by X, without owner", HeldByX, none, HeldByOther, HeldByOther);
    row("held without owner, without owner", HeldWithoutOwner, none, Released, Released);
    row("held without owner, any owner", HeldWithoutOwner, y, Released, HeldByOther);
    row("free, X", Free, x, NotHeld, NotHeld);
    row("free, without owner", Free, none, NotHeld, NotHeld);
    row("lease over, X", Over, x, NotHeld, NotHeld);
}

void TestRelease::table()
{
    QFETCH(Ownerless, policy);
    QFETCH(State, state);
    QFETCH(Owner, caller);
    QFETCH(ReleaseOutcome, outcome);

    const auto subject = makeSubject(policy);
    LockingModule& locks = subject->module();
    if (state == Over) {
        await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(50ms)));
        subject->pass(50ms + subject->tolerance());
    } else if (state == HeldByX) {
        await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    } else if (state == HeldWithoutOwner) {
        await(locks.acquire("k"));
    }

    const ReleaseResult result = await(locks.release("k", ReleaseOptions().ownedBy(caller)));
    QCOMPARE(result.of("k").key, std::string("k"));
    QCOMPARE(result.of("k").outcome, outcome);
    QCOMPARE(result.allReleased(), outcome == ReleaseOutcome::Released);
    const auto lock = subject->find("k");
    QCOMPARE(lock.has_value(), outcome == ReleaseOutcome::HeldByOther);
    if (lock) {
        QCOMPARE(result.of("k").holder, state == HeldByX ? Owner("X") : Owner());
        QCOMPARE(lock->owner, result.of("k").holder);
    }
}

void TestRelease::severalKeysEachByItself()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("a", AcquireOptions().ownedBy("X")));
    await(locks.acquire("b", AcquireOptions().ownedBy("Y")));
    const ReleaseResult result =
        await(locks.release(LockKeys("c", "b", "a"), ReleaseOptions().ownedBy("X")));
    QVERIFY(!result.allReleased());
    QCOMPARE(result.left().size(), 2u);
    QCOMPARE(result.of("a").outcome, ReleaseOutcome::Released);
    QCOMPARE(result.of("b").outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(result.of("b").holder, Owner("Y"));
    QCOMPARE(result.of("c").outcome, ReleaseOutcome::NotHeld);
}

static void fill(LockingModule& locks, int count)
{
    for (int i = 0; i < count; ++i) {
        AcquireOptions options;
        if (i % 3 != 0)
            options.ownedBy(i % 3 == 1 ? "X" : "Y");
        await(locks.acquire("k" + std::to_string(i), options));
    }
}

void TestRelease::releaseAll()
{
    const auto subject = makeSubject(Ownerless::Exclusive);
    fill(subject->module(), 30);
    const ReleaseAllResult result = await(subject->module().releaseAll());
    QCOMPARE(result.released, 30u); // every owner's and those without: the guide, not the package
    QCOMPARE(result.left(), 0u);
    QVERIFY(!result.cancelled);
    QVERIFY(subject->locks().isEmpty());
    QCOMPARE(await(subject->module().releaseAll()).released, 0u);
}

void TestRelease::releaseAllOfOneOwner()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    fill(subject->module(), 30);
    const ReleaseAllResult result =
        await(subject->module().releaseAll(ReleaseAllOptions().ownedBy("X")));
    QCOMPARE(result.released, 10u);
    const LockBatch left = subject->locks();
    QCOMPARE(left.size(), 20);
    for (const Lock& lock : left)
        QVERIFY(lock.owner != Owner("X"));
}

void TestRelease::releaseAllIsCancelled()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    fill(subject->module(), 3);
    std::stop_source stop;
    stop.request_stop();
    const ReleaseAllResult result =
        await(subject->module().releaseAll(ReleaseAllOptions().stoppedBy(stop.get_token())));
    QVERIFY(result.cancelled);
    QCOMPARE(result.released, 0u);
    QCOMPARE(subject->locks().size(), 3);
}

void TestRelease::releaseAllReportsProgress()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    fill(subject->module(), 9);
    std::uint64_t released = 0;
    std::uint64_t seen = 0;
    ReleaseAllOptions options;
    options.reportingTo([&](std::uint64_t r, std::uint64_t s) { released = r, seen = s; });
    await(subject->module().releaseAll(options));
    QCOMPARE(released, 9u);
    QVERIFY(seen >= 9u);
}

QTEST_GUILESS_MAIN(TestRelease)
#include "tst_release.moc"
