// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/sql.h"

#include <QProcess>
#include <QTemporaryDir>

#include <chrono>
#include <optional>

namespace lockboard::test {

class Certificates;
class PostgresServer;

struct PostgresOptions {
    QStringList settings; //!< lines of postgresql.conf
    //! Of the user postgres. Empty: everyone is trusted; else everyone has to prove it (SCRAM).
    QString password;
    QStringList rules; //!< lines of pg_hba.conf that come before the others
    //! Speaks TLS too, with the certificate that this authority issued as `certificate`.
    const Certificates* authority = nullptr;
    QString certificate;
    //! How far its clock is ahead of ours.
    std::chrono::seconds ahead{0};
    //! Follows that one, which keeps running, and only reads (a hot standby).
    const PostgresServer* standbyOf = nullptr;
};

//! A real PostgreSQL of its own on a free loopback port, in a temporary directory, that does not
//! wait for the disk. Making one takes a second or two: one for a test program is enough. Stopped
//! by the destructor. What can't be started throws: never a silent skip.
class PostgresServer final {
public:
    explicit PostgresServer(const PostgresOptions& options = {});
    ~PostgresServer();

    //! Of the newest version installed: "psql", "pgbench".
    [[nodiscard]] static QString program(const QString& name);

    [[nodiscard]] quint16 port() const { return m_port; }
    //! With the password, if it is the user postgres's.
    [[nodiscard]] QString url(const QString& user = QStringLiteral("postgres"),
                              const QString& database = QStringLiteral("postgres")) const;
    [[nodiscard]] QString socketDir() const { return m_folder.filePath(QStringLiteral("s")); }
    [[nodiscard]] pid_t pid() const { return static_cast<pid_t>(m_process.processId()); }
    //! What it has logged.
    [[nodiscard]] QString log() const;

    //! On a connection of the user postgres's, kept. A stopped or killed server ends it.
    Sql& sql();
    Sql::Rows query(const QString& statement, const QStringList& parameters = {})
    {
        return sql().query(statement, parameters);
    }
    QString value(const QString& statement, const QStringList& parameters = {})
    {
        return sql().value(statement, parameters);
    }
    //! As the migration of Medusa's package makes it.
    void createTable(const QString& name = QStringLiteral("locking"));
    //! How many of the locks that Medusa's executes take are held, by whomever.
    [[nodiscard]] int advisoryLocks();
    //! A new, empty one.
    void createDatabase(const QString& name);

    [[nodiscard]] bool isRunning() const { return m_process.state() != QProcess::NotRunning; }
    void stop(); //!< says good-bye to those who are connected
    void kill(); //!< SIGKILL, its children too: all at once, without a word
    void start(); //!< again, on the same port and data
    void pause(); //!< SIGSTOP, its children too: the connections stay and are silent
    void resume(); //!< SIGCONT

private:
    void makeData(const PostgresOptions& options);
    void setClock(std::chrono::seconds ahead);
    [[nodiscard]] QString file(const QString& name) const { return m_folder.filePath(name); }
    //! Those of it and its children, in an order in which no child is missed.
    void signalAll(int signal);
    void end(int signal);

    QTemporaryDir m_folder;
    QString m_password;
    QProcess m_process;
    quint16 m_port = 0;
    std::optional<Sql> m_sql;
};

} // namespace lockboard::test
