// SPDX-License-Identifier: MIT
#include "tests/contract/subject.h"

#include <QTest>
#include <QThread>

#include <functional>
#include <future>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! What the module refuses whatever the provider (engine/module/validation.h), and that it may be
//! called from another thread.
class TestModuleRules final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void badKeys_data();
    void badKeys();
    void badOwners();
    void badLeases();
    void badHolds();
    void unknownProvider();
    void storedFormOfTheId();
    void inMemoryIsAlwaysThere();
    void checkFindsTheProvider();
    void fromAnotherThread();
};

void TestModuleRules::badKeys_data()
{
    QTest::addColumn<int>("which");
    QTest::newRow("none") << 0;
    QTest::newRow("an empty one") << 1;
    QTest::newRow("over 64 KiB") << 2;
    QTest::newRow("more than 10,000") << 3;
}

void TestModuleRules::badKeys()
{
    QFETCH(int, which);
    std::vector<std::string> list;
    if (which == 1)
        list = {"good", ""};
    else if (which == 2)
        list = {std::string(64 * 1024 + 1, 'k')};
    else if (which == 3)
        for (int i = 0; i <= 10'000; ++i)
            list.push_back(std::to_string(i));
    const LockKeys keys(list);
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    QCOMPARE(errorOf(locks.acquire(keys)), ErrorCode::InvalidArgument);
    QCOMPARE(errorOf(locks.release(keys)), ErrorCode::InvalidArgument);
    QCOMPARE(errorOf(locks.execute(keys, [] { return 1; })), ErrorCode::InvalidArgument);
    QVERIFY(subject->locks().isEmpty());
}

void TestModuleRules::badOwners()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("held"));
    for (const char* owner : {"", "*"}) {
        QCOMPARE(errorOf(locks.acquire("k", AcquireOptions().ownedBy(owner))),
                 ErrorCode::InvalidArgument);
        QCOMPARE(errorOf(locks.release("held", ReleaseOptions().ownedBy(owner))),
                 ErrorCode::InvalidArgument);
        QCOMPARE(errorOf(locks.releaseAll(ReleaseAllOptions().ownedBy(owner))),
                 ErrorCode::InvalidArgument);
        QCOMPARE(errorOf(locks.execute(
                     "k", [] { return 1; }, ExecuteOptions().ownedBy(owner))),
                 ErrorCode::InvalidArgument);
    }
    QCOMPARE(subject->locks().size(), 1);
}

void TestModuleRules::badLeases()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    for (const Duration lease : {Duration(0), Duration(-1), Duration(10 * 366 * 24h)}) {
        QCOMPARE(errorOf(locks.acquire("k", AcquireOptions().expiringIn(lease))),
                 ErrorCode::InvalidArgument);
        QCOMPARE(errorOf(locks.execute(
                     "k", [] { return 1; }, ExecuteOptions().expiringIn(lease))),
                 ErrorCode::InvalidArgument);
    }
    QVERIFY(subject->locks().isEmpty());
    QVERIFY(!errorOf(locks.acquire("k", AcquireOptions().expiringIn(10 * 365 * 24h))));
}

void TestModuleRules::badHolds()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    for (const Duration time : {Duration(0), Duration(-1), Duration(11 * 365 * 24h)}) {
        QCOMPARE(errorOf(subject->module().execute(
                     "k", [] { return 1; }, ExecuteOptions().holdingAtMost(time))),
                 ErrorCode::InvalidArgument);
    }
}

void TestModuleRules::unknownProvider()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    try {
        await(subject->module().acquire("k", AcquireOptions().at("nowhere")));
        QFAIL("granted");
    } catch (const NotFound& error) {
        QCOMPARE(error.id(), std::string("nowhere"));
        const std::string& id = subject->module().defaultProviderId();
        QVERIFY(error.message().find("\"nowhere\"") != std::string::npos);
        QVERIFY(error.message().find('"' + id + '"') != std::string::npos);
        QVERIFY(error.message().find("\"in-memory\"") != std::string::npos);
    }
}

void TestModuleRules::storedFormOfTheId()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    const std::string& id = subject->module().defaultProviderId();
    await(subject->module().acquire("k", AcquireOptions().at("lp_" + id)));
    QVERIFY(subject->find("k"));
    QVERIFY(await(subject->module().release("k", ReleaseOptions().at(id))).allReleased());
}

void TestModuleRules::inMemoryIsAlwaysThere()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    await(subject->module().acquire("k", AcquireOptions().at("in-memory")));
    QVERIFY(!subject->find("k")); // that was another provider
    QVERIFY(
        await(subject->module().release("k", ReleaseOptions().at("lp_in-memory"))).allReleased());
}

void TestModuleRules::checkFindsTheProvider()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    const CheckReport report = await(subject->module().check());
    QVERIFY(report.reachable);
    QVERIFY(!report.findings.empty());
    QCOMPARE(errorOf(subject->module().check("nowhere")), ErrorCode::NotFound);
}

namespace {

struct Used {
    int steps = 0;
    QString problem;
};

} // namespace

//! What came of it is promised: ThreadSanitizer does not see how Qt waits for a thread.
static Task<> useFromHere(LockingModule& locks, QThread* there, std::promise<Used>& promise)
{
    Used used;
    const auto check = [&used](bool good, const char* what) {
        if (!good)
            used.problem += QLatin1String(what) + QStringLiteral("; ");
        ++used.steps;
    };
    try {
        co_await locks.acquire("k", AcquireOptions().ownedBy("X"));
        check(QThread::currentThread() == there, "acquire resumed elsewhere");
        const ReleaseResult result = co_await locks.release("k", ReleaseOptions().ownedBy("X"));
        check(result.allReleased() && QThread::currentThread() == there, "release");
        const auto where = [](std::stop_token) { return QThread::currentThread(); };
        const QThread* ran = co_await locks.execute("k", where);
        check(ran == there && QThread::currentThread() == there, "execute ran elsewhere");
        const LiveViewPtr view = co_await locks.liveView();
        check(view->thread() == locks.thread(), "the view lives elsewhere");
        co_await locks.acquire("held");
        bool refused = false;
        try {
            co_await locks.acquire("held", AcquireOptions().exclusively());
        } catch (const Conflict&) {
            refused = true;
        }
        check(refused && QThread::currentThread() == there, "conflict");
        const ReleaseAllResult all = co_await locks.releaseAll();
        check(all.released == 1, "releaseAll");
    } catch (const std::exception& error) {
        used.problem += QString::fromUtf8(error.what());
    }
    promise.set_value(used);
    QThread::currentThread()->quit();
}

void TestModuleRules::fromAnotherThread()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    QThread thread;
    QObject inThread;
    inThread.moveToThread(&thread);
    std::promise<Used> promise;
    connect(&thread, &QThread::started, &inThread,
            [&] { letRun(useFromHere(locks, &thread, promise)); });
    thread.start();
    QTRY_VERIFY(thread.isFinished()); // real time: injected time would be over before it began
    const Used used = promise.get_future().get();
    QCOMPARE(used.problem, QString());
    QCOMPARE(used.steps, 6);
}

QTEST_GUILESS_MAIN(TestModuleRules)
#include "tst_module_rules.moc"
