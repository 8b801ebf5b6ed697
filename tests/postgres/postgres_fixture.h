// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/postgres_server.h"
#include "tests/support/provider_fixture.h"

namespace lockboard::test {

using PostgresJob = RunningJob;

//! How many sessions of Lockboard's wait for what somebody else has locked.
inline int sessionsThatWait(PostgresServer& server)
{
    return server
        .value(QStringLiteral("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                              "WHERE NOT granted AND application_name LIKE 'lockboard%'"))
        .toInt();
}

//! A module with one PostgreSQL provider.
class PostgresModule final : public OneProvider {
public:
    //! `more` is JSON: further members of the options object.
    explicit PostgresModule(const QString& url, const QString& more = {},
                            const QString& resolve = QStringLiteral("postgres"),
                            LockingModule::Settings settings = {})
        : PostgresModule(configOf(url, more, resolve), std::move(settings))
    {
    }
    explicit PostgresModule(const Config& config, LockingModule::Settings settings = {})
        : OneProvider(config, std::move(settings))
    {
    }
    explicit PostgresModule(const PostgresServer& server, const QString& more = {})
        : PostgresModule(server.url(), more)
    {
    }

    static Config configOf(const QString& url, const QString& more = {},
                           const QString& resolve = QStringLiteral("postgres"))
    {
        return OneProvider::configOf(resolve,
                                     QStringLiteral("\"databaseUrl\": \"%1\"").arg(url) + more);
    }
};

} // namespace lockboard::test
