// SPDX-License-Identifier: MIT
#include "tests/contract/subject.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

Q_DECLARE_METATYPE(lockboard::Ownerless)
Q_DECLARE_METATYPE(lockboard::Owner)

//! The table at LockProvider::acquire, a row a case.
class TestAcquire final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void table_data();
    void table();
    void exclusiveCallUnderClaimable();
    void leaseOfNewLock();
    void leaseIsKeptWhenNoneIsAsked();
    void leaseCanBeAddedAndShortened();
    void leaseOverIsFree();
    void conflictSaysWhoAndHowLong();
    void severalKeysAllOrNone();
    void severalKeysExtendTogether();
    void duplicateKeys();
    void tokensGrow();
    void nonTextKeysAndOwners();
    void longAndManyKeys();
};

enum State { Free, Over, HeldByX, HeldWithoutOwner };
enum Outcome { Granted, Refused };
Q_DECLARE_METATYPE(State)
Q_DECLARE_METATYPE(Outcome)

void TestAcquire::table_data()
{
    QTest::addColumn<Ownerless>("policy");
    QTest::addColumn<State>("state");
    QTest::addColumn<Owner>("caller");
    QTest::addColumn<Outcome>("outcome");
    QTest::addColumn<Owner>("ownerAfter");

    const Owner x("X"), y("Y"), none;
    const auto row = [](const char* name, State state, const Owner& caller, Outcome claimable,
                        Outcome exclusive, const Owner& claimableAfter,
                        const Owner& exclusiveAfter) {
        QTest::newRow(qPrintable(QLatin1String("claimable: ") + QLatin1String(name)))
            << Ownerless::Claimable << state << caller << claimable << claimableAfter;
        QTest::newRow(qPrintable(QLatin1String("exclusive: ") + QLatin1String(name)))
            << Ownerless::Exclusive << state << caller << exclusive << exclusiveAfter;
    };
    row("free, with owner", Free, x, Granted, Granted, x, x);
    row("free, without owner", Free, none, Granted, Granted, none, none);
    row("lease over, other owner", Over, y, Granted, Granted, y, y);
    row("lease over, without owner", Over, none, Granted, Granted, none, none);
    row("held by X, X", HeldByX, x, Granted, Granted, x, x);
    row("held by X, Y", HeldByX, y, Refused, Refused, x, x);
    row("held by X, without owner", HeldByX, none, Refused, Refused, x, x);
    row("held without owner, without owner", HeldWithoutOwner, none, Granted, Refused, none, none);
    row("held without owner, Y", HeldWithoutOwner, y, Granted, Refused, y, none);
}

void TestAcquire::table()
{
    QFETCH(Ownerless, policy);
    QFETCH(State, state);
    QFETCH(Owner, caller);
    QFETCH(Outcome, outcome);
    QFETCH(Owner, ownerAfter);

    const auto subject = makeSubject(policy);
    LockingModule& locks = subject->module();
    if (state == Over) {
        await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(50ms)));
        subject->pass(50ms + subject->tolerance());
    } else if (state == HeldByX) {
        await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(10s)));
    } else if (state == HeldWithoutOwner) {
        await(locks.acquire("k", AcquireOptions().expiringIn(10s)));
    }

    const TimePoint before = subject->clock().now();
    const auto error =
        errorOf(locks.acquire("k", AcquireOptions().ownedBy(caller).expiringIn(60s)));
    const auto lock = subject->find("k");
    QVERIFY(lock);
    QCOMPARE(lock->owner, ownerAfter);
    QVERIFY(lock->leaseEnd);
    if (outcome == Granted) {
        QVERIFY(!error);
        QVERIFY(*lock->leaseEnd >= before + 59s); // new or extended, it is the lease asked for
    } else {
        QCOMPARE(error, ErrorCode::Conflict);
        QVERIFY(*lock->leaseEnd <= before + 11s); // untouched
    }
}

void TestAcquire::exclusiveCallUnderClaimable()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k"));
    QCOMPARE(errorOf(locks.acquire("k", AcquireOptions().exclusively())), ErrorCode::Conflict);
    QCOMPARE(errorOf(locks.acquire("k", AcquireOptions().ownedBy("Y").exclusively())),
             ErrorCode::Conflict);
    QCOMPARE(subject->find("k")->owner, Owner());
}

void TestAcquire::leaseOfNewLock()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    const TimePoint before = subject->clock().now();
    const Grant timed = await(locks.acquire("timed", AcquireOptions().expiringIn(1500ms)));
    QVERIFY(timed.leaseEnd());
    QVERIFY(*timed.leaseEnd() >= before + 1500ms);
    QVERIFY(*timed.leaseEnd() <= subject->clock().now() + 1500ms);
    QVERIFY(!timed.isExtension());
    const Grant forever = await(locks.acquire("forever"));
    QVERIFY(!forever.leaseEnd());
    QVERIFY(!subject->find("forever")->leaseEnd);
}

void TestAcquire::leaseIsKeptWhenNoneIsAsked()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    const AcquireOptions plain = AcquireOptions().ownedBy("X");
    AcquireOptions timed = plain;
    await(locks.acquire("k", timed.expiringIn(20s)));
    const TimePoint end = *subject->find("k")->leaseEnd;
    const Grant again = await(locks.acquire("k", plain));
    QVERIFY(again.isExtension());
    QVERIFY(again.leaseEnd());
    const auto drift = *subject->find("k")->leaseEnd - end;
    QVERIFY(drift < 1s && drift > -1s);
}

void TestAcquire::leaseCanBeAddedAndShortened()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(60s)));
    QVERIFY(*subject->find("k")->leaseEnd > subject->clock().now() + 50s);
    await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(5s)));
    QVERIFY(*subject->find("k")->leaseEnd < subject->clock().now() + 6s);
}

void TestAcquire::leaseOverIsFree()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(60ms)));
    subject->pass(60ms + subject->tolerance());
    QVERIFY(!subject->find("k"));
}

void TestAcquire::conflictSaysWhoAndHowLong()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(30s)));
    try {
        await(locks.acquire("k", AcquireOptions().ownedBy("Y")));
        QFAIL("granted");
    } catch (const Conflict& conflict) {
        QCOMPARE(conflict.what(), "Failed to acquire lock for key \"k\"");
        QCOMPARE(conflict.key(), std::string("k"));
        QCOMPARE(conflict.holder(), Owner("X"));
        QVERIFY(conflict.remaining());
        QVERIFY(*conflict.remaining() <= 30s && *conflict.remaining() > 25s);
    }
    await(locks.acquire("forever"));
    try {
        await(locks.acquire("forever", AcquireOptions().ownedBy("Y").exclusively()));
        QFAIL("granted");
    } catch (const Conflict& conflict) {
        QVERIFY(!conflict.holder());
        QVERIFY(!conflict.remaining());
    }
}

void TestAcquire::severalKeysAllOrNone()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("b", AcquireOptions().ownedBy("X")));
    try {
        await(locks.acquire(LockKeys("c", "b", "a"), AcquireOptions().ownedBy("Y")));
        QFAIL("granted");
    } catch (const Conflict& conflict) {
        QCOMPARE(conflict.key(), std::string("b"));
    }
    QVERIFY(!subject->find("a"));
    QVERIFY(!subject->find("c"));
    QCOMPARE(subject->find("b")->owner, Owner("X"));
}

void TestAcquire::severalKeysExtendTogether()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("a", AcquireOptions().ownedBy("X").expiringIn(10s)));
    const Grant grant =
        await(locks.acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("X").expiringIn(60s)));
    QVERIFY(grant.isExtension());
    QVERIFY(*subject->find("a")->leaseEnd > subject->clock().now() + 50s);
    QVERIFY(*subject->find("b")->leaseEnd > subject->clock().now() + 50s);
}

void TestAcquire::duplicateKeys()
{
    const auto subject = makeSubject(Ownerless::Exclusive);
    LockingModule& locks = subject->module();
    await(locks.acquire(LockKeys("a", "a"), AcquireOptions()));
    QCOMPARE(subject->locks().size(), 1);
    QVERIFY(await(locks.release(LockKeys("a", "a"))).allReleased());
}

void TestAcquire::tokensGrow()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    std::optional<FencingToken> last;
    const bool hasTokens = locks.providers().front().features.fencingTokens;
    const auto grows = [&](const Grant& grant) {
        const bool later =
            grant.token().has_value() == hasTokens && (!last || *grant.token() > *last);
        last = grant.token();
        return later;
    };
    const AcquireOptions x = AcquireOptions().ownedBy("X");
    for (int i = 0; i < 5; ++i) {
        QVERIFY(grows(await(locks.acquire("k", x))));
        QCOMPARE(subject->find("k")->token, last);
        QVERIFY(grows(await(locks.acquire("k", x)))); // extended: a grant too
        QVERIFY(grows(await(locks.acquire(LockKeys("k", "l"), x))));
        QCOMPARE(subject->find("k")->token, last);
        QCOMPARE(subject->find("l")->token, last);
        await(locks.release(LockKeys("k", "l"), ReleaseOptions().ownedBy("X")));
    }
    QVERIFY(grows(await(locks.acquire("k"))));
    QVERIFY(grows(await(locks.acquire("k", x)))); // claimed
    QVERIFY(grows(await(locks.acquire("k", AcquireOptions().ownedBy("X").waiting()))));
    const Pending waiting(locks.acquire("k", AcquireOptions().ownedBy("Y").waiting()));
    subject->pass(20ms);
    QVERIFY(grows(await(locks.acquire("k", AcquireOptions().ownedBy("X").waiting()))));
    await(locks.release("k", ReleaseOptions().ownedBy("X")));
    QVERIFY(subject->passUntil([&] { return waiting.isDone(); }));
    QVERIFY(grows(waiting.result()));
}

void TestAcquire::nonTextKeysAndOwners()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    const std::string key = std::string("\xff\xfe\r\n \"'\\", 8);
    const std::string owner = "b\xc3\xb6se \xf0\x9f\x94\x92";
    const std::string text = std::string("\xc3\xbf\r\n \"'\\{},NULL", 15);
    for (const std::string& one : {text, key}) {
        if (one == key && !subject->storesBytes()) {
            QCOMPARE(errorOf(locks.acquire(key)), ErrorCode::InvalidArgument);
            continue;
        }
        await(locks.acquire(one, AcquireOptions().ownedBy(owner).expiringIn(10s)));
        QCOMPARE(subject->find(one)->owner, Owner(owner));
        QVERIFY(await(locks.release(one, ReleaseOptions().ownedBy(owner))).allReleased());
    }
}

void TestAcquire::longAndManyKeys()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    std::vector<std::string> keys{std::string(64 * 1024, 'k')};
    for (int i = 0; i < 9'999; ++i)
        keys.push_back("key" + std::to_string(i));
    await(locks.acquire(LockKeys(keys), AcquireOptions().ownedBy("X").expiringIn(60s)));
    QCOMPARE(subject->locks().size(), 10'000);
    QVERIFY(await(locks.release(LockKeys(keys), ReleaseOptions().ownedBy("X"))).allReleased());
    QCOMPARE(subject->locks().size(), 0);
}

QTEST_GUILESS_MAIN(TestAcquire)
#include "tst_acquire.moc"
