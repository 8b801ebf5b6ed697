// SPDX-License-Identifier: MIT
#include "tests/bench/loops.h"

#include "engine/module/built_in_kinds.h"
#include "tests/bench/bench.h"
#include "tests/support/await.h"

namespace lockboard::bench {

using namespace std::chrono_literals;

namespace {

//! The provider as a program has it.
class Ours final {
public:
    explicit Ours(const QString& url)
        : m_locks(Config::connectTo(url.toStdString(), builtInKinds()),
                  Container(m_clock, [](LogLevel, const std::string&) {}))
    {
        test::await(m_locks.release("prod_0")); // so that the connection stands
    }
    LockingModule* operator->() { return &m_locks; }
    LockingModule& operator*() { return m_locks; }

private:
    SystemClock m_clock;
    LockingModule m_locks;
};

Task<void> pairsOf(LockingModule& locks, std::string key, const Budget& budget,
                   std::uint64_t& pairs)
{
    for (; !budget.isSpent(); ++pairs) {
        co_await locks.acquire(key, AcquireOptions().ownedBy("user_123").expiringIn(60s));
        co_await locks.release(key, ReleaseOptions().ownedBy("user_123"));
    }
}

Task<double> pairs(LockingModule& locks, int callers, Duration length)
{
    const Budget budget(length);
    std::uint64_t count = 0;
    std::vector<Task<void>> all;
    for (int i = 0; i < callers; ++i)
        all.push_back(pairsOf(locks, "prod_" + std::to_string(i), budget, count));
    for (auto& each : all)
        co_await each;
    co_return budget.perSecond(count);
}

double secondsSince(TimePoint start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

double pairsPerSecond(const QString& url, int callers, Duration length)
{
    Ours locks(url);
    return test::await(pairs(*locks, callers, length), 1min);
}

double secondsToList(const QString& url, int count, bool firstPageOnly)
{
    Ours locks(url);
    const LiveViewPtr view = test::await(locks->liveView());
    QEventLoop loop;
    qsizetype seen = 0;
    const TimePoint start = std::chrono::steady_clock::now();
    QObject::connect(view.get(), &LiveView::snapshotBatch, &loop, [&](const LockBatch& batch) {
        seen += batch.size();
        if (firstPageOnly)
            loop.quit();
    });
    QObject::connect(view.get(), &LiveView::snapshotCompleted, &loop, &QEventLoop::quit);
    view->start();
    loop.exec();
    if (!firstPageOnly && seen != count)
        throw std::runtime_error("not every lock was listed");
    return secondsSince(start);
}

double secondsToReleaseAll(const QString& url, const std::string& owner, std::uint64_t count)
{
    Ours locks(url);
    const TimePoint start = std::chrono::steady_clock::now();
    const ReleaseAllResult result =
        test::await(locks->releaseAll(ReleaseAllOptions().ownedBy(owner)), 1min);
    if (result.released != count)
        throw std::runtime_error("not every lock of the owner was released");
    return secondsSince(start);
}

} // namespace lockboard::bench
