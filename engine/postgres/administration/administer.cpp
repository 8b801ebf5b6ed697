// SPDX-License-Identifier: MIT
#include "engine/postgres/administration/trigger.h"
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/wire/number.h"

// What only PostgreSQL's provider can do; postgres_end_session.cpp has the rest of it.

namespace lockboard::postgres {

Task<std::string> Provider::administer(std::string verb, std::vector<std::string> arguments,
                                       SharedContext)
{
    const std::size_t count = arguments.size();
    if (verb == "install-trigger" && count == 0)
        return changeTrigger(true);
    if (verb == "remove-trigger" && count == 0)
        return changeTrigger(false);
    if (verb != "end-session" || count < 2
        || (arguments[1] != "terminate" && arguments[1] != "cancel"))
        return failed<std::string>(InvalidArgument(
            "A PostgreSQL provider knows install-trigger, remove-trigger and end-session PID "
            "terminate|cancel [SESSION] [WHAT WAS SEEN OF IT]..., not this: "
            + printableStart(verb) + '.'));
    const std::optional<int> pid = readNumber<int>(arguments.front());
    if (pid.value_or(0) <= 0)
        return failed<std::string>(InvalidArgument("\"" + printableStart(arguments.front())
                                                   + "\" is not the number of a process."));
    const bool cancel = arguments[1] == "cancel";
    arguments.erase(arguments.begin(), arguments.begin() + 2);
    return endSession(*pid, cancel, std::move(arguments));
}

static const Statement hello({}, "SELECT");

//! What takes long, unless a pooler may give its transactions other sessions: then one in which
//! each transaction can have limits of its own.
Task<Connection*> Provider::connectionForChanges()
{
    if (!m_work.isReady())
        co_await ask(hello, {});
    co_return m_work.isPooled() ? &m_work : &m_bulk;
}

//! What one statement gives; an error is thrown.
Task<Result> Provider::change(Statement statement, Parameters parameters)
{
    Connection* const connection = co_await connectionForChanges();
    Call call(*connection, Effect::Mutates);
    call.add(statement, std::move(parameters));
    call.send();
    Result result = co_await call.result();
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    co_return result;
}

Task<std::string> Provider::changeTrigger(bool install)
{
    const std::string schema = quotedName(m_settings.schema);
    const std::string& table = m_statements.table;
    Statement statement({},
                        install ? installTriggerStatement(schema, table, m_statements.channel)
                                : removeTriggerStatement(schema, table, m_statements.channel));
    co_await change(std::move(statement), {});
    const std::string shown = printable(table);
    if (install)
        co_return "The trigger lockboard_notify tells of every change of " + shown + " now.";
    co_return "There is no trigger of Lockboard's on " + shown + " any more.";
}

} // namespace lockboard::postgres
