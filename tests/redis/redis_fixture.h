// SPDX-License-Identifier: MIT
#pragma once

#include "engine/locking_module.h"
#include "tests/support/await.h"
#include "tests/support/redis_server.h"

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

//! A module with one Redis provider, and what it logged.
class RedisModule final {
public:
    //! `options` is JSON: the members of the options object.
    explicit RedisModule(const QString& options, const QString& resolve = QStringLiteral("redis"))
        : m_container(m_clock,
                      [this](LogLevel, const std::string& message) { log += message + '\n'; })
        , m_module(std::make_unique<LockingModule>(configOf(options, resolve), m_container))
    {
    }
    explicit RedisModule(const RedisServer& server, const QString& more = {})
        : RedisModule(QStringLiteral("\"redisUrl\": \"%1\"").arg(server.url()) + more)
    {
    }

    static Config configOf(const QString& options, const QString& resolve = QStringLiteral("redis"))
    {
        const QString text = QStringLiteral(R"({"providers": [
{"resolve": "%1", "id": "shop", "is_default": true,
 "options": {%2}}]})")
                                 .arg(resolve, options);
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

} // namespace lockboard::test
