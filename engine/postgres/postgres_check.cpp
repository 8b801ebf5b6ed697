// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_provider.h"

namespace lockboard {

//! What one statement gives; an error is thrown.
Task<PostgresResult> PostgresProvider::ask(PostgresStatement statement,
                                           PostgresParameters parameters)
{
    PostgresCall call(m_work, PostgresEffect::Reads);
    call.add(statement, std::move(parameters));
    call.send();
    PostgresResult result = co_await call.result();
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    co_return result;
}

Task<void> PostgresProvider::examine(std::vector<Finding>* findings)
{
    PostgresParameters table;
    table << m_statements.table;
    const PostgresResult server = co_await ask(
        PostgresStatement({},
                          "SELECT current_setting('server_version'), pg_is_in_recovery(), "
                          "current_setting('server_encoding'), to_regclass($1) IS NOT NULL, "
                          "pg_has_role('pg_read_all_stats', 'USAGE'), "
                          "current_setting('default_transaction_read_only')"),
        table);
    findings->emplace_back(Finding::Good,
                           "PostgreSQL " + std::string(server.text(0, 0)) + " at "
                               + m_settings.endpoint.name() + " answers"
                               + (m_work.isEncrypted() ? ", encrypted." : ", unencrypted."));
    if (server.isTrue(0, 1))
        findings->emplace_back(
            Finding::Problem,
            "The server is a replica: locks can be seen but not taken or released.");
    if (server.text(0, 2) != "UTF8")
        findings->emplace_back(Finding::Note,
                               "The database stores text as " + std::string(server.text(0, 2))
                                   + ": keys with other letters can't be locked.");
    if (server.text(0, 5) == "on")
        findings->emplace_back(Finding::Problem, "This user's sessions may only read.");
    if (!server.isTrue(0, 3)) {
        findings->emplace_back(Finding::Problem,
                               "There is no table " + m_statements.table + "; set \"createTable\", "
                                   + "or run: " + createTableStatement(m_statements.table) + ';');
        co_return;
    }
    const PostgresResult rights = co_await ask(
        PostgresStatement({},
                          "SELECT p, has_table_privilege($1, p) FROM unnest(ARRAY['SELECT', "
                          "'INSERT', 'UPDATE', 'DELETE']) p"),
        table);
    std::string missing;
    for (int row = 0; row < rights.rows(); ++row) {
        if (!rights.isTrue(row, 1))
            missing += (missing.empty() ? "" : ", ") + std::string(rights.text(row, 0));
    }
    if (missing.empty())
        findings->emplace_back(Finding::Good, "Locks are the rows of " + m_statements.table + '.');
    else
        findings->emplace_back(Finding::Problem,
                               "This user may not " + missing + " on " + m_statements.table
                                   + ": what needs it is denied.");
    const PostgresResult trigger = co_await ask(m_statements.lookAround, {});
    const PostgresResult triggers = co_await ask(
        PostgresStatement({},
                          "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass($1) AND "
                          "starts_with(tgname, 'lockboard_notify_')"),
        table);
    if (trigger.isTrue(0, 1))
        findings->emplace_back(Finding::Good,
                               "A trigger tells Lockboards of every change at once.");
    else if (triggers.integer(0, 0) > 0)
        findings->emplace_back(Finding::Problem,
                               "The trigger on " + m_statements.table
                                   + " does not tell of every change: it is incomplete or switched "
                                     "off, or the table or its schema has been renamed since; "
                                     "\"lockboardctl postgres install-trigger\" would mend that.");
    else
        findings->emplace_back(Finding::Note,
                               "No trigger is installed: what others change is found by looking "
                               "again, every second or so; \"lockboardctl postgres "
                               "install-trigger\" would change that.");
    if (!server.isTrue(0, 4))
        findings->emplace_back(Finding::Note,
                               "This user is no member of pg_read_all_stats: of other users' "
                               "sessions, only process, application and user are shown.");
}

Task<CheckReport> PostgresProvider::check()
{
    CheckReport report;
    try {
        co_await examine(&report.findings);
    } catch (const Unavailable& error) {
        report.reachable = !report.findings.empty();
        report.findings.emplace_back(Finding::Problem, error.message());
    } catch (const LockError& error) {
        report.findings.emplace_back(Finding::Problem, error.message());
    }
    for (const std::string& warning : warnings())
        report.findings.emplace_back(Finding::Note, warning);
    co_return report;
}

} // namespace lockboard
