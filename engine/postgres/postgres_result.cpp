// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_result.h"

#include "engine/errors.h"

#include <libpq-fe.h>

#include <charconv>

namespace lockboard {

PostgresResult::PostgresResult(PGresult* result)
    : m_result(result)
{
}

void PostgresResult::Clear::operator()(PGresult* result) const
{
    PQclear(result);
}

bool PostgresResult::isError() const
{
    // libpq takes no result for an error.
    const ExecStatusType status = m_result ? PQresultStatus(m_result.get()) : PGRES_EMPTY_QUERY;
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

std::string_view PostgresResult::sqlState() const
{
    const char* const state = PQresultErrorField(m_result.get(), PG_DIAG_SQLSTATE);
    return state ? state : std::string_view();
}

bool PostgresResult::isPassing() const
{
    return sqlState() == "40001" || sqlState() == "40P01";
}

std::string PostgresResult::message() const
{
    const char* const primary = PQresultErrorField(m_result.get(), PG_DIAG_MESSAGE_PRIMARY);
    return primary ? primary : "";
}

int PostgresResult::rows() const
{
    return PQntuples(m_result.get());
}

bool PostgresResult::isNull(int row, int column) const
{
    return PQgetisnull(m_result.get(), row, column) != 0;
}

std::string_view PostgresResult::text(int row, int column) const
{
    const char* const value = PQgetvalue(m_result.get(), row, column);
    const int size = PQgetlength(m_result.get(), row, column);
    return value ? std::string_view(value, static_cast<std::size_t>(size)) : std::string_view();
}

std::optional<std::string> PostgresResult::optional(int row, int column) const
{
    if (isNull(row, column))
        return {};
    return std::string(text(row, column));
}

std::int64_t PostgresResult::integer(int row, int column) const
{
    std::int64_t number = 0;
    const std::string_view digits = text(row, column);
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

std::string createTableStatement(const std::string& table)
{
    return "CREATE TABLE IF NOT EXISTS " + table
        + " (\"id\" text NOT NULL PRIMARY KEY, \"owner_id\" text NULL, \"expiration\" timestamptz "
          "NULL)";
}

template <typename Error> static std::exception_ptr made(const std::string& sentence)
{
    return std::make_exception_ptr(Error(sentence));
}

std::exception_ptr postgresError(const std::string& server, const std::string& table,
                                 std::string_view sqlState, const std::string& message)
{
    const std::string who = "PostgreSQL at " + server;
    const std::string said = printableStart(message);
    const std::string_view group = sqlState.substr(0, 2);
    if (sqlState == "42501")
        return made<Denied>(who + " does not allow this: " + said + '.');
    if (sqlState == "25006")
        return made<Denied>(who + " lets this session only read: " + said + '.');
    if (group == "28")
        return made<Denied>(who + " does not let this user in (" + std::string(sqlState) + ").");
    if (sqlState == "42P01" || sqlState == "3F000")
        return made<Unavailable>(who + " has no table " + table + "; set \"createTable\", or run: "
                                 + createTableStatement(table) + ';');
    if (sqlState == "42703" || sqlState == "42P10" || sqlState == "42804" || sqlState == "42883")
        return made<Unavailable>("The table " + table + " of " + who
                                 + " is no table of locks: " + said + '.');
    if (sqlState == "22021" || sqlState == "22P05" || sqlState == "54000")
        return made<InvalidArgument>(who + " can't store this key or owner: " + said + '.');
    // That it waited for somebody else all the while is not known of this one.
    if (sqlState == "57014")
        return made<Unavailable>(
            who + " stopped this, which took too long or was cancelled there: " + said + '.');
    if (sqlState == "55P03")
        return made<Unavailable>("Another session kept " + table + " or a row of it locked at "
                                 + who + " for too long: " + said + '.');
    return made<Unavailable>(who + " could not do this: " + said + " (" + std::string(sqlState)
                             + ").");
}

} // namespace lockboard
