// SPDX-License-Identifier: MIT
#include "engine/postgres/medusa_hash.h"
#include "engine/postgres/postgres_live_view.h"
#include "engine/postgres/postgres_number.h"
#include "engine/postgres/postgres_provider.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

static const char* const advisory =
    "l.locktype = 'advisory' AND l.classid = 0 AND l.objsubid = 1 "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
static const char* const sessionName =
    "to_hex(trunc(extract(epoch FROM a.backend_start))::bigint) || '.' || to_hex(a.pid)";
//! In microseconds since 1970: all that the server knows of it.
static const char* const transactionBegan = "(extract(epoch FROM a.xact_start) * 1000000)::bigint";
//! How far two looks at a transaction's age may disagree: each takes the middle of a round trip for
//! the time of the server's answer.
static constexpr Duration ageTolerance = 1s;
static constexpr std::size_t mostKeys = 20;

namespace {

//! What somebody saw of a session before they said that it may be ended.
class Seen final {
public:
    struct LockSeen {
        std::uint32_t hash;
        bool granted;
    };

    //! One of ListedSession's arguments, from the third on. False: it is none.
    bool take(const std::string& word);

    std::vector<std::string> sessions;
    std::vector<Duration> ages; // of its transaction
    std::vector<LockSeen> locks;
    std::map<std::uint32_t, std::string> names;
};

//! An advisory lock, as the server tells of it now.
struct LockFound {
    std::uint32_t hash;
    bool granted;
};

} // namespace

bool Seen::take(const std::string& word)
{
    const std::size_t equals = word.find('=');
    if (equals == word.npos) { // the session's name alone
        sessions.push_back(word);
        return true;
    }
    const std::string_view what = std::string_view(word).substr(0, equals);
    const std::string value = word.substr(equals + 1);
    if (what == "session") {
        sessions.push_back(value);
        return true;
    }
    if (what == "transactionMs") {
        const auto ms = readNumber<std::int64_t>(value);
        ages.emplace_back(ms.value_or(0));
        return ms.has_value();
    }
    if (what != "holds" && what != "waits")
        return false;
    const std::size_t blank = std::min(value.find(' '), value.size());
    const auto hash = readNumber<std::uint32_t>(std::string_view(value).substr(0, blank));
    if (!hash)
        return false;
    locks.push_back({*hash, what == "holds"});
    if (blank < value.size())
        names[*hash] = value.substr(blank + 1);
    return true;
}

static bool isThere(const std::vector<LockFound>& found, const Seen::LockSeen& seen)
{
    return std::any_of(found.begin(), found.end(), [&](const LockFound& lock) {
        return lock.hash == seen.hash && lock.granted == seen.granted;
    });
}

Task<std::string> PostgresProvider::endSession(int pid, bool cancel, std::vector<std::string> words)
{
    Seen seen;
    for (const std::string& word : words) {
        if (!seen.take(word))
            throw InvalidArgument(
                "end-session does not know what this says: " + printableStart(word) + '.');
    }
    std::string name = "Process " + std::to_string(pid);
    if (isOwnBackend(pid))
        throw InvalidArgument(name + " is this Lockboard's own.");
    const auto keyName = [&](std::uint32_t hash) {
        const auto known = seen.names.find(hash);
        return known == seen.names.end() ? nameOf(hash) : '"' + printableStart(known->second) + '"';
    };

    const TimePoint asked = m_shared.clock->now();
    PostgresParameters which;
    which << std::to_string(pid);
    const PostgresResult look = co_await ask(
        PostgresStatement({},
                          std::string("SELECT a.application_name, host(a.client_addr), a.state, ")
                              + sessionName + ", " + transactionBegan
                              + ", (extract(epoch FROM clock_timestamp() - a.xact_start) * "
                                "1000)::bigint, l.objid::bigint, l.granted FROM pg_locks l LEFT "
                                "JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.pid = $1::int "
                                "AND "
                              + advisory + " ORDER BY l.granted DESC, l.objid"),
        which);
    const Duration took = std::chrono::ceil<Duration>(m_shared.clock->now() - asked);
    std::vector<LockFound> found;
    for (int row = 0; row < look.rows(); ++row)
        found.push_back({static_cast<std::uint32_t>(look.integer(row, 6)), look.isTrue(row, 7)});
    if (found.empty() && seen.locks.empty())
        throw InvalidArgument(name
                              + " neither holds an advisory lock that may be Medusa's nor waits "
                                "for one; it is left alone.");

    // Is it what was seen?
    const std::optional<std::string> session = found.empty() ? std::nullopt : look.optional(0, 3);
    for (const std::string& wanted : seen.sessions) {
        if (session && *session != wanted)
            throw InvalidArgument(name + " is another session by now; it is left alone.");
    }
    for (const Seen::LockSeen& lock : seen.locks) {
        if (!isThere(found, lock))
            throw InvalidArgument(name + " no longer " + (lock.granted ? "holds " : "waits for ")
                                  + keyName(lock.hash) + "; it is left alone.");
    }
    for (const Duration age : seen.ages) {
        if (!session) // which says that no more is told of it
            break;
        const Duration now(look.isNull(0, 5) ? -1 : look.integer(0, 5));
        if (look.isNull(0, 5) || now < age - ageTolerance || now > age + took + ageTolerance)
            throw InvalidArgument(name
                                  + " is in another transaction by now: what it was doing is "
                                    "over; it is left alone.");
    }
    if (cancel && look.text(0, 2).starts_with("idle"))
        throw InvalidArgument(name
                              + " is idle, so that there is nothing to cancel; only ending its "
                                "session frees what it holds.");

    // The look may be an old one by now.
    const bool waits = m_bulk.serverVersion() >= 140000;
    const std::string how = cancel ? "pg_cancel_backend($1::int)"
        : waits                    ? "pg_terminate_backend($1::int, 3000)"
                                   : "pg_terminate_backend($1::int)";
    PostgresArray hashes, granted;
    for (const Seen::LockSeen& lock : seen.locks) {
        hashes.add(std::int64_t(lock.hash));
        granted.add(std::int64_t(lock.granted ? 1 : 0));
    }
    which << session << (seen.ages.empty() ? std::nullopt : look.optional(0, 4)) << hashes.text()
          << granted.text();
    const std::string itsLocks = std::string("FROM pg_locks l WHERE l.pid = a.pid AND ") + advisory;
    const PostgresResult done = co_await change(
        PostgresStatement(
            {},
            "SELECT " + how + " FROM pg_stat_activity a WHERE a.pid = $1::int AND ($2::text IS "
                + "NULL OR " + sessionName + " = $2) AND ($3::bigint IS NULL OR " + transactionBegan
                + " = $3) " + (cancel ? "AND coalesce(a.state, '') NOT LIKE 'idle%' " : "")
                + "AND EXISTS (SELECT " + itsLocks
                + ") AND NOT EXISTS (SELECT FROM unnest($4::bigint[], $5::int[]) s(hash, granted) "
                  "WHERE NOT EXISTS (SELECT "
                + itsLocks + " AND l.objid::bigint = s.hash AND l.granted = (s.granted = 1)))"),
        which);
    noteAllChanged();
    std::string facts;
    for (int column = 0; column < 2; ++column) {
        if (!look.text(0, column).empty())
            facts +=
                (facts.empty() ? " (" : ", ") + printableStart(std::string(look.text(0, column)));
    }
    facts += facts.empty() ? "" : ")";
    if (done.rows() == 0)
        throw InvalidArgument(name + facts + " has moved on meanwhile; it is left alone.");
    if (!done.isTrue(0, 0))
        co_return name + facts + " was told to end, but is still there.";
    const auto isNameless = [&](const LockFound& lock) {
        return keyName(lock.hash).starts_with("advisory:");
    };
    if (std::any_of(found.begin(), found.end(), isNameless)) {
        try {
            const PostgresResult rows = co_await ask(
                PostgresStatement({},
                                  "SELECT l.id FROM " + m_statements.table
                                      + " l ORDER BY l.owner_id LIKE 'execute:%' DESC NULLS LAST "
                                        "LIMIT 20000"),
                {});
            for (int row = 0; row < rows.rows(); ++row) {
                const std::string_view key = rows.text(row, 0);
                const std::uint32_t hash = medusaHash(key);
                if (std::any_of(found.begin(), found.end(),
                                [hash](const LockFound& lock) { return lock.hash == hash; }))
                    seen.names.try_emplace(hash, key);
            }
        } catch (const LockError&) {
            // the sentence does without
        }
    }
    std::string keys;
    for (std::size_t i = 0; i < std::min(found.size(), mostKeys); ++i) {
        if (i == 0 || found[i].granted != found[i - 1].granted) {
            keys += i == 0 ? "" : " and ";
            keys += found[i].granted ? "held " : "waited for ";
        } else {
            keys += ", ";
        }
        keys += keyName(found[i].hash);
    }
    if (found.size() > mostKeys)
        keys += " and " + std::to_string(found.size() - mostKeys) + " more";
    name.front() = 'p';
    if (!cancel)
        co_return "Ended the session of " + name + facts + ", which " + keys + '.';
    if (look.isNull(0, 2))
        co_return "Told " + name + facts
            + " to cancel its statement; whether it runs one is not shown to this user. It " + keys
            + '.';
    co_return "Cancelled what " + name + facts + " was doing. It " + keys + '.';
}

//! As a live view knows it, if there is one.
std::string PostgresProvider::nameOf(std::uint32_t hash) const
{
    const std::string unknown = "advisory:" + std::to_string(hash);
    for (const auto& view : m_views) {
        const std::string name = view ? view->nameOf(hash) : unknown;
        if (name != unknown)
            return '"' + printableStart(name) + '"';
    }
    return unknown;
}

} // namespace lockboard
