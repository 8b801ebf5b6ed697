// SPDX-License-Identifier: MIT
#include "tests/support/sql.h"

#include <libpq-fe.h>

#include <stdexcept>
#include <vector>

namespace lockboard::test {

namespace {

struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
};

Sql::Rows rowsOf(PGconn* connection, PGresult* given)
{
    const std::unique_ptr<PGresult, Clear> result(given);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        throw std::runtime_error(PQerrorMessage(connection));
    Sql::Rows rows;
    for (int i = 0; i < PQntuples(result.get()); ++i) {
        QStringList row;
        for (int j = 0; j < PQnfields(result.get()); ++j) {
            row += PQgetisnull(result.get(), i, j)
                ? QString()
                : QString::fromUtf8(PQgetvalue(result.get(), i, j),
                                    PQgetlength(result.get(), i, j));
        }
        rows += row;
    }
    return rows;
}

} // namespace

void Sql::Close::operator()(PGconn* connection) const
{
    PQfinish(connection);
}

Sql::Sql(const QString& connection)
    : m_connection(PQconnectdb(connection.toUtf8().constData()))
{
    if (!isAlive())
        throw std::runtime_error(PQerrorMessage(m_connection.get()));
    PQsetNoticeProcessor(
        m_connection.get(), [](void*, const char*) {}, nullptr);
}

Sql::Rows Sql::query(const QString& sql, const QStringList& parameters)
{
    PGconn* const connection = m_connection.get();
    if (parameters.isEmpty())
        return rowsOf(connection, PQexec(connection, sql.toUtf8().constData()));
    std::vector<QByteArray> bytes;
    for (const QString& parameter : parameters)
        bytes.push_back(parameter.toUtf8());
    std::vector<const char*> values;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        values.push_back(parameters[static_cast<qsizetype>(i)].isNull() ? nullptr
                                                                        : bytes[i].constData());
    return rowsOf(connection,
                  PQexecParams(connection, sql.toUtf8().constData(),
                               static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                               nullptr, 0));
}

QString Sql::value(const QString& sql, const QStringList& parameters)
{
    return query(sql, parameters).value(0).value(0);
}

void Sql::send(const QString& sql)
{
    if (!PQsendQuery(m_connection.get(), sql.toUtf8().constData()))
        throw std::runtime_error(PQerrorMessage(m_connection.get()));
}

bool Sql::isBusy()
{
    PQconsumeInput(m_connection.get());
    return PQisBusy(m_connection.get());
}

Sql::Rows Sql::finish()
{
    Rows rows;
    while (PGresult* const result = PQgetResult(m_connection.get()))
        rows = rowsOf(m_connection.get(), result);
    return rows;
}

bool Sql::isAlive() const
{
    return PQstatus(m_connection.get()) == CONNECTION_OK;
}

int Sql::pid() const
{
    return PQbackendPID(m_connection.get());
}

} // namespace lockboard::test
