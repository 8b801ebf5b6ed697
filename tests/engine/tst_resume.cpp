// SPDX-License-Identifier: MIT
#include "engine/async/resume.h"
#include "engine/async/task.h"
#include "engine/store/wait_queue.h"

#include <QTest>

#include <thread>

using namespace lockboard;
using namespace std::chrono_literals;

class TestResume final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatComesFirstWins();
    void signalBeforeTheWaitIsKept();
    void stopFromManyThreads();
    void deepChainsDontNest();
    void whatIsResumedMayEndTheResumer();
    void ticketLeadsOnlyWhenFirstEverywhere();
};

static Task<> waitFor(Signal* signal, std::optional<TimePoint> deadline, std::stop_token stop,
                      std::optional<WakeReason>* reason)
{
    *reason = co_await signal->wait(deadline, stop);
}

void TestResume::whatComesFirstWins()
{
    ManualClock clock;
    Resumer resumer(clock);
    std::stop_source stop;
    std::optional<WakeReason> reason;
    {
        Signal signal(resumer);
        letRun(waitFor(&signal, clock.now() + 10ms, stop.get_token(), &reason));
        clock.advance(10ms);
        signal.raise();
        stop.request_stop();
        QTRY_VERIFY(reason);
        QCOMPARE(*reason, WakeReason::TimedOut);
    }
    Signal signal(resumer);
    reason.reset();
    letRun(waitFor(&signal, clock.now() + 10ms, {}, &reason));
    signal.raise();
    clock.advance(1s);
    QTRY_VERIFY(reason);
    QCOMPARE(*reason, WakeReason::Signalled);
}

void TestResume::signalBeforeTheWaitIsKept()
{
    ManualClock clock;
    Resumer resumer(clock);
    Signal signal(resumer);
    std::optional<WakeReason> reason;
    signal.raise();
    letRun(waitFor(&signal, {}, {}, &reason));
    QCOMPARE(reason, WakeReason::Signalled);
    signal.reset();
    reason.reset();
    letRun(waitFor(&signal, {}, {}, &reason));
    QVERIFY(!reason);
    signal.raise();
    QTRY_VERIFY(reason);
}

void TestResume::stopFromManyThreads()
{
    ManualClock clock;
    Resumer resumer(clock);
    for (int round = 0; round < 50; ++round) {
        std::stop_source stop;
        std::optional<WakeReason> reason;
        auto signal = std::make_unique<Signal>(resumer);
        letRun(waitFor(signal.get(), {}, stop.get_token(), &reason));
        std::thread other([&stop] { stop.request_stop(); });
        if (round % 2 == 0)
            signal->raise();
        QTRY_VERIFY(reason);
        signal.reset(); // while the other thread may be in the callback still
        other.join();
    }
    QCoreApplication::processEvents();
}

static Task<> link(Signal* mine, Signal* next, int* passed)
{
    co_await mine->wait({}, {});
    ++*passed;
    if (next)
        next->raise();
}

void TestResume::deepChainsDontNest()
{
    ManualClock clock;
    Resumer resumer(clock);
    constexpr int length = 200'000; // a stack would not take this
    std::deque<Signal> signals;
    for (int i = 0; i < length; ++i)
        signals.emplace_back(resumer);
    int passed = 0;
    for (std::size_t i = 0; i < length; ++i)
        letRun(link(&signals[i], i + 1 < length ? &signals[i + 1] : nullptr, &passed));
    signals.front().raise();
    QTRY_COMPARE(passed, length);
}

static Task<> waitAndEndIt(std::unique_ptr<Resumer> resumer, std::stop_token stop, bool* ended)
{
    {
        Signal signal(*resumer);
        co_await signal.wait({}, stop);
    }
    resumer.reset();
    *ended = true;
}

void TestResume::whatIsResumedMayEndTheResumer()
{
    ManualClock clock;
    std::stop_source stop;
    bool ended = false;
    letRun(waitAndEndIt(std::make_unique<Resumer>(clock), stop.get_token(), &ended));
    stop.request_stop();
    QTRY_VERIFY(ended);
}

void TestResume::ticketLeadsOnlyWhenFirstEverywhere()
{
    ManualClock clock;
    Resumer resumer(clock);
    WaitQueue queue;
    const LockKeys ab("a", "b"), b("b"), a("a");
    WaitQueue::Ticket first(ab, resumer), second(b, resumer), third(a, resumer);
    queue.join(first);
    queue.join(second);
    queue.join(third);
    QVERIFY(queue.leads(first));
    QVERIFY(!queue.leads(second));
    QVERIFY(queue.hasWaiters(b));
    QCOMPARE(queue.front("b"), &first);
    queue.leave(first);
    queue.leave(first); // harmless
    QVERIFY(queue.leads(second) && queue.leads(third));
    queue.leave(second);
    queue.leave(third);
    QVERIFY(queue.isEmpty());
    QVERIFY(queue.all().empty());
}

QTEST_GUILESS_MAIN(TestResume)
#include "tst_resume.moc"
