// SPDX-License-Identifier: MIT
#pragma once

#include "tests/interop/store.h"
#include "tests/postgres/postgres_fixture.h"

namespace lockboard::test {

class PostgresStore final : public Store {
public:
    PostgresStore();

    [[nodiscard]] QString kind() const override { return QStringLiteral("postgres"); }
    [[nodiscard]] QString url() const override { return server.url(); }
    [[nodiscard]] std::unique_ptr<OneProvider> lockboard(const QString& resolve) const override;
    void empty() override;
    [[nodiscard]] QString owner(const QString& key) override;
    [[nodiscard]] double lease(const QString& key) override;
    [[nodiscard]] QStringList keys() override;
    [[nodiscard]] int advisoryLocks() override { return server.advisoryLocks(); }
    //! What ends its transaction waits behind the statement that waits for the lock.
    [[nodiscard]] bool medusaTimesOutLate() const override { return true; }
    [[nodiscard]] QStringList trail() override;
    void leaveTrail(const QString& what) override;
    [[nodiscard]] int count() override;
    [[nodiscard]] Task<> increment() override;
    //! Those of Medusa stand in line in the server, and ours with them.
    [[nodiscard]] int pause() const override { return 0; }

    PostgresServer server;

private:
    [[nodiscard]] QStringList column(const QString& statement);
};

} // namespace lockboard::test
