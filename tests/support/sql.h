// SPDX-License-Identifier: MIT
#pragma once

#include <QStringList>

#include <memory>

using PGconn = struct pg_conn;

namespace lockboard::test {

//! A plain, blocking connection to PostgreSQL of the tests' own. What fails throws
//! std::runtime_error with what the server said.
class Sql final {
public:
    //! NULL is a null QString.
    using Rows = QList<QStringList>;

    //! A URL, or keywords and values, as libpq knows them.
    explicit Sql(const QString& connection);

    //! Each $1, $2, ... is a string; a null QString is NULL. Without any, `sql` may be several
    //! statements: then the rows of the last one.
    Rows query(const QString& sql, const QStringList& parameters = {});
    //! The first column of the first row; null if there is none.
    QString value(const QString& sql, const QStringList& parameters = {});
    //! Sends it and doesn't wait: for what the server will keep waiting. `finish` waits.
    void send(const QString& sql);
    [[nodiscard]] bool isBusy();
    Rows finish();

    [[nodiscard]] bool isAlive() const;
    //! Of the server's process that serves this connection.
    [[nodiscard]] int pid() const;

private:
    struct Close {
        void operator()(PGconn* connection) const;
    };

    std::unique_ptr<PGconn, Close> m_connection;
};

} // namespace lockboard::test
