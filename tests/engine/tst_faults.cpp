// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/support/engine_room.h"
#include "tests/support/provider_fixture.h"

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! What a provider throws that it must not, or gives nothing, or blocks: contained and named.
class TestFaults final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void callsThatThrow_data();
    void callsThatThrow();
    void callsFromAnotherThread();
    void viewsThatThrow_data();
    void viewsThatThrow();
    void providersThatCantBeMade_data();
    void providersThatCantBeMade();
    void featuresThatThrow();
    void renewalsThatThrow();
    void jobsThrowWhatTheyLike();
    void waitersAreServedAfterAFault();
    void blockedJobIsNoticed();
    void blockedJobElsewhereKeepsItsLease();
};

static Config badly(const QString& misbehaviour)
{
    const QString text = QStringLiteral(R"({"providers": [
{"resolve": "%1", "id": "odd", "options": {"misbehave": "%2"}},
{"resolve": "in-memory", "id": "fine", "is_default": true}]})")
                             .arg(QStringLiteral(TEST_PLUGIN), misbehaviour);
    return Config::parse(text.toStdString(), "test.json", ".", builtInKinds());
}

//! The sentence of whatever LockError a call ends with; anything else fails the test.
template <typename T> static std::string faultOfCall(Task<T> call)
{
    try {
        await(std::move(call));
    } catch (const LockError& error) {
        return error.message();
    }
    return "nothing was thrown";
}

void TestFaults::callsThatThrow_data()
{
    QTest::addColumn<QString>("verb");
    QTest::addColumn<QString>("how");
    for (const char* verb :
         {"acquire", "release", "releaseAll", "execute", "install-trigger", "check", "liveView"}) {
        for (const char* how : {"exception", "int", "memory", "thrown", "nothing"}) {
            QTest::addRow("%s: %s", verb, how)
                << QString::fromLatin1(verb) << QString::fromLatin1(how);
        }
    }
}

static std::string call(LockingModule& locks, const QString& verb)
{
    if (verb == u"acquire")
        return faultOfCall(locks.acquire("k", AcquireOptions().at("odd")));
    if (verb == u"release")
        return faultOfCall(locks.release("k", ReleaseOptions().at("odd")));
    if (verb == u"releaseAll")
        return faultOfCall(locks.releaseAll(ReleaseAllOptions().at("odd")));
    if (verb == u"execute")
        return faultOfCall(locks.execute(
            "k", [] {}, ExecuteOptions().at("odd")));
    if (verb == u"install-trigger")
        return faultOfCall(locks.installNotices("odd"));
    if (verb == u"liveView")
        return faultOfCall(locks.liveView("odd"));
    const CheckReport report = await(locks.check("odd"));
    return report.reachable || report.findings.empty() ? "it is reachable"
                                                       : report.findings.front().sentence;
}

void TestFaults::callsThatThrow()
{
    QFETCH(QString, verb);
    QFETCH(QString, how);
    const OneProvider locks(badly(verb + u':' + how));
    const std::string said = call(*locks.operator->(), verb);
    QVERIFY2(contains(said, "The provider \"odd\" failed in "), said.c_str());
    QVERIFY2(contains(said, verb.toStdString()), said.c_str());
    QCOMPARE(std::count(said.begin(), said.end(), '\n'), 0);
    if (how == u"exception" || how == u"thrown")
        QVERIFY2(contains(said, "boom"), said.c_str());
    // The others work on.
    await(locks->acquire("k", AcquireOptions().ownedBy("A")));
    QVERIFY(await(locks->release("k", ReleaseOptions().ownedBy("A"))).allReleased());
}

void TestFaults::callsFromAnotherThread()
{
    const EngineRoom locks(badly(QStringLiteral("acquire:int")));
    const std::string said = faultOfCall(locks->acquire("k", AcquireOptions().at("odd")));
    QVERIFY2(contains(said, "The provider \"odd\" failed in acquire"), said.c_str());
    QVERIFY(await(locks->check("odd")).reachable);
}

void TestFaults::viewsThatThrow_data()
{
    QTest::addColumn<QString>("where");
    QTest::newRow("at its start") << QStringLiteral("view");
    QTest::newRow("when it looks") << QStringLiteral("refresh");
}

void TestFaults::viewsThatThrow()
{
    QFETCH(QString, where);
    const OneProvider locks(badly(where + QStringLiteral(":int")));
    const LiveViewPtr view = await(locks->liveView("odd"));
    SourceState state;
    connect(view.get(), &LiveView::stateChanged, this,
            [&state](const SourceState& said) { state = said; });
    view->start();
    QTRY_COMPARE(state.kind, SourceState::Failed);
    QVERIFY2(state.why.startsWith(u"The provider \"odd\" failed in its live view: "),
             qPrintable(state.why));
}

void TestFaults::providersThatCantBeMade_data()
{
    QTest::addColumn<QString>("how");
    for (const char* how : {"exception", "int", "memory", "nothing"})
        QTest::newRow(how) << QString::fromLatin1(how);
}

void TestFaults::providersThatCantBeMade()
{
    QFETCH(QString, how);
    const OneProvider locks(badly(QStringLiteral("factory:") + how));
    QCOMPARE(locks->providers().size(), 3u); // these two, and in-memory
    const ProviderInfo& odd = locks->providers().front();
    QCOMPARE(odd.id, "odd");
    QVERIFY2(odd.problem.starts_with("The provider \"odd\" could not be made: "),
             odd.problem.c_str());
    QVERIFY(contains(locks.log, odd.problem));
    QVERIFY(locks->providers()[1].problem.empty());
    for (const char* verb :
         {"acquire", "release", "releaseAll", "execute", "install-trigger", "check", "liveView"})
        QCOMPARE(call(*locks.operator->(), QString::fromLatin1(verb)), odd.problem);
    await(locks->acquire("k", AcquireOptions().ownedBy("A")));
}

void TestFaults::featuresThatThrow()
{
    const OneProvider locks(badly(QStringLiteral("features:int")));
    QVERIFY2(contains(locks.log, "The provider \"odd\" does not say what it can do"),
             locks.log.c_str());
    await(locks->acquire("k", AcquireOptions().at("odd")));
}

void TestFaults::renewalsThatThrow()
{
    const OneProvider locks(badly(QStringLiteral("renew:int")));
    // Renewed in vain, the job is told in time, and the call ends.
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(600ms).at("odd"));
    QTRY_VERIFY(job.running);
    const std::string said = job.outcome();
    QVERIFY(job.wasStopped);
    QVERIFY2(contains(said, "Lost the lock"), said.c_str());
}

void TestFaults::jobsThrowWhatTheyLike()
{
    const OneProvider locks(badly(QStringLiteral("none")));
    for (const char* where : {"odd", "fine"}) {
        const auto throwsInt = [] { throw 42; };
        int thrown = 0;
        try {
            await(locks->execute("k", throwsInt, ExecuteOptions().at(where)));
        } catch (int number) {
            thrown = number;
        }
        QCOMPARE(thrown, 42);
    }
}

void TestFaults::waitersAreServedAfterAFault()
{
    const OneProvider locks(badly(QStringLiteral("acquire:exception")));
    // The one that waits is told, and leaves no ticket behind for the next to wait on.
    for (int i = 0; i < 3; ++i) {
        const std::string said =
            faultOfCall(locks->acquire("k", AcquireOptions().ownedBy("A").waiting(5s).at("odd")));
        QVERIFY2(contains(said, "The provider \"odd\" failed in acquire"), said.c_str());
    }
}

void TestFaults::blockedJobIsNoticed()
{
    const OneProvider locks(badly(QStringLiteral("none")));
    const auto blocks = [] { QThread::msleep(900); };
    try {
        await(locks->execute("slow", blocks, ExecuteOptions().expiringIn(1s)));
    } catch (const Lost&) {
    }
    QVERIFY2(contains(locks.log, "A job blocked the engine's thread"), locks.log.c_str());
    QVERIFY(contains(locks.log, "\"slow\""));
    // Also after its first wait.
    const auto blocksLater = []() -> Task<void> {
        SystemClock clock;
        Resumer resumer(clock);
        Signal pause(resumer);
        co_await pause.wait(clock.now() + 50ms, {});
        QThread::msleep(900);
        co_await pause.wait(clock.now() + 50ms, {});
    };
    try {
        await(locks->execute("later", blocksLater, ExecuteOptions().expiringIn(1s)));
    } catch (const Lost&) {
    }
    QVERIFY2(contains(locks.log, "\"later\""), locks.log.c_str());
    const auto quick = [] {};
    await(locks->execute("quick", quick));
    QVERIFY(!contains(locks.log, "\"quick\""));
}

void TestFaults::blockedJobElsewhereKeepsItsLease()
{
    const EngineRoom locks;
    const auto blocks = [] { QThread::msleep(1500); };
    await(locks->execute("k", blocks, ExecuteOptions().expiringIn(1s))); // not Lost
}

QTEST_GUILESS_MAIN(TestFaults)
#include "tst_faults.moc"
