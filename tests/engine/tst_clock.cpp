// SPDX-License-Identifier: MIT
#include "engine/async/clock.h"

#include <QTest>

using namespace lockboard;
using namespace std::chrono_literals;

class TestClock final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void firesInOrder();
    void cancelled();
    void callbacksMayScheduleAndCancel();
    void atOnceWaitsForTheNextTurn();
    void aCallbackMayThrow();
    void systemClockFires();
    void systemClockTakesTheEarlierAlarm();
};

void TestClock::firesInOrder()
{
    ManualClock clock;
    std::vector<int> fired;
    clock.callAfter(30ms, [&] { fired.push_back(3); });
    clock.callAfter(10ms, [&] { fired.push_back(1); });
    clock.callAfter(10ms, [&] { fired.push_back(2); });
    clock.advance(9ms);
    QVERIFY(fired.empty());
    clock.advance(1ms);
    QCOMPARE(fired, (std::vector<int>{1, 2}));
    clock.advance(1h);
    QCOMPARE(fired, (std::vector<int>{1, 2, 3}));
}

void TestClock::cancelled()
{
    ManualClock clock;
    int fired = 0;
    const auto id = clock.callAfter(10ms, [&] { ++fired; });
    clock.cancel(id);
    clock.cancel(id);
    clock.cancel(12345);
    clock.advance(1s);
    QCOMPARE(fired, 0);
}

void TestClock::callbacksMayScheduleAndCancel()
{
    ManualClock clock;
    std::vector<int> fired;
    Clock::TimerId second = 0;
    clock.callAfter(10ms, [&] {
        fired.push_back(1);
        clock.cancel(second);
        clock.callAfter(5ms, [&] { fired.push_back(3); });
    });
    second = clock.callAfter(10ms, [&] { fired.push_back(2); });
    clock.advance(20ms);
    QCOMPARE(fired, (std::vector<int>{1, 3}));
}

void TestClock::atOnceWaitsForTheNextTurn()
{
    SystemClock clock;
    int fired = 0;
    std::function<void()> again = [&] {
        if (++fired < 100)
            clock.callAfter(0ms, again);
    };
    clock.callAfter(0ms, again);
    QCOMPARE(fired, 0); // never from within the call
    QTRY_COMPARE(fired, 100);
}

namespace {
//! Says when it asks to be woken.
class Asking final : public Clock {
public:
    [[nodiscard]] TimePoint now() const override { return time; }
    void fire() { fireDue(); }

    TimePoint time = TimePoint(1h);
    std::optional<TimePoint> asked;

protected:
    void arm(std::optional<TimePoint> next) override { asked = next; }
};
} // namespace

void TestClock::aCallbackMayThrow()
{
    Asking clock;
    bool fired = false;
    clock.callAfter(10ms, [] { throw 42; });
    clock.callAfter(20ms, [&] { fired = true; });
    clock.time += 10ms;
    QVERIFY_THROWS_EXCEPTION(int, clock.fire());
    QCOMPARE(clock.asked, std::optional(clock.time + 10ms));
    clock.callAfter(5ms, [] {});
    QCOMPARE(clock.asked, std::optional(clock.time + 5ms)); // it still asks for what comes first
    clock.time += 10ms;
    clock.fire();
    QVERIFY(fired);
}

void TestClock::systemClockFires()
{
    SystemClock clock;
    const TimePoint start = clock.now();
    std::optional<TimePoint> fired;
    clock.callAfter(30ms, [&] { fired = clock.now(); });
    QTRY_VERIFY(fired);
    QVERIFY(*fired - start >= 30ms);
}

void TestClock::systemClockTakesTheEarlierAlarm()
{
    SystemClock clock;
    bool late = false;
    bool early = false;
    clock.callAfter(1h, [&] { late = true; });
    clock.callAfter(20ms, [&] { early = true; });
    QTRY_VERIFY(early);
    QVERIFY(!late);
}

QTEST_GUILESS_MAIN(TestClock)
#include "tst_clock.moc"
