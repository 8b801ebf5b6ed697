// SPDX-License-Identifier: MIT
#include "engine/async/resume.h"
#include "engine/module/built_in_kinds.h"
#include "tests/support/await.h"
#include "tests/support/engine_room.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! The one rule: who goes first tells everyone who waits on it, truthfully and on its own thread.
class TestEndOfLife final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whoWaitsIsCancelled();
    void whatWasNotSentIsCancelled();
    void whatItsProviderNeverEnds();
    void jobOnAnotherThreadOutlivesTheModule();
    void jobOnAnotherThreadEndsWhileTheModuleCloses();
    void grantToAThreadThatEnded();
    void grantOnItsWayToAThreadThatEnds();
    void jobOfAThreadThatEnded();
    void releaseAllOutlivesItsProvider();
    void everyCallOfManyThreadsEnds();
};

//! How a call ended, and where.
struct End {
    std::exception_ptr error;
    QThread* thread = nullptr;
    bool ended = false;

    template <typename Error> [[nodiscard]] bool is() const
    {
        try {
            if (error)
                std::rethrow_exception(error);
        } catch (const Error&) {
            return true;
        } catch (...) {
        }
        return false;
    }
};

template <typename T> static Task<void> watch(Task<T> call, std::shared_ptr<End> end)
{
    try {
        co_await call;
    } catch (...) {
        end->error = std::current_exception();
    }
    end->thread = QThread::currentThread();
    end->ended = true;
}

template <typename T> static std::shared_ptr<End> begin(Task<T> call)
{
    auto end = std::make_shared<End>();
    letRun(watch(std::move(call), end));
    return end;
}

void TestEndOfLife::whoWaitsIsCancelled()
{
    EngineRoom locks;
    await(locks->acquire("k", AcquireOptions().ownedBy("A")));
    const auto waiter = begin(locks->acquire("k", AcquireOptions().ownedBy("B").waiting()));
    await(locks->check()); // it stands in the queue now
    locks.close();
    QTRY_VERIFY(waiter->ended);
    QVERIFY(waiter->is<Cancelled>());
    QCOMPARE(waiter->thread, thread());
}

void TestEndOfLife::whatWasNotSentIsCancelled()
{
    EngineRoom locks;
    std::promise<void> release;
    locks.blockUntil(release.get_future().share());
    locks.quit(); // before the call is read
    const auto call = begin(locks->acquire("k", AcquireOptions().ownedBy("A")));
    release.set_value();
    locks.close();
    QTRY_VERIFY(call->ended);
    QVERIFY(call->is<Cancelled>() || !call->error);
}

namespace {

//! Takes a call and never ends it.
class Mute final : public LockProvider {
public:
    struct Never {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiting) const
        {
            // Known to somebody, so that a leak detector does not take it for a mistake.
            static auto* const all = new std::vector<std::coroutine_handle<>>();
            all->push_back(waiting);
        }
        void await_resume() const noexcept { }
    };
    Task<Grant> acquire(LockKeys, AcquireOptions, SharedContext) override
    {
        co_await Never();
        co_return Grant();
    }
    Task<void> executeJob(LockKeys, LockedJob, ExecuteOptions, SharedContext) override
    {
        co_await Never();
    }
    Task<ReleaseResult> release(LockKeys, ReleaseOptions, SharedContext) override
    {
        co_await Never();
        co_return ReleaseResult();
    }
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions, SharedContext) override
    {
        co_await Never();
        co_return ReleaseAllResult();
    }
    LiveViewPtr liveView() override { return nullptr; }
    ProviderFeatures features() const override { return {}; }
    Task<CheckReport> check() override
    {
        co_await Never();
        co_return CheckReport();
    }
};

Config muteConfig()
{
    ProviderRegistry registry = builtInKinds();
    ProviderRegistry::Kind kind;
    kind.identifier = "mute";
    kind.factory = [](const Container&, const ProviderSetup&) { return std::make_unique<Mute>(); };
    registry.add(kind);
    return Config::parse(R"({"providers": [{"resolve": "mute", "id": "m"}]})", "test", ".",
                         registry);
}

} // namespace

void TestEndOfLife::whatItsProviderNeverEnds()
{
    EngineRoom locks(muteConfig());
    const auto acquire = begin(locks->acquire("k", AcquireOptions().ownedBy("A")));
    const auto release = begin(locks->release("k"));
    const auto all = begin(locks->releaseAll());
    const auto execute = begin(locks->execute("k", [] {}));
    const auto check = begin(locks->check());
    QVERIFY(await(locks->check("in-memory")).reachable); // they have all been sent
    locks.close();
    QTRY_VERIFY(acquire->ended && release->ended && all->ended && execute->ended && check->ended);
    QVERIFY(acquire->is<OutcomeUnknown>());
    QVERIFY(release->is<OutcomeUnknown>());
    QVERIFY(all->is<OutcomeUnknown>());
    QVERIFY(execute->is<OutcomeUnknown>());
    QVERIFY(check->is<Cancelled>());
    QCOMPARE(acquire->thread, thread());
}

namespace {

//! A job that runs until the test ends it.
struct LongJob {
    SystemClock clock;
    Resumer resumer{clock};
    Signal end{resumer};
    std::stop_token lost;
    bool running = false;

    Task<void> run(std::stop_token stop)
    {
        lost = std::move(stop);
        running = true;
        co_await end.wait({}, {});
    }
};

} // namespace

void TestEndOfLife::jobOnAnotherThreadOutlivesTheModule()
{
    LongJob job;
    const auto run = [&job](std::stop_token lost) { return job.run(std::move(lost)); };
    std::shared_ptr<End> call;
    {
        EngineRoom locks;
        call = begin(locks->execute("k", run));
        QTRY_VERIFY(job.running);
    }
    QVERIFY(job.lost.stop_requested());
    QTest::qWait(50);
    QVERIFY(!call->ended); // its job has not
    job.end.raise();
    QTRY_VERIFY(call->ended);
    QVERIFY(call->is<Lost>());
    QCOMPARE(call->thread, thread());
}

void TestEndOfLife::jobOnAnotherThreadEndsWhileTheModuleCloses()
{
    for (int round = 0; round < 20; ++round) {
        LongJob job;
        const auto run = [&job](std::stop_token lost) { return job.run(std::move(lost)); };
        EngineRoom locks;
        const auto call = begin(locks->execute("k", run));
        QTRY_VERIFY(job.running);
        locks.quit();
        if (round % 2 == 0)
            QThread::yieldCurrentThread();
        job.end.raise();
        QTRY_VERIFY(call->ended); // well, or with Lost: whichever came first
        QVERIFY(!call->error || call->is<Lost>());
        QCOMPARE(call->thread, thread());
    }
}

//! Runs `what` in a thread with an event loop, which ends once `until` holds.
template <typename What, typename Until> static void inAThreadThatEnds(What what, Until until)
{
    const std::unique_ptr<QThread> other(QThread::create([&what, &until] {
        QEventLoop loop;
        what();
        while (!until())
            loop.processEvents(QEventLoop::AllEvents, 10);
    }));
    other->start();
    QVERIFY(other->wait(20'000));
}

void TestEndOfLife::grantToAThreadThatEnded()
{
    EngineRoom locks;
    await(locks->acquire("k", AcquireOptions().ownedBy("A")));
    std::shared_ptr<End> waiter;
    inAThreadThatEnds(
        [&] { waiter = begin(locks->acquire("k", AcquireOptions().ownedBy("B").waiting())); },
        [] { return true; });
    await(locks->check());
    await(locks->release("k", ReleaseOptions().ownedBy("A")));
    // It was B's turn, and nobody is there to take it.
    await(locks->acquire("k", AcquireOptions().ownedBy("C").waiting(10s)));
    QVERIFY(!waiter->ended);
    // What B held before is left to it.
    await(locks->acquire("held", AcquireOptions().ownedBy("B")));
    inAThreadThatEnds(
        [&] {
            (void)begin(locks->acquire(LockKeys("held", "new"), AcquireOptions().ownedBy("B")));
            QThread::msleep(200);
        },
        [] { return true; });
    await(locks->acquire("new", AcquireOptions().ownedBy("C").waiting(10s)));
    QVERIFY_THROWS_EXCEPTION(Conflict,
                             await(locks->acquire("held", AcquireOptions().ownedBy("C"))));
}

void TestEndOfLife::grantOnItsWayToAThreadThatEnds()
{
    EngineRoom locks;
    inAThreadThatEnds(
        [&] {
            (void)begin(locks->acquire("k", AcquireOptions().ownedBy("B")));
            QThread::msleep(300); // the answer lies in its mailbox by now
        },
        [] { return true; });
    await(locks->acquire("k", AcquireOptions().ownedBy("C").waiting(10s)));
}

void TestEndOfLife::jobOfAThreadThatEnded()
{
    EngineRoom locks;
    std::atomic<bool> running = false;
    inAThreadThatEnds(
        [&] {
            const auto job = [&running]() -> Task<void> {
                running = true;
                co_await Mute::Never();
            };
            (void)begin(locks->execute("k", job));
        },
        [&] { return running.load(); });
    await(locks->acquire("k", AcquireOptions().ownedBy("C").waiting(10s)));
}

void TestEndOfLife::releaseAllOutlivesItsProvider()
{
    SystemClock clock;
    const Container container(clock, [](LogLevel, const std::string&) {});
    auto locks = std::make_unique<LockingModule>(Config(), container);
    for (int i = 0; i < 25'000; ++i)
        await(locks->acquire("k" + std::to_string(i)));
    std::optional<ReleaseAllResult> result;
    const auto run = [](LockingModule* module, std::optional<ReleaseAllResult>* to) -> Task<void> {
        to->emplace(co_await module->releaseAll());
    };
    letRun(run(locks.get(), &result));
    QVERIFY(!result);
    locks.reset();
    QVERIFY(result);
    QCOMPARE(result->released, 10'000u);
    QVERIFY(result->interruption);
}

void TestEndOfLife::everyCallOfManyThreadsEnds()
{
    for (int round = 0; round < 5; ++round) {
        EngineRoom locks;
        constexpr int threads = 3;
        constexpr int calls = 200;
        std::atomic<int> made = 0;
        std::atomic<int> ended = 0;
        const auto run = [](LockingModule* module, int i, std::atomic<int>* count) -> Task<void> {
            const std::string key = "k" + std::to_string(i % 7);
            const auto job = [] { return 1; };
            try {
                co_await module->execute(key, job);
            } catch (const LockError&) {
            }
            ++*count;
        };
        std::vector<std::unique_ptr<QThread>> all;
        for (int t = 0; t < threads; ++t) {
            all.emplace_back(QThread::create([&] {
                QEventLoop loop;
                for (int i = 0; i < calls; ++i)
                    letRun(run(locks.module, i, &ended));
                ++made;
                while (ended < threads * calls) // each thread has its own calls' ends to read
                    loop.processEvents(QEventLoop::AllEvents, 20);
            }));
            all.back()->start();
        }
        QTRY_COMPARE(made.load(), threads); // no call is made to what is gone
        locks.close();
        for (const auto& thread : all)
            QVERIFY(thread->wait(20'000));
        QCOMPARE(ended.load(), threads * calls);
    }
}

QTEST_GUILESS_MAIN(TestEndOfLife)
#include "tst_end_of_life.moc"
