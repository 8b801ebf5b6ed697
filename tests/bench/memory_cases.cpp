// SPDX-License-Identifier: MIT
#include "tests/bench/bench.h"

#include "tests/support/await.h"

namespace lockboard::bench {

using namespace std::chrono_literals;

namespace {

//! The in-memory provider as a program has it: behind the module.
class Memory final {
public:
    LockingModule& locks() { return m_module; }

private:
    SystemClock m_clock;
    LockingModule m_module{Config(), Container(m_clock, [](LogLevel, const std::string&) {})};
};

constexpr int stride = 1000; // pairs between two looks at the clock

Task<double> acquireRelease(LockingModule& locks, Duration length)
{
    const Budget budget(length);
    std::uint64_t pairs = 0;
    for (; !budget.isSpent(); pairs += stride) {
        for (int i = 0; i < stride; ++i) {
            co_await locks.acquire("prod_123");
            co_await locks.release("prod_123");
        }
    }
    co_return budget.perSecond(pairs);
}

Task<double> acquireReleaseOwned(LockingModule& locks, Duration length)
{
    const Budget budget(length);
    std::uint64_t pairs = 0;
    for (; !budget.isSpent(); pairs += stride) {
        for (int i = 0; i < stride; ++i) {
            co_await locks.acquire("prod_123",
                                   AcquireOptions().ownedBy("user_123").expiringIn(60s));
            co_await locks.release("prod_123", ReleaseOptions().ownedBy("user_123"));
        }
    }
    co_return budget.perSecond(pairs);
}

Task<void> emptyJob()
{
    co_return;
}

//! Gets back in line as soon as it has had its turn.
Task<void> worker(LockingModule& locks, const Budget& budget, std::uint64_t& jobs)
{
    while (!budget.isSpent()) {
        co_await locks.execute("prod_123", &emptyJob, ExecuteOptions().timingOutAfter(60s));
        ++jobs;
    }
}

Task<double> executeContended(LockingModule& locks, int waiters, Duration length)
{
    // Held while they line up: otherwise each would find the key free and wait for nobody.
    co_await locks.acquire("prod_123");
    const Budget budget(length);
    std::uint64_t jobs = 0;
    std::vector<Task<void>> workers;
    for (int i = 0; i < waiters; ++i)
        workers.push_back(worker(locks, budget, jobs));
    co_await locks.release("prod_123");
    for (auto& each : workers)
        co_await each;
    co_return budget.perSecond(jobs);
}

} // namespace

void addMemoryCases(std::vector<Case>& cases)
{
    const auto add = [&cases](const char* name, const char* unit, auto measure) {
        cases.push_back({name, unit, [measure](Duration length) {
                             Memory memory;
                             return test::await(measure(memory.locks(), length), 5min);
                         }});
    };
    add("memory-acquire-release", "pairs/s", acquireRelease);
    add("memory-acquire-release-owned", "pairs/s", acquireReleaseOwned);
    for (const int waiters : {10, 1000}) {
        cases.push_back({"memory-execute-" + std::to_string(waiters) + "-waiters", "jobs/s",
                         [waiters](Duration length) {
                             Memory memory;
                             return test::await(executeContended(memory.locks(), waiters, length),
                                                5min);
                         }});
    }
}

} // namespace lockboard::bench
