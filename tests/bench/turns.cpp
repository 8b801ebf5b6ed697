// SPDX-License-Identifier: MIT
#include "tests/bench/turns.h"

#include "engine/module/built_in_kinds.h"
#include "engine/module/locking_module.h"
#include "tests/support/await.h"

#include <algorithm>

namespace lockboard::bench {

using namespace std::chrono_literals;

namespace {

class Rest final {
public:
    explicit Rest(Clock& clock)
        : m_clock(&clock)
    {
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const
    {
        m_clock->callAfter(jobLength, [waiting] { waiting.resume(); });
    }
    void await_resume() const noexcept { }

private:
    Clock* m_clock;
};

Task<void> job(Clock* clock, Turn* turn)
{
    turn->began = nowMs();
    co_await Rest(*clock);
    turn->ended = nowMs();
}

Task<void> waiter(LockingModule& locks, Clock& clock, int jobs, Turns& turns)
{
    for (int i = 0; i < jobs; ++i) {
        Turn turn;
        turn.queued = nowMs();
        const auto run = [clock = &clock, turn = &turn] { return job(clock, turn); };
        co_await locks.execute("prod_123", run, ExecuteOptions().timingOutAfter(10min));
        turns.push_back(turn);
    }
}

Task<void> contend(LockingModule& locks, Clock& clock, int waiters, int jobs, Turns& turns)
{
    std::vector<Task<void>> all;
    for (int i = 0; i < waiters; ++i)
        all.push_back(waiter(locks, clock, jobs / waiters, turns));
    for (auto& each : all)
        co_await each;
}

} // namespace

double nowMs()
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
}

Turns turnsOfProcess(const QString& url, int waiters, int jobs)
{
    SystemClock clock;
    LockingModule locks(Config::connectTo(url.toStdString(), builtInKinds()),
                        Container(clock, [](LogLevel, const std::string&) {}));
    Turns turns;
    test::await(contend(locks, clock, waiters, jobs, turns), 5min);
    return turns;
}

HotKey::HotKey(Turns turns, int waiters, double commands)
    : m_turns(std::move(turns))
    , m_waiters(waiters)
    , m_commands(commands)
{
    std::sort(m_turns.begin(), m_turns.end(),
              [](const Turn& a, const Turn& b) { return a.began < b.began; });
    for (std::size_t i = 1; i < m_turns.size(); ++i) {
        if (m_turns[i].began < m_turns[i - 1].ended)
            throw std::runtime_error("two jobs ran at the same time");
        // Who came later did not wait for this hand-over.
        if (m_turns[i].queued < m_turns[i - 1].ended)
            m_handOvers.push_back(m_turns[i].began - m_turns[i - 1].ended);
    }
    std::sort(m_handOvers.begin(), m_handOvers.end());
}

double HotKey::efficiency() const
{
    const double all = m_turns.back().ended - m_turns.front().began;
    double running = 0; // a timer of 5 ms takes a little longer
    for (const Turn& turn : m_turns)
        running += turn.ended - turn.began;
    return 100 * running / all;
}

double HotKey::handOver(double quantile) const
{
    return m_handOvers[static_cast<std::size_t>(quantile
                                                * static_cast<double>(m_handOvers.size() - 1))];
}

double HotKey::longestWait() const
{
    double longest = 0;
    for (const Turn& turn : m_turns)
        longest = std::max(longest, turn.began - turn.queued);
    return longest / (m_waiters * double(jobLength.count()));
}

} // namespace lockboard::bench
