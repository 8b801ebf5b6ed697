// SPDX-License-Identifier: MIT
#include "tests/contract/jobs.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! LockProvider::executeJob: who runs when, and the scenarios of Medusa's integration tests told
//! anew.
class TestExecute final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void resultsOfAnyType();
    void jobsKnowTheirGrant();
    void holdsUnderAnOwnerOfItsOwn();
    void releasedAfterwards();
    void jobsErrorIsUnchanged();
    void excludesAcquire_data();
    void excludesAcquire();
    void waitsForAnOwnerlessLock_data();
    void waitsForAnOwnerlessLock();
    void namedOwnersExcludeEachOther();
    void timesOutAndNeverStarts();
    void cancelledWhileWaiting();
    void tenBuyersNeverOversell_data();
    void tenBuyersNeverOversell();
    void threeExecutes();
    void severalKeysAndDuplicates();
    void destroyedModuleEndsWaiters();
};

void TestExecute::resultsOfAnyType()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    const auto number = []() -> Task<int> { co_return 42; };
    QCOMPARE(await(locks.execute("k", number)), 42);
    QCOMPARE(await(locks.execute("k", [] { return std::string("plain"); })), std::string("plain"));
    const auto moveOnly = [](std::stop_token) { return std::make_unique<int>(7); };
    QCOMPARE(*await(locks.execute("k", moveOnly)), 7);
    bool ran = false;
    await(locks.execute("k", [&ran] { ran = true; }));
    QVERIFY(ran);
    const auto nothing = [](std::stop_token) -> Task<> { co_return; };
    await(locks.execute("k", nothing));
}

static Task<Grant> grantOnceTold(Clock& clock, const bool& told, Grant grant)
{
    while (!told)
        co_await SleepFor(clock, 5ms);
    co_return grant;
}

void TestExecute::jobsKnowTheirGrant()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    const bool hasTokens = locks.providers().front().features.fencingTokens;
    std::optional<FencingToken> last;
    for (int i = 0; i < 3; ++i) {
        bool told = false;
        const Pending running(locks.execute(
            LockKeys("a", "b"),
            [&clock, &told](std::stop_token, const Grant& grant) {
                return grantOnceTold(clock, told, grant);
            },
            ExecuteOptions().expiringIn(1200ms)));
        subject->pass(500ms); // renewed meanwhile
        const auto lock = subject->find("a");
        told = true;
        QVERIFY(subject->passUntil([&] { return running.isDone(); }));
        const Grant grant = running.result();
        QCOMPARE(grant.token().has_value(), hasTokens);
        QVERIFY(lock && lock->token == grant.token());
        QVERIFY(grant.leaseEnd());
        QVERIFY(!last || *grant.token() > *last);
        last = grant.token();
    }
    const auto plain = [](std::stop_token, const Grant& grant) { return grant.token(); };
    QVERIFY(await(locks.execute("a", plain)) > last || !hasTokens);
}

void TestExecute::holdsUnderAnOwnerOfItsOwn()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    Clock& clock = subject->clock();
    const Pending running(subject->module().execute(
        LockKeys("a", "b"), [&clock] { return sleepingJob(clock, 300ms, 1); }));
    subject->pass(50ms);
    const auto lock = subject->find("a");
    QVERIFY(lock && lock->owner && lock->owner->starts_with("execute:"));
    QCOMPARE(lock->owner->size(), std::string("execute:").size() + 36);
    QCOMPARE(subject->find("b")->owner, lock->owner);
    QVERIFY(*lock->leaseEnd > clock.now() + 55s && *lock->leaseEnd <= clock.now() + 61s);
    QVERIFY(subject->passUntil([&] { return running.hasResult(); }));
}

void TestExecute::releasedAfterwards()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    await(subject->module().execute(LockKeys("a", "b"), [] { return 1; }));
    QVERIFY(subject->locks().isEmpty());
}

void TestExecute::jobsErrorIsUnchanged()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    const auto throwing = []() -> int { throw std::domain_error("no stock"); };
    try {
        await(locks.execute("k", throwing));
        QFAIL("did not throw");
    } catch (const std::domain_error& error) {
        QCOMPARE(error.what(), "no stock");
    }
    QVERIFY(!subject->find("k"));
}

static void policies()
{
    QTest::addColumn<bool>("exclusive");
    QTest::newRow("claimable") << false;
    QTest::newRow("exclusive") << true;
}

static std::unique_ptr<Subject> subjectOf(bool exclusive)
{
    return makeSubject(exclusive ? Ownerless::Exclusive : Ownerless::Claimable);
}

void TestExecute::excludesAcquire_data()
{
    policies();
}

void TestExecute::excludesAcquire()
{
    QFETCH(bool, exclusive);
    const auto subject = subjectOf(exclusive);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    const Pending running(locks.execute("k", [&clock] { return sleepingJob(clock, 400ms, 1); }));
    subject->pass(30ms);
    QCOMPARE(errorOf(locks.acquire("k")), ErrorCode::Conflict);
    QCOMPARE(errorOf(locks.acquire("k", AcquireOptions().ownedBy("Y"))), ErrorCode::Conflict);
    QVERIFY(!await(locks.release("k")).allReleased());
    QVERIFY(subject->passUntil([&] { return running.hasResult(); }));
    QVERIFY(!errorOf(locks.acquire("k")));
}

void TestExecute::waitsForAnOwnerlessLock_data()
{
    policies();
}

void TestExecute::waitsForAnOwnerlessLock()
{
    QFETCH(bool, exclusive);
    const auto subject = subjectOf(exclusive);
    LockingModule& locks = subject->module();
    await(locks.acquire("k"));
    const Pending running(locks.execute("k", [] { return 1; }));
    subject->pass(100ms);
    QVERIFY(!running.isDone());
    await(locks.release("k"));
    QVERIFY(subject->passUntil([&] { return running.hasResult(); }));
}

void TestExecute::namedOwnersExcludeEachOther()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    const ExecuteOptions named = ExecuteOptions().ownedBy("worker");
    int inside = 0;
    int most = 0;
    const auto job = [&]() -> Task<int> {
        most = std::max(most, ++inside);
        co_await SleepFor(clock, 60ms);
        --inside;
        co_return 1;
    };
    const Pending one(locks.execute("k", job, named));
    const Pending two(locks.execute("k", job, named));
    subject->pass(20ms);
    QCOMPARE(subject->find("k")->owner, Owner("worker"));
    QVERIFY(subject->passUntil([&] { return one.hasResult() && two.hasResult(); }));
    QCOMPARE(most, 1);
}

void TestExecute::timesOutAndNeverStarts()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("b", AcquireOptions().ownedBy("X")));
    bool started = false;
    // Below one second counts as one second, NaN and negative numbers too.
    for (const double seconds : {0.05, -3.0, std::nan("")}) {
        const TimePoint before = subject->clock().now();
        ExecuteOptions options;
        options.timingOutAfterSeconds(seconds);
        const Pending waiting(locks.execute(
            LockKeys("a", "b"), [&started] { return started = true; }, options));
        subject->pass(900ms);
        QVERIFY(!waiting.isDone());
        QVERIFY(subject->passUntil([&] { return waiting.isDone(); }));
        QCOMPARE(waiting.errorCode(), ErrorCode::TimedOut);
        const auto took = subject->clock().now() - before;
        QVERIFY(took >= 1s && took <= 1s + 20ms + 2 * subject->tolerance());
    }
    QVERIFY(!started);
    QVERIFY(!subject->find("a"));
    await(locks.release("b", ReleaseOptions().ownedBy("X")));
    subject->pass(50ms);
    QVERIFY(subject->locks().isEmpty());
}

void TestExecute::cancelledWhileWaiting()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    std::stop_source stop;
    const Pending waiting(locks.execute(
        "k", [] { return 1; }, ExecuteOptions().stoppedBy(stop.get_token())));
    subject->pass(20ms);
    stop.request_stop();
    subject->pass(subject->tolerance());
    QCOMPARE(waiting.errorCode(), ErrorCode::Cancelled);
    QCOMPARE(subject->locks().size(), 1);
}

struct Shop {
    int stock = 5;
    int sold = 0;
    int refused = 0;
};

static Task<bool> buy(LockingModule& locks, Clock& clock, Shop& shop)
{
    const auto job = [&clock, &shop]() -> Task<bool> {
        const int seen = shop.stock;
        co_await SleepFor(clock, 10ms);
        if (seen == 0)
            co_return false;
        shop.stock = seen - 1;
        co_return true;
    };
    const bool bought = co_await locks.execute("prod_1", job);
    ++(bought ? shop.sold : shop.refused);
    co_return bought;
}

void TestExecute::tenBuyersNeverOversell_data()
{
    policies();
}

void TestExecute::tenBuyersNeverOversell()
{
    QFETCH(bool, exclusive);
    const auto subject = subjectOf(exclusive);
    Shop shop;
    std::vector<std::unique_ptr<Pending<bool>>> buyers;
    for (int i = 0; i < 10; ++i) {
        buyers.push_back(
            std::make_unique<Pending<bool>>(buy(subject->module(), subject->clock(), shop)));
    }
    QVERIFY(subject->passUntil([&] { return shop.sold + shop.refused == 10; }));
    QCOMPARE(shop.sold, 5);
    QCOMPARE(shop.stock, 0);
}

void TestExecute::threeExecutes()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    Clock& clock = subject->clock();
    const Pending first(locks.execute(
        "k", [&clock] { return sleepingJob(clock, 1010ms, 1); },
        ExecuteOptions().timingOutAfter(1s)));
    const Pending second(locks.execute(
        "k", [] { return 2; }, ExecuteOptions().timingOutAfter(1s)));
    const Pending third(locks.execute(
        "k", [] { return 3; }, ExecuteOptions().timingOutAfter(2s)));
    QVERIFY(
        subject->passUntil([&] { return first.isDone() && second.isDone() && third.isDone(); }));
    QCOMPARE(first.result(), 1);
    QCOMPARE(second.errorCode(), ErrorCode::TimedOut);
    QCOMPARE(third.result(), 3);
}

void TestExecute::severalKeysAndDuplicates()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    QCOMPARE(await(subject->module().execute(LockKeys("a", "b", "a"), [] { return 1; })), 1);
    QVERIFY(subject->locks().isEmpty());
}

void TestExecute::destroyedModuleEndsWaiters()
{
    auto subject = makeSubject(Ownerless::Claimable);
    await(subject->module().acquire("k", AcquireOptions().ownedBy("X")));
    const Pending waiting(subject->module().acquire("k", AcquireOptions().ownedBy("Y").waiting()));
    const Pending executing(subject->module().execute("k", [] { return 1; }));
    subject->pass(20ms);
    subject.reset();
    QVERIFY(waiting.isDone() && executing.isDone());
    // Cancelled, unless the store was being asked at that very moment.
    for (const std::optional<ErrorCode> error : {waiting.errorCode(), executing.errorCode()})
        QVERIFY(error == ErrorCode::Cancelled || error == ErrorCode::OutcomeUnknown);
}

QTEST_GUILESS_MAIN(TestExecute)
#include "tst_execute.moc"
