// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/wire/connection.h"
#include "tests/interop/store.h"
#include "tests/redis/redis_fixture.h"

namespace lockboard::test {

class RedisStore final : public Store {
public:
    RedisStore();

    [[nodiscard]] QString kind() const override { return QStringLiteral("redis"); }
    [[nodiscard]] QString url() const override { return server.url(); }
    [[nodiscard]] std::unique_ptr<OneProvider> lockboard(const QString& resolve) const override;
    void empty() override { cli(QStringLiteral("FLUSHALL")); }
    [[nodiscard]] QString owner(const QString& key) override;
    [[nodiscard]] double lease(const QString& key) override;
    [[nodiscard]] QStringList keys() override;
    [[nodiscard]] QStringList trail() override;
    void leaveTrail(const QString& what) override;
    [[nodiscard]] int count() override { return cli(QStringLiteral("GET counter")).toInt(); }
    [[nodiscard]] Task<> increment() override;
    [[nodiscard]] int pause() const override { return 30; }

    QString cli(const QString& command) const { return server.cli(command.split(u' ')); }

    RedisServer server;

private:
    SystemClock m_clock;
    std::unique_ptr<redis::Connection> m_connection; // that counts
};

} // namespace lockboard::test
