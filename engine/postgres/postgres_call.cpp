// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_call.h"

#include "engine/errors.h"
#include "engine/postgres/postgres_connection.h"

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
    return std::move(m_call->m_result);
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
