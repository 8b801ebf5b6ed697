// SPDX-License-Identifier: MIT
#include "engine/postgres/administration/session_ending.h"

#include "engine/contract/medusa_hash.h"
#include "engine/postgres/session/statements.h"
#include "engine/postgres/wire/number.h"
#include "engine/postgres/wire/template.h"

#include <algorithm>

namespace lockboard::postgres {

using namespace std::chrono_literals;

static const std::string advisory = Statements::advisoryLock;
static const std::string sessionName = Statements::sessionName;
//! In microseconds since 1970: all that the server knows of it.
static const char* const transactionBegan =
    "(extract(epoch FROM a.xact_start) @times 1000000)::bigint";
//! How far two looks at a transaction's age may disagree: each takes the middle of a round trip for
//! the time of the server's answer.
static constexpr Duration ageTolerance = 1s;
static constexpr std::size_t mostKeys = 20;
static constexpr int mostLocks = 100'000;

//! Of what look() gives; a row a lock.
struct LookColumn {
    enum Index : int { Application, Client, State, Session, Began, Age, Hash, Granted };
};

SessionEnding::SessionEnding(SeenSession seen, SessionEnd how, TimePoint now, NameOf nameOf)
    : m_seen(std::move(seen))
    , m_cancel(how == SessionEnd::Cancel)
    , m_pid(std::to_string(m_seen.pid()))
    , m_nameOf(std::move(nameOf))
    , m_names(m_seen.names())
{
    for (const TimePoint began : m_seen.transactionsBegan())
        m_ages.push_back(std::chrono::floor<Duration>(now - began));
}

InvalidArgument SessionEnding::leftAlone(const std::string& why) const
{
    return InvalidArgument("Process " + m_pid + why + "; it is left alone.");
}

Statement SessionEnding::look() const
{
    return Statement(
               {},
               qualified(
                   "SELECT a.application_name, pg_catalog.host(a.client_addr), a.state, "
                   + sessionName + ", " + transactionBegan
                   + ", (extract(epoch FROM pg_catalog.clock_timestamp() @minus a.xact_start) "
                     "@times 1000)::bigint, l.objid::bigint, l.granted "
                     "FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a "
                     "ON a.pid @eq l.pid WHERE l.pid @eq $1::int AND "
                   + advisory + " ORDER BY l.granted DESC, l.objid"))
        .answeredBy("TTTTIIub", 0, mostLocks);
}

Parameters SessionEnding::lookParameters() const
{
    Parameters parameters;
    parameters << m_pid;
    return parameters;
}

void SessionEnding::take(Result look, Duration took)
{
    m_look = std::move(look);
    for (int row = 0; row < m_look.rows(); ++row)
        m_found.emplace_back(static_cast<std::uint32_t>(m_look.integer(row, LookColumn::Hash)),
                             m_look.isTrue(row, LookColumn::Granted));
    if (m_found.empty() && m_seen.keys().empty())
        throw leftAlone(" neither holds an advisory lock that may be Medusa's nor waits for one");
    if (!m_found.empty())
        m_session = m_look.optional(0, LookColumn::Session);
    requireWhatWasSeen(took);
    if (m_cancel && m_look.text(0, LookColumn::State).starts_with("idle"))
        throw InvalidArgument("Process " + m_pid
                              + " is idle, so that there is nothing to cancel; only ending its "
                                "session frees what it holds.");
}

void SessionEnding::requireWhatWasSeen(Duration took) const
{
    for (const std::string& wanted : m_seen.sessions()) {
        if (m_session && *m_session != wanted)
            throw leftAlone(" is another session by now");
    }
    for (const SeenSession::Key& lock : m_seen.keys()) {
        if (std::find(m_found.begin(), m_found.end(), lock) == m_found.end())
            throw leftAlone(std::string(" no longer ") + (lock.held ? "holds " : "waits for ")
                            + keyName(lock.hash));
    }
    for (const Duration age : m_ages) {
        if (!m_session)
            break;
        const Duration now(m_look.integer(0, LookColumn::Age));
        if (m_look.isNull(0, LookColumn::Age) || now < age - ageTolerance
            || now > age + took + ageTolerance)
            throw leftAlone(" is in another transaction by now: what it was doing is over");
    }
}

Statement SessionEnding::end(int serverVersion) const
{
    const std::string how = m_cancel ? "pg_catalog.pg_cancel_backend($1::int)"
        : serverVersion >= 140000    ? "pg_catalog.pg_terminate_backend($1::int, 3000)"
                                     : "pg_catalog.pg_terminate_backend($1::int)";
    const std::string itsLocks = "FROM pg_catalog.pg_locks l WHERE l.pid @eq a.pid AND " + advisory;
    // The look may be an old one by now.
    return Statement(
               {},
               qualified(
                   "SELECT " + how
                   + " FROM pg_catalog.pg_stat_activity a WHERE a.pid @eq $1::int "
                     "AND ($2::@text IS NULL OR "
                   + sessionName + " @eq $2::@text) AND ($3::bigint IS NULL OR " + transactionBegan
                   + " @eq $3::bigint) "
                   + (m_cancel ? "AND NOT coalesce(a.state, '') @like 'idle%' " : "")
                   + "AND EXISTS (SELECT " + itsLocks
                   + ") AND NOT EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest($4::bigint[]), "
                     "pg_catalog.unnest($5::int[])) s(hash, granted) WHERE NOT EXISTS (SELECT "
                   + itsLocks
                   + " AND l.objid::bigint @eq s.hash AND l.granted @eq (s.granted @eq 1)))"))
        .answeredBy("b", 0, 1);
}

Parameters SessionEnding::endParameters() const
{
    Array hashes, granted;
    for (const SeenSession::Key& lock : m_seen.keys()) {
        hashes.add(std::int64_t(lock.hash));
        granted.add(std::int64_t(lock.held ? 1 : 0));
    }
    Parameters parameters = lookParameters();
    parameters << m_session
               << (m_ages.empty() ? std::nullopt : m_look.optional(0, LookColumn::Began))
               << hashes.text() << granted.text();
    return parameters;
}

std::string SessionEnding::keyName(std::uint32_t hash) const
{
    const auto known = m_names.find(hash);
    return known == m_names.end() ? m_nameOf(hash) : '"' + printableStart(known->second) + '"';
}

bool SessionEnding::hasNameless() const
{
    return std::any_of(m_found.begin(), m_found.end(), [this](const SeenSession::Key& lock) {
        return keyName(lock.hash).starts_with("advisory:");
    });
}

void SessionEnding::takeName(std::string_view key)
{
    const std::uint32_t hash = medusaHash(key);
    if (std::any_of(m_found.begin(), m_found.end(),
                    [hash](const SeenSession::Key& lock) { return lock.hash == hash; }))
        m_names.try_emplace(hash, key);
}

std::string SessionEnding::itsKeys() const
{
    std::string keys;
    for (std::size_t i = 0; i < std::min(m_found.size(), mostKeys); ++i) {
        if (i == 0 || m_found[i].held != m_found[i - 1].held) {
            keys += i == 0 ? "" : " and ";
            keys += m_found[i].held ? "held " : "waited for ";
        } else {
            keys += ", ";
        }
        keys += keyName(m_found[i].hash);
    }
    if (m_found.size() > mostKeys)
        keys += " and " + std::to_string(m_found.size() - mostKeys) + " more";
    return keys;
}

std::string SessionEnding::facts() const
{
    std::string facts;
    for (const auto column : {LookColumn::Application, LookColumn::Client}) {
        const std::string text(m_look.text(0, column));
        if (!text.empty())
            facts += (facts.empty() ? " (" : ", ") + printableStart(text);
    }
    return facts.empty() ? facts : facts + ')';
}

std::string SessionEnding::sentence(const Result& ended) const
{
    if (ended.rows() == 0)
        throw leftAlone(facts() + " has moved on meanwhile");
    if (!ended.isTrue(0, 0))
        return "Process " + m_pid + facts() + " was told to end, but is still there.";
    const std::string who = "process " + m_pid + facts();
    if (!m_cancel)
        return "Ended the session of " + who + ", which " + itsKeys() + '.' + whatMayRunOn();
    if (m_look.isNull(0, LookColumn::State))
        return "Told " + who
            + " to cancel its statement; whether it runs one is not shown to this user. It "
            + itsKeys() + '.';
    return "Cancelled what " + who + " was doing. It " + itsKeys() + '.' + whatMayRunOn();
}

//! What became of the job is not known: it works on other connections.
std::string SessionEnding::whatMayRunOn() const
{
    const bool holds =
        std::ranges::any_of(m_found, [](const SeenSession::Key& one) { return one.held; });
    if (!holds || m_look.text(0, LookColumn::Application).starts_with("lockboard"))
        return {};
    return " If that was for a job of Medusa's, it may run on without the lock, and the next one "
           "beside it.";
}

} // namespace lockboard::postgres
