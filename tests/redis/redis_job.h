// SPDX-License-Identifier: MIT
#pragma once

#include "tests/redis/redis_fixture.h"

#include <QElapsedTimer>

namespace lockboard::test {

//! An execute whose job runs until it is told to stop, or until the test says so.
class RedisJob final {
public:
    RedisJob(const RedisModule& locks, const std::string& key, Duration lease)
        : m_resumer(m_clock)
    {
        run(locks, key, lease);
    }

    //! Ends it and gives what execute threw; empty: it succeeded.
    [[nodiscard]] std::string end()
    {
        m_ended.raise();
        return outcome();
    }
    [[nodiscard]] std::string outcome()
    {
        if (!QTest::qWaitFor([this] { return m_done; }, 20'000))
            throw std::runtime_error("the execute did not end");
        return m_said;
    }

    bool running = false;
    std::optional<TimePoint> stoppedAt; //!< told to stop

private:
    Task<void> run(const RedisModule& locks, std::string key, Duration lease)
    {
        const auto job = [this](std::stop_token lost) { return work(std::move(lost)); };
        ExecuteOptions options;
        options.expiringIn(lease);
        try {
            co_await locks->execute(key, job, options);
        } catch (const LockError& error) {
            m_said = error.message();
        }
        m_done = true;
    }
    Task<void> work(std::stop_token lost)
    {
        running = true;
        const WakeReason why = co_await m_ended.wait({}, lost);
        if (why == WakeReason::Cancelled)
            stoppedAt = std::chrono::steady_clock::now();
    }

    SystemClock m_clock;
    Resumer m_resumer;
    Signal m_ended{m_resumer};
    std::string m_said;
    bool m_done = false;
};

} // namespace lockboard::test
