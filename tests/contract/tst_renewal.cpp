// SPDX-License-Identifier: MIT
#include "tests/contract/jobs.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! LockProvider::executeJob: the lease of a job is renewed, it is told to stop, and a lock lost is
//! said to be.
class TestRenewal final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void stopReachesTheJob();
    void renewsTheLease();
    void lossStopsTheJobAndThrows();
    void lossIsNeverReportedAsSuccess();
    void whatIsGoneAtTheEndWasLost();
    void aJobThatHangsDoesNotHoldForEver();
};

void TestRenewal::stopReachesTheJob()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    Clock& clock = subject->clock();
    std::stop_source stop;
    const Pending running(subject->module().execute(
        "k", [&clock](std::stop_token token) { return untilStopped(clock, std::move(token)); },
        ExecuteOptions().stoppedBy(stop.get_token())));
    subject->pass(30ms);
    stop.request_stop();
    QVERIFY(subject->passUntil(
        [&] { return running.hasResult(); })); // held to the end: its result counts
    QVERIFY(!subject->find("k"));
}

void TestRenewal::renewsTheLease()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    Clock& clock = subject->clock();
    const Pending running(subject->module().execute(
        "k", [&clock] { return sleepingJob(clock, 1500ms, 5); },
        ExecuteOptions().expiringIn(600ms)));
    for (int i = 0; i < 13; ++i) {
        subject->pass(100ms);
        const bool held = subject->find("k").has_value(); // looking takes time too
        QVERIFY(held || running.isDone());
    }
    QVERIFY(subject->passUntil([&] { return running.isDone(); }));
    QCOMPARE(running.result(), 5);
    QVERIFY(!subject->find("k"));
}

void TestRenewal::lossStopsTheJobAndThrows()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    const Pending running(locks.execute(
        "k", [&clock](std::stop_token token) { return untilStopped(clock, std::move(token)); },
        ExecuteOptions().expiringIn(600ms)));
    subject->pass(50ms);
    await(locks.releaseAll()); // an operator lets go of it
    await(locks.acquire("k", AcquireOptions().ownedBy("thief")));
    QVERIFY(subject->passUntil([&] { return running.isDone(); }));
    QCOMPARE(running.errorCode(), ErrorCode::Lost);
    QCOMPARE(subject->find("k")->owner, Owner("thief")); // not the job's to release
}

void TestRenewal::lossIsNeverReportedAsSuccess()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    // The job doesn't look at its token and returns a result all the same.
    const Pending running(locks.execute(
        "k", [&clock] { return sleepingJob(clock, 900ms, 5); },
        ExecuteOptions().expiringIn(600ms)));
    subject->pass(50ms);
    await(locks.releaseAll());
    QVERIFY(subject->passUntil([&] { return running.isDone(); }));
    QCOMPARE(running.errorCode(), ErrorCode::Lost);
}

static Task<int> releasing(LockingModule& locks, int result)
{
    co_await locks.releaseAll();
    co_return result;
}

void TestRenewal::whatIsGoneAtTheEndWasLost()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    // Over long before anything would have been renewed.
    QCOMPARE(errorOf(locks.execute("k", [&locks] { return releasing(locks, 5); })),
             ErrorCode::Lost);
}

void TestRenewal::aJobThatHangsDoesNotHoldForEver()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    ExecuteOptions options;
    options.expiringIn(300ms).holdingAtMost(700ms);
    const TimePoint begun = clock.now();
    const auto deaf = [&clock] { return sleepingJob(clock, 1500ms, 5); };
    const Pending running(locks.execute("deaf", deaf, options));
    std::optional<TimePoint> told;
    const auto obedient = [&](std::stop_token token) -> Task<int> {
        co_await untilStopped(clock, std::move(token));
        told = clock.now();
        co_return 6;
    };
    const Pending stopped(locks.execute("obedient", obedient, options));
    QVERIFY(subject->passUntil([&] { return stopped.isDone(); }));
    QVERIFY(*told >= begun + 700ms && *told <= begun + 720ms + 2 * subject->tolerance());
    QCOMPARE(stopped.errorCode(), ErrorCode::Lost);
    QVERIFY(!subject->find("obedient")); // given back at once
    QVERIFY(!running.isDone());
    // The other's lease was renewed no more, and so somebody else may go on beside it.
    QVERIFY(subject->passUntil([&] { return !subject->find("deaf"); }));
    QVERIFY(clock.now() <= begun + 1100ms + 2 * subject->tolerance());
    QCOMPARE(await(locks.execute("deaf", [] { return 7; })), 7);
    await(locks.acquire("deaf", AcquireOptions().ownedBy("next")));
    QVERIFY(subject->passUntil([&] { return running.isDone(); }));
    try {
        QCOMPARE(running.result(), 0);
        QFAIL("a success");
    } catch (const Lost& lost) {
        QVERIFY2(lost.message().find("700 ms, the most it may (maxHold)") != std::string::npos,
                 lost.what());
    }
    QCOMPARE(subject->find("deaf")->owner, Owner("next"));
}

QTEST_GUILESS_MAIN(TestRenewal)
#include "tst_renewal.moc"
