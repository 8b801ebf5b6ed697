// SPDX-License-Identifier: MIT
#include "engine/postgres/administration/table_check.h"
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/wire/template.h"

#include <algorithm>

namespace lockboard::postgres {

//! What one statement gives; an error is thrown.
Task<Result> Provider::ask(Statement statement, Parameters parameters)
{
    Call call(m_work, Effect::Reads);
    call.add(statement, std::move(parameters));
    call.send();
    Result result = co_await call.result();
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    co_return result;
}

static const Statement hello({}, "SELECT");

Task<Connection*> Provider::connectionForChanges()
{
    if (!m_work.isReady())
        co_await ask(hello, {});
    co_return m_work.isPooled() ? &m_work : &m_bulk;
}

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

static const Statement aboutServer = Statement({}, qualified(R"(
    SELECT pg_catalog.current_setting('server_version'), pg_catalog.pg_is_in_recovery(),
        pg_catalog.current_setting('server_encoding'),
        pg_catalog.to_regclass($1::@text) IS NOT NULL,
        pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'),
        pg_catalog.current_setting('default_transaction_read_only'))"))
                                         .answeredBy("tbtbbt", 1, 1);
static const Statement aboutRights = Statement({}, qualified(R"(
    SELECT p, pg_catalog.has_table_privilege($1::@text, p)
    FROM pg_catalog.unnest('{SELECT,INSERT,UPDATE,DELETE}'::@text[]) p)"))
                                         .answeredBy("tB", 4, 4);
//! Of ours: how many there are, and how many call a function that does not set the path by which it
//! finds other functions.
static const Statement aboutTriggers = Statement({}, qualified(R"(
    SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE p.proconfig IS NULL)
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid @eq t.tgfoid
    WHERE t.tgrelid @eq pg_catalog.to_regclass($1::@text)
        AND pg_catalog.starts_with(t.tgname::@text, 'lockboard_notify_'))"))
                                           .answeredBy("uu", 1, 1);

Task<void> Provider::examine(std::vector<Finding>* findings)
{
    const std::string shown = printable(m_statements.table);
    Parameters table;
    table << m_statements.table;
    const Result server = co_await ask(aboutServer, table);
    findings->emplace_back(Finding::Good,
                           "PostgreSQL " + printableStart(server.text(0, 0)) + " at "
                               + m_settings.endpoint.name() + " answers"
                               + (m_work.isEncrypted() ? ", encrypted." : ", unencrypted."));
    if (server.isTrue(0, 1))
        findings->emplace_back(
            Finding::Problem,
            "The server is a replica: locks can be seen but not taken or released.");
    if (server.text(0, 2) != "UTF8")
        findings->emplace_back(Finding::Note,
                               "The database stores text as " + printableStart(server.text(0, 2))
                                   + ": keys with other letters can't be locked.");
    if (server.text(0, 5) == "on")
        findings->emplace_back(Finding::Problem, "This user's sessions may only read.");
    if (!server.isTrue(0, 3)) {
        findings->emplace_back(Finding::Problem,
                               "There is no table " + shown + "; set \"createTable\", "
                                   + "or run: " + createTableStatement(shown) + ';');
        co_return;
    }
    const Result columns = co_await ask(
        Statement({}, postgres::tableQuestion()).answeredBy("TTIBBBBT", 1, 10'000), table);
    std::vector<Finding> faults = postgres::tableFindings(columns, shown);
    const bool isFit = std::ranges::none_of(
        faults, [](const Finding& one) { return one.level == Finding::Problem; });
    const Result rights = co_await ask(aboutRights, table);
    std::string missing;
    for (int row = 0; row < rights.rows(); ++row) {
        if (!rights.isTrue(row, 1))
            missing += (missing.empty() ? "" : ", ") + printableStart(rights.text(row, 0));
    }
    if (!missing.empty())
        findings->emplace_back(Finding::Problem,
                               "This user may not " + missing + " on " + shown
                                   + ": what needs it is denied.");
    else if (isFit)
        findings->emplace_back(Finding::Good, "Locks are the rows of " + shown + '.');
    findings->insert(findings->end(), faults.begin(), faults.end());
    const Result around = co_await ask(m_statements.lookAround, {});
    const Result triggers = co_await ask(aboutTriggers, table);
    if (around.isTrue(0, 1))
        findings->emplace_back(Finding::Good,
                               "A trigger tells Lockboards of every change at once.");
    else if (triggers.integer(0, 0) > 0)
        findings->emplace_back(Finding::Problem,
                               "The trigger on " + shown
                                   + " does not tell of every change: it is incomplete or switched "
                                     "off, or the table or its schema has been renamed since; "
                                     "\"lockboardctl postgres install-trigger\" would mend that.");
    else
        findings->emplace_back(Finding::Note,
                               "No trigger is installed: what others change is found by looking "
                               "again, every second or so; \"lockboardctl postgres "
                               "install-trigger\" would change that.");
    if (triggers.integer(0, 1) > 0)
        findings->emplace_back(Finding::Problem,
                               "The trigger on " + shown
                                   + " is an earlier version's, which runs functions that others "
                                     "may have put in its way; \"lockboardctl postgres "
                                     "install-trigger\" replaces it.");
    if (!server.isTrue(0, 4))
        findings->emplace_back(Finding::Note,
                               "This user is no member of pg_read_all_stats: of other users' "
                               "sessions, only process, application and user are shown.");
}

Task<CheckReport> Provider::check()
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

} // namespace lockboard::postgres
