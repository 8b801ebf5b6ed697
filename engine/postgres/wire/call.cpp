// SPDX-License-Identifier: MIT
#include "engine/postgres/wire/call.h"

#include "engine/contract/errors.h"
#include "engine/postgres/wire/connection.h"

#include <algorithm>

namespace lockboard::postgres {

void Array::add(std::string_view text)
{
    m_items += m_items.empty() ? "\"" : ",\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\')
            m_items += '\\';
        m_items += letter;
    }
    m_items += '"';
}

void Array::addOrNull(const std::optional<std::string>& text)
{
    if (text)
        add(std::string_view(*text));
    else
        m_items += m_items.empty() ? "NULL" : ",NULL";
}

void Array::add(std::int64_t number)
{
    if (!m_items.empty())
        m_items += ',';
    m_items += std::to_string(number);
}

Call::~Call()
{
    if (m_given && !m_done)
        m_connection.forget(*this);
}

void Call::add(const Statement& statement, Parameters parameters)
{
    m_steps.push_back({&statement, std::move(parameters), false});
}

void Call::addAside(const Statement& statement, Parameters parameters)
{
    m_steps.push_back({&statement, std::move(parameters), true});
}

void Call::send()
{
    m_given = true;
    m_connection.take(*this);
}

Result Call::Awaiter::await_resume()
{
    if (m_call->m_error)
        std::rethrow_exception(m_call->m_error);
    m_call->requireAnswer();
    return std::move(m_call->m_result);
}

void Call::requireAnswer() const
{
    const auto asked = std::ranges::find_if(m_steps, [](const Step& one) { return !one.aside; });
    if (m_result.isError() || asked == m_steps.end() || asked->statement->columns.empty())
        return;
    const Statement& statement = *asked->statement;
    const int rows = m_result.rows();
    if (m_result.hasColumns(statement.columns) && rows >= statement.fewestRows
        && rows <= statement.mostRows && (m_rows < 0 || rows == m_rows))
        return;
    const std::string sentence = "PostgreSQL at " + m_connection.endpoint().name()
        + " answered something else than what it was asked"
        + (statement.name.empty() ? std::string() : " (" + statement.name + ')') + '.';
    if (m_effect == Effect::Mutates)
        throw OutcomeUnknown(sentence);
    throw Unavailable(sentence);
}

Task<bool> sendAside(Connection* connection, const Statement* statement, Parameters parameters)
{
    try {
        Call call(*connection, Effect::Reads);
        call.add(*statement, std::move(parameters));
        call.send();
        const Result result = co_await call.result();
        co_return !result.isError();
    } catch (const LockError&) {
        // the session is over; the next one begins anew
    }
    co_return false;
}

} // namespace lockboard::postgres
