// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/postgres_server.h"

namespace lockboard::test {

//! A real PgBouncer of its own in front of a server, on a free loopback port. It lets the user
//! postgres in and asks for no password. Stopped by the destructor. What can't be started throws.
class PgBouncer final {
public:
    //! When a connection to the server goes back to the others.
    enum class Pooling { Session, Transaction };

    //! `settings`: more lines of its [pgbouncer] section.
    PgBouncer(const PostgresServer& server, Pooling pooling, const QStringList& settings = {});
    ~PgBouncer();

    [[nodiscard]] quint16 port() const { return m_port; }
    [[nodiscard]] QString url(const QString& database = QStringLiteral("postgres")) const;
    void stop(); //!< at once; the server ends what it held there
    void start(); //!< again, on the same port

private:
    QTemporaryDir m_folder;
    QProcess m_process;
    quint16 m_port = 0;
};

} // namespace lockboard::test
