// SPDX-License-Identifier: MIT
#include "engine/async/resume.h"
#include "engine/module/built_in_kinds.h"
#include "engine/module/locking_module.h"
#include "tests/support/await.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

class TestModule final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void defaultRule_data();
    void defaultRule();
    void routesById();
    void readOnlyRefusesEveryMutation();
    void sharedContextReachesTheProvider();
    void longestHoldIsAnOptionOfEveryProvider();
    void thousandWaiters();
    void callsFromWhatItEnds();
};

void TestModule::defaultRule_data()
{
    QTest::addColumn<QString>("providers");
    QTest::addColumn<QString>("chosen");
    QTest::addColumn<bool>("said");
    const QString a = QStringLiteral(R"({"resolve": "in-memory", "id": "a"})");
    const QString b = QStringLiteral(R"({"resolve": "in-memory", "id": "b"})");
    const QString c = QStringLiteral(R"({"resolve": "in-memory", "id": "c", "is_default": true})");
    QTest::newRow("none") << QString() << QStringLiteral("in-memory") << true;
    QTest::newRow("the only one") << a << QStringLiteral("a") << true;
    QTest::newRow("is_default") << QString(a + u',' + c) << QStringLiteral("c") << false;
    QTest::newRow("the only one, is_default") << c << QStringLiteral("c") << false;
    QTest::newRow("two, no default")
        << QString(a + u',' + b) << QStringLiteral("in-memory") << true;
}

void TestModule::defaultRule()
{
    QFETCH(QString, providers);
    QFETCH(QString, chosen);
    QFETCH(bool, said);
    SystemClock clock;
    std::vector<std::pair<LogLevel, std::string>> log;
    const Container container(
        clock, [&](LogLevel level, const std::string& line) { log.emplace_back(level, line); });
    const Config config = Config::parse("{\"providers\": [" + providers.toStdString() + "]}",
                                        "test", ".", builtInKinds());
    const LockingModule locks(config, container);
    QCOMPARE(locks.defaultProviderId(), chosen.toStdString());
    QCOMPARE(log.size(), said ? 1u : 0u);
    if (said) {
        QCOMPARE(log.front().first, LogLevel::Info);
        QCOMPARE(log.front().second,
                 "Locking module: Using \"" + chosen.toStdString() + "\" as default.");
    }
    int defaults = 0;
    for (const ProviderInfo& info : locks.providers())
        defaults += info.isDefault;
    QCOMPARE(defaults, 1);
}

void TestModule::routesById()
{
    SystemClock clock;
    const Container container(clock, [](LogLevel, const std::string&) {});
    const Config config = Config::parse(
        R"({"providers": [{"resolve": "in-memory", "id": "a"}, {"resolve": "in-memory", "id": "b"}]})",
        "test", ".", builtInKinds());
    LockingModule locks(config, container);
    await(locks.acquire("k", AcquireOptions().ownedBy("X").at("a")));
    await(locks.acquire("k", AcquireOptions().ownedBy("Y").at("lp_b")));
    QVERIFY(!await(locks.release("k", ReleaseOptions().ownedBy("X").at("b"))).allReleased());
    QVERIFY(await(locks.release("k", ReleaseOptions().ownedBy("X").at("lp_a"))).allReleased());
    QCOMPARE(await(locks.releaseAll(ReleaseAllOptions().at("b"))).released, 1u);
}

template <typename T> static bool isRefused(Task<T> call)
{
    try {
        await(std::move(call));
    } catch (const ReadOnly&) {
        return true;
    }
    return false;
}

void TestModule::readOnlyRefusesEveryMutation()
{
    SystemClock clock;
    LockingModule::Settings settings;
    settings.readOnly = true;
    const Container container(clock, [](LogLevel, const std::string&) {});
    LockingModule locks(Config(), container, settings);
    QVERIFY(isRefused(locks.acquire("k")));
    QVERIFY(isRefused(locks.release("k")));
    QVERIFY(isRefused(locks.releaseAll()));
    QVERIFY(isRefused(locks.execute("k", [] { return 1; })));
    QVERIFY(await(locks.check()).reachable);
    QVERIFY(await(locks.liveView()));
}

namespace {
//! Remembers what context it was given.
class Listening final : public LockProvider {
public:
    explicit Listening(std::vector<std::string>& heard)
        : m_heard(heard)
    {
    }
    Task<Grant> acquire(LockKeys, AcquireOptions, SharedContext context) override
    {
        m_heard.push_back(context.fields().requestId);
        co_return Grant();
    }
    Task<void> executeJob(LockKeys, LockedJob, ExecuteOptions, SharedContext context) override
    {
        m_heard.push_back(context.fields().requestId);
        co_return;
    }
    Task<ReleaseResult> release(LockKeys, ReleaseOptions, SharedContext context) override
    {
        m_heard.push_back(context.fields().requestId);
        co_return ReleaseResult();
    }
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions, SharedContext context) override
    {
        m_heard.push_back(context.fields().requestId);
        co_return ReleaseAllResult();
    }
    LiveViewPtr liveView() override { return nullptr; }
    ProviderFeatures features() const override { return {}; }
    Task<CheckReport> check() override { co_return CheckReport(); }

private:
    std::vector<std::string>& m_heard;
};
} // namespace

void TestModule::sharedContextReachesTheProvider()
{
    std::vector<std::string> heard;
    ProviderRegistry registry = builtInKinds();
    ProviderRegistry::Kind kind;
    kind.identifier = "listening";
    kind.factory = [&](const Container&, const ProviderSetup&) {
        return std::make_unique<Listening>(heard);
    };
    registry.add(kind);
    SystemClock clock;
    const Container container(clock, [](LogLevel, const std::string&) {});
    const Config config = Config::parse(R"({"providers": [{"resolve": "listening", "id": "l"}]})",
                                        "test", ".", registry);
    LockingModule locks(config, container);
    SharedContext context;
    context.edit().requestId = "r7";
    await(locks.acquire("k", {}, context));
    await(locks.release("k", {}, context));
    await(locks.releaseAll({}, context));
    await(locks.execute(
        "k", [] {}, {}, context));
    QCOMPARE(heard, std::vector<std::string>(4, "r7"));
}

static Task<> count(LockingModule* locks, int* inside, int* done)
{
    const auto job = [inside]() -> Task<bool> {
        const bool alone = ++*inside == 1;
        co_await ResumeOn(qApp);
        --*inside;
        co_return alone;
    };
    if (co_await locks->execute("k", job))
        ++*done;
}

static Task<int> untilStopped(Clock& clock, std::stop_token stop)
{
    Resumer resumer(clock);
    Signal signal(resumer);
    co_await signal.wait({}, stop);
    co_return 1;
}

void TestModule::longestHoldIsAnOptionOfEveryProvider()
{
    const auto configured = [](const char* value) {
        return Config::parse(std::string(R"({"providers": [{"resolve": "in-memory", "id": "a",
                                 "options": {"maxHold": )")
                                 + value + "}}]}",
                             "test", ".", builtInKinds());
    };
    SystemClock clock;
    const Container container(clock, [](LogLevel, const std::string&) {});
    LockingModule locks(configured("0.05"), container);
    const auto job = [&clock](std::stop_token lost) {
        return untilStopped(clock, std::move(lost));
    };
    QVERIFY_THROWS_EXCEPTION(Lost, await(locks.execute("k", job)));
    // What the call says goes before it.
    const auto longer = [&clock](std::stop_token lost) -> Task<int> {
        Resumer resumer(clock);
        Signal signal(resumer);
        co_await signal.wait(clock.now() + 100ms, lost);
        co_return 2;
    };
    QCOMPARE(await(locks.execute("k", longer, ExecuteOptions().holdingAtMost(1min))), 2);
    for (const char* wrong : {"0", "-1", "1e12", "\"1h\""}) {
        try {
            const LockingModule none(configured(wrong), container);
            QFAIL(wrong);
        } catch (const ConfigError& error) {
            QCOMPARE(error.path(), std::string("/providers/0/options/maxHold"));
        }
    }
}

void TestModule::thousandWaiters()
{
    SystemClock clock;
    const Container container(clock, [](LogLevel, const std::string&) {});
    LockingModule locks(Config(), container);
    int inside = 0;
    int done = 0;
    for (int i = 0; i < 1000; ++i)
        letRun(count(&locks, &inside, &done));
    QTRY_COMPARE(done, 1000);
}

template <typename T> static Task<> countIfCancelled(Task<T> call, int* count)
{
    try {
        co_await call;
    } catch (const Cancelled&) {
        ++*count;
    }
}

//! Who is told that his call has ended calls again, while the module goes.
static Task<> callAgain(LockingModule* locks, int* refused)
{
    const auto never = [] { QFAIL("nobody is there to run it"); };
    const auto atB = ExecuteOptions().at("b");
    const auto atA = AcquireOptions().at("a");
    const auto allOfA = ReleaseAllOptions().at("a");
    Task<> held = locks->execute("k", never);
    co_await countIfCancelled(std::move(held), refused);
    Task<> again = locks->execute("k", never, atB);
    co_await countIfCancelled(std::move(again), refused);
    Task<> free = locks->execute("free", never);
    co_await countIfCancelled(std::move(free), refused);
    Task<Grant> elsewhere = locks->acquire("free", atA);
    co_await countIfCancelled(std::move(elsewhere), refused);
    Task<ReleaseResult> release = locks->release("k");
    co_await countIfCancelled(std::move(release), refused);
    Task<ReleaseAllResult> all = locks->releaseAll(allOfA);
    co_await countIfCancelled(std::move(all), refused);
}

void TestModule::callsFromWhatItEnds()
{
    SystemClock clock;
    const Container container(clock, [](LogLevel, const std::string&) {});
    const Config config = Config::parse(R"({"providers": [{"resolve": "in-memory", "id": "a"},
{"resolve": "in-memory", "id": "b", "is_default": true}]})",
                                        "test", ".", builtInKinds());
    int refused = 0;
    {
        LockingModule locks(config, container);
        await(locks.acquire("k"));
        letRun(callAgain(&locks, &refused));
        QCOMPARE(refused, 0);
    }
    QCOMPARE(refused, 6);
}

QTEST_GUILESS_MAIN(TestModule)
#include "tst_module.moc"
