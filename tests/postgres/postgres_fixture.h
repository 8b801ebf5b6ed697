// SPDX-License-Identifier: MIT
#pragma once

#include "engine/locking_module.h"
#include "engine/resume.h"
#include "tests/support/await.h"
#include "tests/support/postgres_server.h"

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

//! How many sessions of Lockboard's wait for what somebody else has locked.
inline int sessionsThatWait(PostgresServer& server)
{
    return server
        .value(QStringLiteral("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                              "WHERE NOT granted AND application_name LIKE 'lockboard%'"))
        .toInt();
}

//! A module with one PostgreSQL provider, and what it logged.
class PostgresModule final {
public:
    //! `more` is JSON: further members of the options object.
    explicit PostgresModule(const QString& url, const QString& more = {},
                            const QString& resolve = QStringLiteral("postgres"),
                            LockingModule::Settings settings = {})
        : PostgresModule(configOf(url, more, resolve), std::move(settings))
    {
    }
    explicit PostgresModule(const Config& config, LockingModule::Settings settings = {})
        : m_container(m_clock,
                      [this](LogLevel, const std::string& message) { log += message + '\n'; })
        , m_module(std::make_unique<LockingModule>(config, m_container, std::move(settings)))
    {
    }
    explicit PostgresModule(const PostgresServer& server, const QString& more = {})
        : PostgresModule(server.url(), more)
    {
    }

    static Config configOf(const QString& url, const QString& more = {},
                           const QString& resolve = QStringLiteral("postgres"))
    {
        const QString text = QStringLiteral(R"({"providers": [
{"resolve": "%1", "id": "shop", "is_default": true,
 "options": {"databaseUrl": "%2"%3}}]})")
                                 .arg(resolve, url, more);
        return Config::parse(text.toStdString(), "test.json", ".");
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
class PostgresJob final {
public:
    PostgresJob(const PostgresModule& locks, const LockKeys& keys,
                const ExecuteOptions& options = ExecuteOptions())
        : m_resumer(m_clock)
    {
        run(locks, keys, options);
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
    bool isDone = false;

private:
    Task<void> run(const PostgresModule& locks, LockKeys keys, ExecuteOptions options)
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
    }

    SystemClock m_clock;
    Resumer m_resumer;
    Signal m_ended{m_resumer};
    std::string m_said;
};

} // namespace lockboard::test
