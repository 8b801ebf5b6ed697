// SPDX-License-Identifier: MIT
#include "tests/simulation/scripted_store.h"
#include "tests/simulation/simulated_clock.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! What waiting calls and executes promise, each case with a store that answers as it is told.
class TestPromises final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void noJobStartsOnALeaseThatIsOver();
    void aLateGrantThatIsStillHeldIsRenewedFirst();
    void aLateGrantThatCantBeRenewedTimesOut();
    void whatANamedOwnerWasGrantedTooLateIsGivenBack_data();
    void whatANamedOwnerWasGrantedTooLateIsGivenBack();
    void whatTheOwnerHeldBeforeStays();
    void whatAnotherCallOfTheOwnerWasGrantedStays();
    void withoutOwnerNothingIsPromised();
    void aLookIsNotWaitedForBeyondTheTimeout_data();
    void aLookIsNotWaitedForBeyondTheTimeout();
    void aLineThatDiesUnderALookEndsNoCall();
    void closingTellsWhatBecameOfIt_data();
    void closingTellsWhatBecameOfIt();
    void closingKeepsAGrant();
    void whatTheStoreThrowsLeavesNoTicket();
    void aLossIsThrownAtOnce();
    void aReleaseIsNotWaitedForBeyondTheLease();

private:
    //! A call and how it ended.
    struct Outcome {
        bool isDone = false;
        std::optional<ErrorCode> error;
        std::string what;
        Grant grant;
        TimePoint at;
        std::optional<TimePoint> jobStarted;
        std::optional<TimePoint> jobToldAt;
    };

    std::shared_ptr<Outcome> acquire(AcquireOptions options, const LockKeys& keys = "k");
    std::shared_ptr<Outcome> execute(ExecuteOptions options, Duration work);
    Task<void> runAcquire(std::shared_ptr<Outcome> outcome, LockKeys keys, AcquireOptions options);
    Task<void> runExecute(std::shared_ptr<Outcome> outcome, ExecuteOptions options, Duration work);
    Task<void> work(std::shared_ptr<Outcome> outcome, Duration time, std::stop_token lost);
    void script(std::vector<std::pair<Verb, Fate>> fates) { m_script = std::move(fates); }
    Fate nextFate(Verb verb);
    Duration passed(TimePoint at) const
    {
        return std::chrono::duration_cast<Duration>(at - m_clock->start());
    }

    std::unique_ptr<SimulatedClock> m_clock;
    std::unique_ptr<ScriptedServer> m_server;
    std::unique_ptr<Resumer> m_resumer;
    std::unique_ptr<ScriptedStore> m_store;
    std::vector<std::pair<Verb, Fate>> m_script; // the next of its verb; else answered
    std::string m_log;
};

void TestPromises::init()
{
    m_clock = std::make_unique<SimulatedClock>();
    m_server = std::make_unique<ScriptedServer>(*m_clock);
    m_resumer = std::make_unique<Resumer>(*m_clock);
    m_log.clear();
    m_script.clear();
    const Container container(
        *m_clock, [this](LogLevel, const std::string& message) { m_log += message + '\n'; });
    m_store = std::make_unique<ScriptedStore>(*m_server, container, 3s);
    m_store->choose = [this](Verb verb, const LockKeys&) { return nextFate(verb); };
}

void TestPromises::cleanup()
{
    m_store.reset();
    m_resumer->drain();
    m_resumer.reset();
}

Fate TestPromises::nextFate(Verb verb)
{
    const auto it = std::find_if(m_script.begin(), m_script.end(),
                                 [verb](const auto& step) { return step.first == verb; });
    if (it == m_script.end())
        return Fate();
    const Fate fate = it->second;
    m_script.erase(it);
    return fate;
}

std::shared_ptr<TestPromises::Outcome> TestPromises::acquire(AcquireOptions options,
                                                             const LockKeys& keys)
{
    const auto outcome = std::make_shared<Outcome>();
    letRun(runAcquire(outcome, keys, std::move(options)));
    return outcome;
}

std::shared_ptr<TestPromises::Outcome> TestPromises::execute(ExecuteOptions options, Duration time)
{
    const auto outcome = std::make_shared<Outcome>();
    letRun(runExecute(outcome, std::move(options), time));
    return outcome;
}

Task<void> TestPromises::runAcquire(std::shared_ptr<Outcome> outcome, LockKeys keys,
                                    AcquireOptions options)
{
    try {
        outcome->grant = co_await m_store->acquire(keys, options, {});
    } catch (const LockError& error) {
        outcome->error = error.code();
        outcome->what = error.message();
    } catch (const std::exception& error) {
        outcome->what = error.what();
    }
    outcome->isDone = true;
    outcome->at = m_clock->now();
}

Task<void> TestPromises::runExecute(std::shared_ptr<Outcome> outcome, ExecuteOptions options,
                                    Duration time)
{
    const LockedJob job = [this, outcome, time](std::stop_token lost, Grant) {
        return work(outcome, time, std::move(lost));
    };
    try {
        co_await m_store->executeJob("k", job, options, {});
    } catch (const LockError& error) {
        outcome->error = error.code();
        outcome->what = error.message();
    }
    outcome->isDone = true;
    outcome->at = m_clock->now();
}

Task<void> TestPromises::work(std::shared_ptr<Outcome> outcome, Duration time, std::stop_token lost)
{
    outcome->jobStarted = m_clock->now();
    Signal done(*m_resumer);
    const WakeReason why = co_await done.wait(m_clock->now() + time, lost);
    if (why == WakeReason::Cancelled)
        outcome->jobToldAt = m_clock->now();
}

void TestPromises::noJobStartsOnALeaseThatIsOver()
{
    script({{Verb::Acquire, Fate(Fate::Answered, 1ms, 1500ms)}});
    const auto mine = execute(ExecuteOptions().expiringIn(1s), 100ms);
    m_clock->run(1200ms); // the lease is over, and the answer still on its way
    const auto other = acquire(AcquireOptions().ownedBy("B").expiringIn(60s));
    m_clock->run(500ms);
    QVERIFY(other->isDone && !other->error);
    QVERIFY(!mine->jobStarted);
    const auto released = m_store->release("k", ReleaseOptions().ownedBy("B"), {});
    m_clock->run(2s);
    QVERIFY(mine->isDone && !mine->error);
    QVERIFY(passed(*mine->jobStarted) >= 1700ms);
    QVERIFY(m_server->locks().empty());
}

void TestPromises::aLateGrantThatIsStillHeldIsRenewedFirst()
{
    // Done late, answered at once: by our reckoning it is over, by the server's it is not.
    script({{Verb::Acquire, Fate(Fate::Answered, 1100ms, 10ms)}});
    const auto mine = execute(ExecuteOptions().expiringIn(1s), 500ms);
    m_clock->run(1115ms);
    QVERIFY(mine->jobStarted && !mine->isDone);
    QVERIFY(!mine->jobToldAt);
    m_clock->run(2s);
    QVERIFY(mine->isDone && !mine->error);
    QVERIFY(!mine->jobToldAt);
}

void TestPromises::aLateGrantThatCantBeRenewedTimesOut()
{
    script({{Verb::Acquire, Fate(Fate::Answered, 1ms, 1200ms)},
            {Verb::Renew, Fate(Fate::Silent, 1ms)}});
    const auto mine = execute(ExecuteOptions().expiringIn(1s).timingOutAfter(2s), 100ms);
    m_clock->run(2300ms);
    QVERIFY(mine->isDone);
    QCOMPARE(mine->error, ErrorCode::TimedOut);
    QVERIFY(passed(mine->at) <= 2250ms);
    QVERIFY(!mine->jobStarted);
    m_clock->run(5s);
    QVERIFY(m_server->locks().empty());
}

void TestPromises::whatANamedOwnerWasGrantedTooLateIsGivenBack_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("there");
    QTest::addColumn<bool>("isStopped");
    for (const bool stopped : {false, true}) {
        const char* const how = stopped ? "stopped" : "timed out";
        QTest::addRow("answered late, %s", how) << int(Fate::Answered) << 2500 << stopped;
        QTest::addRow("line lost after it was done, %s", how)
            << int(Fate::LostAfter) << 2000 << stopped;
        QTest::addRow("silent, done at once, %s", how) << int(Fate::Silent) << 1 << stopped;
        QTest::addRow("silent, done when the line is dead, %s", how)
            << int(Fate::Silent) << 3050 << stopped;
    }
}

void TestPromises::whatANamedOwnerWasGrantedTooLateIsGivenBack()
{
    QFETCH(const int, kind);
    QFETCH(const int, there);
    QFETCH(const bool, isStopped);
    script({{Verb::Acquire, Fate(Fate::Kind(kind), Duration(there), 1ms)}});
    std::stop_source stop;
    AcquireOptions options;
    options.ownedBy("x").waiting(isStopped ? 1min : 1s).stoppedBy(stop.get_token());
    const auto mine = acquire(options); // without a lease: it would be held for ever
    m_clock->run(1s);
    stop.request_stop();
    m_clock->run(250ms);
    QVERIFY(mine->isDone);
    QCOMPARE(mine->error, isStopped ? ErrorCode::Cancelled : ErrorCode::TimedOut);
    m_clock->run(10s);
    QVERIFY2(m_server->locks().empty(), m_log.c_str());
    // Nobody is kept out by it.
    const auto next = acquire(AcquireOptions().ownedBy("y").waiting(1s));
    m_clock->run(100ms);
    QVERIFY(next->isDone && !next->error);
}

void TestPromises::whatTheOwnerHeldBeforeStays()
{
    acquire(AcquireOptions().ownedBy("x"));
    m_clock->run(10ms);
    // It is found to be held by the caller, and only then does the line fall silent.
    m_store->hasTokens = true; // so that a grant is asked for, for its token
    script({{Verb::Acquire, Fate(Fate::Silent, 1ms)}});
    const auto mine = acquire(AcquireOptions().ownedBy("x").waiting(1s));
    m_clock->run(1250ms);
    QVERIFY(mine->isDone);
    QCOMPARE(mine->error, ErrorCode::OutcomeUnknown);
    m_clock->run(10s);
    QCOMPARE(m_server->locks().size(), std::size_t(1));
}

void TestPromises::whatAnotherCallOfTheOwnerWasGrantedStays()
{
    script({{Verb::Acquire, Fate(Fate::Answered, 1ms, 2s)}});
    const auto first = acquire(AcquireOptions().ownedBy("x").waiting(500ms));
    m_clock->run(100ms);
    const auto second = acquire(AcquireOptions().ownedBy("x")); // re-enters
    m_clock->run(700ms);
    QVERIFY(first->isDone);
    QCOMPARE(first->error, ErrorCode::OutcomeUnknown); // it may hold the key with the other
    QVERIFY(second->isDone && !second->error);
    m_clock->run(10s);
    QCOMPARE(m_server->locks().size(), std::size_t(1));
}

void TestPromises::withoutOwnerNothingIsPromised()
{
    script({{Verb::Acquire, Fate(Fate::Answered, 1ms, 1500ms)}});
    const auto mine = acquire(AcquireOptions().waiting(1s));
    m_clock->run(1250ms);
    QVERIFY(mine->isDone);
    QCOMPARE(mine->error, ErrorCode::OutcomeUnknown);
    m_clock->run(1s); // the answer came, and with it what there was to give back
    QVERIFY(m_server->locks().empty());
}

void TestPromises::aLookIsNotWaitedForBeyondTheTimeout_data()
{
    QTest::addColumn<bool>("isStopped");
    QTest::newRow("timed out") << false;
    QTest::newRow("stopped") << true;
}

void TestPromises::aLookIsNotWaitedForBeyondTheTimeout()
{
    QFETCH(const bool, isStopped);
    acquire(AcquireOptions().ownedBy("holder"));
    m_clock->run(10ms);
    acquire(AcquireOptions().ownedBy("first in line").waiting());
    m_clock->run(10ms);
    script({{Verb::Renew, Fate(Fate::Answered, 1ms, 2900ms)}});
    std::stop_source stop;
    AcquireOptions options;
    options.ownedBy("x").waiting(isStopped ? 1min : 1s).stoppedBy(stop.get_token());
    const auto mine = acquire(options);
    m_clock->run(1s);
    stop.request_stop();
    m_clock->run(250ms);
    QVERIFY(mine->isDone);
    QCOMPARE(mine->error, isStopped ? ErrorCode::Cancelled : ErrorCode::TimedOut);
}

void TestPromises::aLineThatDiesUnderALookEndsNoCall()
{
    acquire(AcquireOptions().ownedBy("holder").expiringIn(2s));
    m_clock->run(10ms);
    acquire(AcquireOptions().ownedBy("first in line").expiringIn(500ms).waiting());
    m_clock->run(10ms);
    script({{Verb::Renew, Fate(Fate::LostAfter, 1ms)}});
    const auto mine = acquire(AcquireOptions().ownedBy("x").waiting(20s));
    m_clock->run(10s);
    QVERIFY2(mine->isDone && !mine->error, mine->what.c_str());
}

void TestPromises::closingTellsWhatBecameOfIt_data()
{
    QTest::addColumn<bool>("isHeldByOther");
    QTest::addColumn<ErrorCode>("error");
    QTest::newRow("sent, and not answered") << false << ErrorCode::OutcomeUnknown;
    QTest::newRow("resting between two looks") << true << ErrorCode::Cancelled;
}

void TestPromises::closingTellsWhatBecameOfIt()
{
    QFETCH(const bool, isHeldByOther);
    QFETCH(const ErrorCode, error);
    if (isHeldByOther)
        acquire(AcquireOptions().ownedBy("other"));
    else
        script({{Verb::Acquire, Fate(Fate::Answered, 1ms, 2s)}});
    const auto waiting = acquire(AcquireOptions().ownedBy("x").waiting(20s));
    const auto executing = execute(ExecuteOptions().timingOutAfter(20s), 1s);
    m_clock->run(500ms);
    m_store.reset();
    QVERIFY(waiting->isDone && executing->isDone);
    QCOMPARE(waiting->error, error);
    QVERIFY(!executing->jobStarted);
}

void TestPromises::closingKeepsAGrant()
{
    // Answered, and not yet told, when the provider closes.
    const auto mine = acquire(AcquireOptions().ownedBy("x").waiting(20s));
    const TimePoint until = m_clock->now() + 1s;
    while (m_server->locks().empty() || m_store->hasOpenRequests())
        QVERIFY(m_clock->step(until));
    m_store.reset();
    QVERIFY(mine->isDone);
    QVERIFY2(!mine->error, mine->what.c_str());
}

void TestPromises::whatTheStoreThrowsLeavesNoTicket()
{
    m_store->choose = [](Verb verb, const LockKeys&) -> Fate {
        if (verb == Verb::Acquire)
            throw std::runtime_error("the store is broken");
        return Fate();
    };
    const auto broken = acquire(AcquireOptions().ownedBy("x").waiting(20s));
    m_clock->run(100ms);
    QVERIFY(broken->isDone);
    QCOMPARE(broken->what, std::string("the store is broken"));
    m_store->choose = {};
    const auto next = acquire(AcquireOptions().ownedBy("y").waiting(1s));
    m_clock->run(100ms);
    QVERIFY(next->isDone && !next->error);
}

void TestPromises::aLossIsThrownAtOnce()
{
    script({{Verb::Renew, Fate(Fate::Silent, 1ms)}, {Verb::Release, Fate(Fate::Silent, 1ms)}});
    m_server->doAt(m_clock->start() + 100ms,
                   [this] { m_server->pauseUntil(m_clock->now() + 20s); });
    const auto mine = execute(ExecuteOptions().expiringIn(1s), 10s);
    m_clock->run(1200ms);
    QVERIFY(mine->jobToldAt && passed(*mine->jobToldAt) < 1s);
    QVERIFY(mine->isDone);
    QCOMPARE(mine->error, ErrorCode::Lost);
}

void TestPromises::aReleaseIsNotWaitedForBeyondTheLease()
{
    script({{Verb::Release, Fate(Fate::Answered, 2s, 1ms)}});
    const auto mine = execute(ExecuteOptions().expiringIn(1s), 100ms);
    m_clock->run(1100ms);
    QVERIFY(mine->isDone && !mine->error); // it was its own for as long as it ran
    m_clock->run(5s);
    QVERIFY(m_server->locks().empty());
}

QTEST_GUILESS_MAIN(TestPromises)
#include "tst_promises.moc"
