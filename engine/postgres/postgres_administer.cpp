// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_live_view.h"
#include "engine/postgres/postgres_provider.h"
#include "engine/postgres/postgres_trigger.h"

#include <charconv>

// What only PostgreSQL's provider can do.

namespace lockboard {

static const char* const advisory =
    "l.locktype = 'advisory' AND l.classid = 0 AND l.objsubid = 1 "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

Task<std::string> PostgresProvider::administer(std::string verb, std::vector<std::string> arguments,
                                               SharedContext)
{
    const std::size_t count = arguments.size();
    if (verb == "install-trigger" && count == 0)
        return changeTrigger(true);
    if (verb == "remove-trigger" && count == 0)
        return changeTrigger(false);
    if (verb != "end-session" || count < 2 || count > 3
        || (arguments[1] != "terminate" && arguments[1] != "cancel"))
        return failed<std::string>(InvalidArgument(
            "A PostgreSQL provider knows install-trigger, remove-trigger and end-session PID "
            "terminate|cancel [SESSION], not this: "
            + printableStart(verb) + '.'));
    int pid = 0;
    const std::string& text = arguments.front();
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (error != std::errc() || rest != text.data() + text.size() || pid <= 0)
        return failed<std::string>(
            InvalidArgument("\"" + printableStart(text) + "\" is not the number of a process."));
    return endSession(pid, arguments[1] == "cancel", count == 3 ? arguments[2] : std::string());
}

//! What one statement gives; an error is thrown.
Task<PostgresResult> PostgresProvider::change(PostgresStatement statement,
                                              PostgresParameters parameters)
{
    PostgresCall call(m_bulk, PostgresEffect::Mutates);
    call.add(statement, std::move(parameters));
    call.send();
    PostgresResult result = co_await call.result();
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    co_return result;
}

Task<std::string> PostgresProvider::changeTrigger(bool install)
{
    const std::string schema = quotedName(m_settings.schema);
    const std::string& table = m_statements.table;
    PostgresStatement statement({},
                                install
                                    ? installTriggerStatement(schema, table, m_statements.channel)
                                    : removeTriggerStatement(schema, table, m_statements.channel));
    co_await change(std::move(statement), {});
    if (install)
        co_return "The trigger lockboard_notify tells of every change of " + table + " now.";
    co_return "There is no trigger of Lockboard's on " + table + " any more.";
}

Task<std::string> PostgresProvider::endSession(int pid, bool cancel, std::string session)
{
    const std::string name = "Process " + std::to_string(pid);
    if (isOwnBackend(pid))
        throw InvalidArgument(name + " is this Lockboard's own.");
    PostgresParameters which;
    which << std::to_string(pid);
    const PostgresResult found = co_await ask(
        PostgresStatement({},
                          "SELECT a.application_name, host(a.client_addr), a.state, "
                          "to_hex(trunc(extract(epoch FROM a.backend_start))::bigint) || '.' || "
                          "to_hex(a.pid), l.objid::bigint, l.granted FROM pg_locks l LEFT JOIN "
                          "pg_stat_activity a ON a.pid = l.pid WHERE l.pid = $1::int AND "
                              + std::string(advisory) + " ORDER BY l.granted DESC, l.objid"),
        which);
    if (found.rows() == 0)
        throw InvalidArgument(name
                              + " neither holds an advisory lock that may be Medusa's nor waits "
                                "for one; it is left alone.");
    if (!session.empty() && !found.isNull(0, 3) && found.text(0, 3) != session)
        throw InvalidArgument(name + " is another session by now; it is left alone.");
    if (cancel && found.text(0, 2).starts_with("idle"))
        throw InvalidArgument(name
                              + " is idle, so that there is nothing to cancel; only ending its "
                                "session frees what it holds.");
    std::string facts;
    for (int column = 0; column < 2; ++column) {
        if (!found.text(0, column).empty())
            facts +=
                (facts.empty() ? " (" : ", ") + printableStart(std::string(found.text(0, column)));
    }
    facts += facts.empty() ? "" : ")";
    std::string keys;
    for (int row = 0; row < found.rows(); ++row) {
        keys += keys.empty() ? "" : ", ";
        keys += found.isTrue(row, 5) ? "held " : "waited for ";
        keys += nameOf(static_cast<std::uint32_t>(found.integer(row, 4)));
    }
    // The look may be an old one by now.
    const bool waits = m_bulk.serverVersion() >= 140000;
    const std::string how = cancel ? "pg_cancel_backend($1::int)"
        : waits                    ? "pg_terminate_backend($1::int, 3000)"
                                   : "pg_terminate_backend($1::int)";
    which << (found.isNull(0, 3) ? std::optional<std::string>() : std::string(found.text(0, 3)));
    const PostgresResult done = co_await change(
        PostgresStatement({},
                          "SELECT " + how
                              + " FROM pg_stat_activity a WHERE a.pid = $1::int AND ($2::text IS "
                                "NULL OR to_hex(trunc(extract(epoch FROM a.backend_start))::bigint)"
                                " || '.' || to_hex(a.pid) = $2) AND EXISTS (SELECT FROM pg_locks "
                                "l WHERE l.pid = a.pid AND "
                              + advisory + ")"),
        which);
    noteAllChanged();
    if (done.rows() == 0)
        co_return name + facts + " has let go of its locks by itself; it is left alone.";
    if (!done.isTrue(0, 0))
        co_return name + facts + " was told to end, but is still there.";
    co_return (cancel ? "Cancelled what process " : "Ended the session of process ")
        + std::to_string(pid) + facts + ", which " + keys + '.';
}

//! As a live view knows it, if there is one.
std::string PostgresProvider::nameOf(std::uint32_t hash) const
{
    for (const auto& view : m_views) {
        if (view)
            return '"' + printableStart(view->nameOf(hash)) + '"';
    }
    return "advisory:" + std::to_string(hash);
}

} // namespace lockboard
