// SPDX-License-Identifier: MIT
#include "engine/postgres/wire/result.h"

#include "engine/contract/errors.h"
#include "engine/postgres/wire/number.h"

#include <libpq-fe.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace lockboard::postgres {

Result::Result(PGresult* result)
    : m_result(result)
{
}

void Result::Clear::operator()(PGresult* result) const
{
    PQclear(result);
}

bool Result::isError() const
{
    // libpq takes no result for an error.
    const ExecStatusType status = m_result ? PQresultStatus(m_result.get()) : PGRES_EMPTY_QUERY;
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

std::string_view Result::sqlState() const
{
    const char* const state = PQresultErrorField(m_result.get(), PG_DIAG_SQLSTATE);
    return state ? state : std::string_view();
}

bool Result::isPassing() const
{
    return sqlState() == "40001" || sqlState() == "40P01";
}

bool Result::isInFunction() const
{
    const char* const context = PQresultErrorField(m_result.get(), PG_DIAG_CONTEXT);
    // Blocks of our own have this name.
    return context && std::string_view(context).find("inline_code_block") == std::string_view::npos;
}

std::string Result::message() const
{
    const char* const primary = PQresultErrorField(m_result.get(), PG_DIAG_MESSAGE_PRIMARY);
    return primary ? primary : "";
}

int Result::rows() const
{
    return PQntuples(m_result.get());
}

bool Result::isNull(int row, int column) const
{
    return PQgetisnull(m_result.get(), row, column) != 0;
}

std::string_view Result::text(int row, int column) const
{
    const char* const value = PQgetvalue(m_result.get(), row, column);
    const int size = PQgetlength(m_result.get(), row, column);
    return value ? std::string_view(value, static_cast<std::size_t>(size)) : std::string_view();
}

std::optional<std::string> Result::optional(int row, int column) const
{
    if (isNull(row, column))
        return {};
    return std::string(text(row, column));
}

std::int64_t Result::integer(int row, int column) const
{
    std::int64_t number = 0;
    const std::string_view digits = text(row, column);
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

static bool isWhole(std::string_view text, std::int64_t least, std::int64_t most)
{
    const std::optional<std::int64_t> number = readNumber<std::int64_t>(text);
    return number && *number >= least && *number <= most;
}

static bool fits(std::string_view text, char letter)
{
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t longestLease = 4'000'000'000'000; // more than a hundred years
    constexpr double latest = 1e13; // of what PostgreSQL can store
    switch (letter) {
    case 'i':
        return isWhole(text, std::numeric_limits<std::int64_t>::min(), most);
    case 'u':
        return isWhole(text, 0, most);
    case 'm':
        return isWhole(text, -longestLease, longestLease);
    case 'b':
        return text == "t" || text == "f";
    case 's':
    case 'e': {
        const std::optional<double> seconds = readNumber<double>(text);
        return seconds && (std::abs(*seconds) < latest || (letter == 'e' && std::isinf(*seconds)));
    }
    default:
        return true;
    }
}

bool Result::hasColumns(std::string_view letters) const
{
    if (!m_result || PQresultStatus(m_result.get()) != PGRES_TUPLES_OK
        || PQnfields(m_result.get()) != static_cast<int>(letters.size()))
        return false;
    for (int row = 0; row < rows(); ++row) {
        for (int column = 0; column < static_cast<int>(letters.size()); ++column) {
            const char letter = letters[static_cast<std::size_t>(column)];
            const bool mayBeNull = letter == '*' || (letter >= 'A' && letter <= 'Z');
            const char kind =
                mayBeNull && letter != '*' ? static_cast<char>(letter - 'A' + 'a') : letter;
            if (isNull(row, column) ? !mayBeNull : !fits(text(row, column), kind))
                return false;
        }
    }
    return true;
}

std::string createTableStatement(const std::string& table)
{
    return "CREATE TABLE IF NOT EXISTS " + table
        + " (\"id\" pg_catalog.text NOT NULL PRIMARY KEY, \"owner_id\" pg_catalog.text NULL, "
          "\"expiration\" pg_catalog.timestamptz NULL)";
}

template <typename Error> static std::exception_ptr made(const std::string& sentence)
{
    return std::make_exception_ptr(Error(sentence));
}

std::exception_ptr lockErrorOf(const std::string& server, const std::string& writtenTable,
                               std::string_view sqlState, const std::string& message)
{
    const std::string who = "PostgreSQL at " + server;
    const std::string said = printableStart(message);
    const std::string table = printable(writtenTable);
    const std::string_view group = sqlState.substr(0, 2);
    if (sqlState == "42501")
        return made<Denied>(who + " does not allow this: " + said + '.');
    if (sqlState == "25006")
        return made<Denied>(who + " lets this session only read: " + said + '.');
    if (group == "28")
        return made<Denied>(who + " does not let this user in (" + printable(sqlState) + ").");
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
    return made<Unavailable>(who + " could not do this: " + said + " (" + printable(sqlState)
                             + ").");
}

} // namespace lockboard::postgres
