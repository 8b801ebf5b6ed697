// SPDX-License-Identifier: MIT
#include "tests/contract/subject.h"

#include <QTest>

#include <thread>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! Acquires that wait: what LockProvider::acquire says below its table (Medusa's `awaitQueue`).
class TestWaiting final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void grantedAtRelease();
    void grantedAtLeaseEnd();
    void grantedAtOnceWhenFree();
    void timesOut();
    void waitsForAges();
    void isCancelled();
    void isCancelledFromAnotherThread();
    void isCancelledBeforeItStarts();
    void firstComeFirstServed();
    void sameOwnerReenters();
    void neverClaimsAnOwnerlessLock();
    void severalKeysWaitForAll();
    void oppositeOrdersDontDeadlock();
    void onesTimeOutLetsTheNextOn();
};

void TestWaiting::grantedAtRelease()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    const Pending waiting(
        locks.acquire("k", AcquireOptions().ownedBy("Y").expiringIn(30s).waiting()));
    subject->pass(50ms);
    QVERIFY(!waiting.isDone());
    await(locks.release("k", ReleaseOptions().ownedBy("X")));
    subject->pass(50ms + subject->tolerance());
    QVERIFY(waiting.hasResult());
    QVERIFY(waiting.result().leaseEnd());
    QCOMPARE(subject->find("k")->owner, Owner("Y"));
}

void TestWaiting::grantedAtLeaseEnd()
{
    const auto subject = makeSubject(Ownerless::Exclusive);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(400ms)));
    const Pending waiting(locks.acquire("k", AcquireOptions().ownedBy("Y").waiting(5s)));
    subject->pass(200ms);
    QVERIFY(!waiting.isDone());
    subject->pass(200ms + subject->tolerance());
    QVERIFY(waiting.hasResult());
    QCOMPARE(subject->find("k")->owner, Owner("Y"));
}

void TestWaiting::grantedAtOnceWhenFree()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    await(subject->module().acquire("k", AcquireOptions().ownedBy("Y").waiting(1s)));
    QCOMPARE(subject->find("k")->owner, Owner("Y"));
}

void TestWaiting::timesOut()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("b", AcquireOptions().ownedBy("X")));
    const Pending waiting(
        locks.acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("Y").waiting(300ms)));
    subject->pass(200ms);
    QVERIFY(!waiting.isDone());
    subject->pass(100ms + subject->tolerance());
    QCOMPARE(waiting.errorCode(), ErrorCode::TimedOut);
    QVERIFY(!subject->find("a"));
    try {
        static_cast<void>(waiting.result());
    } catch (const TimedOut& error) {
        QCOMPARE(error.what(), "Timed-out acquiring lock.");
    }
}

//! No clock could count with the time that is asked for here.
void TestWaiting::waitsForAges()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    const Pending acquiring(
        locks.acquire("k", AcquireOptions().ownedBy("Y").waiting(Duration::max())));
    const Pending executing(locks.execute(
        "k", [] { return 1; }, ExecuteOptions().timingOutAfter(Duration::max())));
    subject->pass(50ms);
    QVERIFY(!acquiring.isDone() && !executing.isDone());
    await(locks.release("k", ReleaseOptions().ownedBy("X")));
    subject->pass(50ms + subject->tolerance());
    QVERIFY(acquiring.hasResult());
    await(locks.release("k", ReleaseOptions().ownedBy("Y")));
    subject->pass(50ms + subject->tolerance());
    QTRY_VERIFY(executing.hasResult());
}

void TestWaiting::isCancelled()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    std::stop_source stop;
    const Pending waiting(
        locks.acquire("k", AcquireOptions().ownedBy("Y").waiting().stoppedBy(stop.get_token())));
    subject->pass(20ms);
    stop.request_stop();
    subject->pass(subject->tolerance());
    QCOMPARE(waiting.errorCode(), ErrorCode::Cancelled);
    await(locks.release("k", ReleaseOptions().ownedBy("X")));
    subject->pass(50ms);
    QVERIFY(!subject->find("k")); // not handed to one who left
}

void TestWaiting::isCancelledFromAnotherThread()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    std::stop_source stop;
    const Pending waiting(
        locks.acquire("k", AcquireOptions().waiting().stoppedBy(stop.get_token())));
    std::thread([&stop] { stop.request_stop(); }).join();
    subject->pass(subject->tolerance());
    QTRY_COMPARE(waiting.errorCode(), ErrorCode::Cancelled);
}

void TestWaiting::isCancelledBeforeItStarts()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    std::stop_source stop;
    stop.request_stop();
    QCOMPARE(errorOf(locks.acquire(
                 "k", AcquireOptions().ownedBy("Y").waiting().stoppedBy(stop.get_token()))),
             ErrorCode::Cancelled);
}

void TestWaiting::firstComeFirstServed()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("0")));
    std::vector<std::unique_ptr<Pending<Grant>>> waiting;
    for (int i = 1; i <= 5; ++i) {
        waiting.push_back(std::make_unique<Pending<Grant>>(
            locks.acquire("k", AcquireOptions().ownedBy(std::to_string(i)).waiting())));
    }
    for (std::size_t i = 0; i < 5; ++i) {
        await(locks.release("k", ReleaseOptions().ownedBy(std::to_string(i))));
        QVERIFY(subject->passUntil([&] { return waiting[i]->isDone(); }));
        QCOMPARE(subject->find("k")->owner, Owner(std::to_string(i + 1)));
        for (std::size_t later = i + 1; later < 5; ++later)
            QVERIFY(!waiting[later]->isDone());
    }
}

void TestWaiting::sameOwnerReenters()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(10s)));
    const Pending other(locks.acquire("k", AcquireOptions().ownedBy("Y").waiting()));
    subject->pass(30ms);
    const Pending same(
        locks.acquire("k", AcquireOptions().ownedBy("X").expiringIn(60s).waiting(1s)));
    subject->pass(10ms + subject->tolerance());
    QVERIFY(same.hasResult());
    QVERIFY(!other.isDone());
    QVERIFY(*subject->find("k")->leaseEnd > subject->clock().now() + 50s);
}

void TestWaiting::neverClaimsAnOwnerlessLock()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k"));
    const Pending owner(locks.acquire("k", AcquireOptions().ownedBy("Y").waiting(200ms)));
    const Pending none(locks.acquire("k", AcquireOptions().waiting(200ms)));
    subject->pass(150ms);
    QVERIFY(!owner.isDone());
    QVERIFY(!none.isDone());
    subject->pass(50ms + subject->tolerance());
    QCOMPARE(owner.errorCode(), ErrorCode::TimedOut);
    QCOMPARE(none.errorCode(), ErrorCode::TimedOut);
    QCOMPARE(subject->find("k")->owner, Owner());
}

void TestWaiting::severalKeysWaitForAll()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("a", AcquireOptions().ownedBy("X")));
    await(locks.acquire("b", AcquireOptions().ownedBy("X")));
    const Pending both(locks.acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("Y").waiting()));
    await(locks.release("a", ReleaseOptions().ownedBy("X")));
    subject->pass(50ms + subject->tolerance());
    QVERIFY(!both.isDone());
    QVERIFY(!subject->find("a")); // nothing is held while it waits
    await(locks.release("b", ReleaseOptions().ownedBy("X")));
    QVERIFY(subject->passUntil([&] { return both.hasResult(); }));
    QCOMPARE(subject->find("a")->owner, Owner("Y"));
    QCOMPARE(subject->find("b")->owner, Owner("Y"));
}

static Task<int> takeAndRelease(LockingModule& locks, Clock& clock, LockKeys keys,
                                std::string owner)
{
    for (int i = 0; i < 20; ++i) {
        co_await locks.acquire(keys, AcquireOptions().ownedBy(owner).waiting());
        co_await SleepFor(clock, 1ms);
        co_await locks.release(keys, ReleaseOptions().ownedBy(owner));
    }
    co_return 0;
}

void TestWaiting::oppositeOrdersDontDeadlock()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    const Pending one(takeAndRelease(locks, clock, LockKeys("a", "b", "c"), "1"));
    const Pending two(takeAndRelease(locks, clock, LockKeys("c", "b", "a"), "2"));
    const Pending three(takeAndRelease(locks, clock, LockKeys("c", "a"), "3"));
    QVERIFY(subject->passUntil([&] { return one.isDone() && two.isDone() && three.isDone(); }));
    QVERIFY(one.hasResult() && two.hasResult() && three.hasResult());
    QVERIFY(subject->locks().isEmpty());
}

void TestWaiting::onesTimeOutLetsTheNextOn()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("b", AcquireOptions().ownedBy("X")));
    const Pending both(
        locks.acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("Y").waiting(200ms)));
    // Behind the first in the queue of a, although a is free.
    const Pending behind(locks.acquire("a", AcquireOptions().ownedBy("Z").waiting(5s)));
    subject->pass(100ms);
    QVERIFY(!behind.isDone());
    subject->pass(100ms + subject->tolerance());
    QCOMPARE(both.errorCode(), ErrorCode::TimedOut);
    QVERIFY(subject->passUntil([&] { return behind.hasResult(); }));
}

QTEST_GUILESS_MAIN(TestWaiting)
#include "tst_waiting.moc"
