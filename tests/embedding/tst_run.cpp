// SPDX-License-Identifier: MIT
#include "engine/contract/run.h"
#include "engine/module/locking_module.h"

#include <QTest>

using namespace lockboard;
using namespace std::chrono_literals;

class TestRun final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void givesTheResult();
    void throwsWhatTheCallThrows();
    void refusesWhereALoopRuns();
    void saysThatTheLoopWasToldToExit(); // the last: the thread's loops run no more
};

void TestRun::givesTheResult()
{
    SystemClock clock;
    LockingModule locks(Config(), Container(clock, [](LogLevel, const std::string&) {}));
    QCOMPARE(runToEnd(locks.execute("k", [] { return 7; })), 7);
    runToEnd(locks.execute("k", [] {}));
    QVERIFY(!runToEnd(locks.acquire("k", AcquireOptions().expiringIn(1min))).isExtension());
}

void TestRun::throwsWhatTheCallThrows()
{
    SystemClock clock;
    LockingModule locks(Config(), Container(clock, [](LogLevel, const std::string&) {}));
    runToEnd(locks.acquire("k", AcquireOptions().ownedBy("A")));
    QVERIFY_THROWS_EXCEPTION(Conflict, runToEnd(locks.acquire("k", AcquireOptions().ownedBy("B"))));
    QVERIFY_THROWS_EXCEPTION(
        TimedOut, runToEnd(locks.acquire("k", AcquireOptions().ownedBy("B").waiting(100ms))));
    const auto job = []() -> int { throw 42; };
    QVERIFY_THROWS_EXCEPTION(int, runToEnd(locks.execute("j", job)));
}

void TestRun::saysThatTheLoopWasToldToExit()
{
    SystemClock clock;
    LockingModule locks(Config(), Container(clock, [](LogLevel, const std::string&) {}));
    runToEnd(locks.acquire("k", AcquireOptions().ownedBy("A")));
    QTimer::singleShot(50, qApp, [] { QCoreApplication::exit(); });
    QVERIFY_THROWS_EXCEPTION(OutcomeUnknown,
                             runToEnd(locks.acquire("k", AcquireOptions().ownedBy("B").waiting())));
}

static Task<void> succeed()
{
    co_return;
}

void TestRun::refusesWhereALoopRuns()
{
    std::string said;
    QEventLoop loop;
    QTimer::singleShot(0, &loop, [&] {
        try {
            runToEnd(succeed());
        } catch (const InvalidArgument& error) {
            said = error.message();
        }
        loop.quit();
    });
    loop.exec();
    QVERIFY2(said.find("co_await") != std::string::npos, said.c_str());
}

QTEST_GUILESS_MAIN(TestRun)
#include "tst_run.moc"
