// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/resume.h"
#include "engine/module/built_in_kinds.h"
#include "engine/module/locking_module.h"
#include "tests/support/await.h"

#include <QTest>

namespace lockboard::test {

//! The error that a task throws; fails the test if it throws none of that kind.
template <typename Error, typename T> Error thrownBy(Task<T> task)
{
    try {
        await(std::move(task));
    } catch (const Error& error) {
        return error;
    }
    throw std::runtime_error("the call did not throw");
}

inline bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

//! A module with one provider, "shop", and what it logged.
class OneProvider {
public:
    explicit OneProvider(const Config& config, LockingModule::Settings settings = {})
        : m_container(m_clock,
                      [this](LogLevel, const std::string& message) { log += message + '\n'; })
        , m_module(std::make_unique<LockingModule>(config, m_container, std::move(settings)))
    {
    }
    //! `options` is JSON: the members of the options object.
    static Config configOf(const QString& resolve, const QString& options)
    {
        const QString text = QStringLiteral(R"({"providers": [
{"resolve": "%1", "id": "shop", "is_default": true,
 "options": {%2}}]})")
                                 .arg(resolve, options);
        return Config::parse(text.toStdString(), "test.json", ".", builtInKinds());
    }

    LockingModule* operator->() const { return m_module.get(); }
    void destroy() { m_module.reset(); }

    std::string log;

private:
    SystemClock m_clock;
    Container m_container;
    std::unique_ptr<LockingModule> m_module;
};

//! An execute whose job runs until it is told to stop, or until the test says so.
class RunningJob final {
public:
    RunningJob(const OneProvider& locks, const LockKeys& keys,
               const ExecuteOptions& options = ExecuteOptions())
        : m_resumer(m_clock)
    {
        letRun(run(locks, keys, options));
    }

    //! Ends it and gives what execute threw; empty: it succeeded.
    [[nodiscard]] std::string end()
    {
        m_ended.raise();
        return outcome();
    }
    [[nodiscard]] std::string outcome()
    {
        if (!QTest::qWaitFor([this] { return isDone; }, 20'000))
            throw std::runtime_error("the execute did not end");
        return m_said;
    }

    bool running = false;
    bool wasStopped = false;
    std::optional<TimePoint> stoppedAt;
    bool isDone = false;

private:
    Task<void> run(const OneProvider& locks, LockKeys keys, ExecuteOptions options)
    {
        const auto job = [this](std::stop_token lost) { return work(std::move(lost)); };
        try {
            co_await locks->execute(keys, job, options);
        } catch (const LockError& error) {
            m_said = error.message();
        }
        isDone = true;
    }
    Task<void> work(std::stop_token lost)
    {
        running = true;
        const WakeReason why = co_await m_ended.wait({}, lost);
        wasStopped = why == WakeReason::Cancelled;
        if (wasStopped)
            stoppedAt = std::chrono::steady_clock::now();
    }

    SystemClock m_clock;
    Resumer m_resumer;
    Signal m_ended{m_resumer};
    std::string m_said;
};

} // namespace lockboard::test
