// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/postgres_server.h"

namespace lockboard::test {

//! A session that does in PostgreSQL what Medusa's execute does there, under the application name
//! "medusa": in a transaction it locks a hash of the key.
class MedusaSession final {
public:
    explicit MedusaSession(const PostgresServer& server)
        : MedusaSession(server.url())
    {
    }
    explicit MedusaSession(const QString& connection);

    void execute(const std::string& key); //!< until end()
    //! Of a key that another holds: comes back when the server has it wait.
    void waitFor(const std::string& key);
    void end(); //!< of its execute; waits for its turn first

    [[nodiscard]] bool isWaiting() { return sql.isBusy(); }
    [[nodiscard]] int pid() const { return sql.pid(); }
    [[nodiscard]] bool isGone() const; //!< the server knows of it no more

    Sql sql;

private:
    const QString m_connection;
};

} // namespace lockboard::test
