// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/provider_fixture.h"
#include "tests/support/redis_server.h"

namespace lockboard::test {

//! A module with one Redis provider.
class RedisModule final : public OneProvider {
public:
    //! `options` is JSON: the members of the options object.
    explicit RedisModule(const QString& options, const QString& resolve = QStringLiteral("redis"))
        : OneProvider(configOf(resolve, options))
    {
    }
    explicit RedisModule(const RedisServer& server, const QString& more = {})
        : RedisModule(QStringLiteral("\"redisUrl\": \"%1\"").arg(server.url()) + more)
    {
    }
};

} // namespace lockboard::test
