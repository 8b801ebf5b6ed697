// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_call.h"

#include "engine/errors.h"
#include "engine/postgres/postgres_connection.h"

#include <algorithm>

namespace lockboard {

void PostgresArray::add(std::string_view text)
{
    m_items += m_items.empty() ? "\"" : ",\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\')
            m_items += '\\';
        m_items += letter;
    }
    m_items += '"';
}

void PostgresArray::addOrNull(const std::optional<std::string>& text)
{
    if (text)
        add(std::string_view(*text));
    else
        m_items += m_items.empty() ? "NULL" : ",NULL";
}

void PostgresArray::add(std::int64_t number)
{
    if (!m_items.empty())
        m_items += ',';
    m_items += std::to_string(number);
}

PostgresCall::~PostgresCall()
{
    if (m_given && !m_done)
        m_connection.forget(*this);
}

void PostgresCall::add(const PostgresStatement& statement, PostgresParameters parameters)
{
    m_steps.push_back({&statement, std::move(parameters), false});
}

void PostgresCall::addAside(const PostgresStatement& statement, PostgresParameters parameters)
{
    m_steps.push_back({&statement, std::move(parameters), true});
}

void PostgresCall::send()
{
    m_given = true;
    m_connection.take(*this);
}

PostgresResult PostgresCall::Awaiter::await_resume()
{
    if (m_call->m_error)
        std::rethrow_exception(m_call->m_error);
    m_call->requireAnswer();
    return std::move(m_call->m_result);
}

void PostgresCall::requireAnswer() const
{
    const auto asked = std::ranges::find_if(m_steps, [](const Step& one) { return !one.aside; });
    if (m_result.isError() || asked == m_steps.end() || asked->statement->columns.empty())
        return;
    const PostgresStatement& statement = *asked->statement;
    const int rows = m_result.rows();
    if (m_result.hasColumns(statement.columns) && rows >= statement.fewestRows
        && rows <= statement.mostRows && (m_rows < 0 || rows == m_rows))
        return;
    const std::string sentence = "PostgreSQL at " + m_connection.endpoint().name()
        + " answered something else than what it was asked"
        + (statement.name.empty() ? std::string() : " (" + statement.name + ')') + '.';
    if (m_effect == PostgresEffect::Mutates)
        throw OutcomeUnknown(sentence);
    throw Unavailable(sentence);
}

Task<bool> sendAside(PostgresConnection* connection, const PostgresStatement* statement,
                     PostgresParameters parameters)
{
    try {
        PostgresCall call(*connection, PostgresEffect::Reads);
        call.add(*statement, std::move(parameters));
        call.send();
        const PostgresResult result = co_await call.result();
        co_return !result.isError();
    } catch (const LockError&) {
        // the session is over; the next one begins anew
    }
    co_return false;
}

} // namespace lockboard
