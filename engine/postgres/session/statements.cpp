// SPDX-License-Identifier: MIT
#include "engine/postgres/session/statements.h"

#include "engine/contract/medusa_hash.h"
#include "engine/postgres/wire/settings.h"
#include "engine/postgres/wire/template.h"

#include <limits>

namespace lockboard::postgres {

std::string quotedName(const std::string& name)
{
    std::string text = "\"";
    for (const char letter : name)
        text += letter == '"' ? std::string("\"\"") : std::string(1, letter);
    return text + '"';
}

//! Advisory locks of two numbers, of which the first is ours; Medusa's are of one.
static const char* const queueClass = "1280262987"; // "LOCK"
static const char* const waiterClass = "1463898436"; // "WAIT"

// Fragments; `l` is a row of the table.
static const char* const isLive =
    "(l.expiration IS NULL OR l.expiration @gt pg_catalog.clock_timestamp())";
static const char* const overSql = "(l.expiration @le pg_catalog.clock_timestamp())";
//! Whole milliseconds, a hundred years at the most; none for what is unlimited.
static const char* const leaseLeft =
    "CASE WHEN pg_catalog.isfinite(l.expiration) THEN pg_catalog.ceil(least("
    "extract(epoch FROM l.expiration) @minus extract(epoch FROM pg_catalog.clock_timestamp()), "
    "3e9) @times 1000)::bigint END";
static const char* const endSql =
    "pg_catalog.clock_timestamp() @plus ($3::bigint @times interval '1 millisecond')";
//! What is too long to be handed around is cut, and says so.
static std::string boundedText(const std::string& text)
{
    return "CASE WHEN pg_catalog.octet_length(" + text + ") @gt 262144 THEN pg_catalog.left(" + text
        + ", 100) @cat '... (' @cat pg_catalog.octet_length(" + text
        + ")::@text @cat ' bytes)' "
          "ELSE "
        + text + " END";
}
//! Whether $2 may release a lock that it finds; $3: one without owner too.
static const char* const isReleasable =
    "(l.owner_id @eq $2::@text OR l.owner_id IS NULL AND ($2::@text IS NULL OR $3::boolean))";

const char* const Statements::advisoryLock =
    "l.locktype @eq 'advisory' AND l.classid @eq 0 AND l.objsubid @eq 1 AND l.database @eq "
    "(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname @eq "
    "pg_catalog.current_database())";
const char* const Statements::sessionName =
    "(pg_catalog.to_hex(pg_catalog.trunc(extract(epoch FROM a.backend_start))::bigint) @cat '.' "
    "@cat pg_catalog.to_hex(a.pid))";

static std::string filled(const char* text, const std::string& table, const std::string& channel)
{
    // What has no sign of its own in it comes last.
    return filledIn(qualified(filledIn(text,
                                       {{"live", isLive},
                                        {"over", overSql},
                                        {"left", leaseLeft},
                                        {"end", endSql},
                                        {"key", boundedText("l.id")},
                                        {"owner", boundedText("l.owner_id")},
                                        {"pageowner", boundedText("page.owner_id")},
                                        {"releasable", isReleasable},
                                        {"advisory", Statements::advisoryLock},
                                        {"session", Statements::sessionName}})),
                    {{"table", table},
                     {"name", quotedText(table)},
                     {"channel", channel},
                     {"tolerance", std::to_string(SeenLock::tolerance.count())},
                     {"longest", std::to_string(Statements::longestSeenLease.count())},
                     {"queue", queueClass},
                     {"waiters", waiterClass}});
}

//! PostgreSQL takes 63 bytes. Where two tables share one, who waits looks in vain now and then.
static std::string channelOf(const std::string& name)
{
    constexpr std::size_t longest = 63;
    const std::string channel = "lockboard:" + name;
    return channel.size() <= longest ? channel : "lockboard:" + std::to_string(medusaHash(name));
}

// @source: one row for each key, named k, once all that is needed is there.
static const char* const acquireText = R"(
    WITH @prelude
    before AS MATERIALIZED (
        SELECT l.id, l.owner_id, @left AS rest,
            NOT CASE WHEN l.owner_id IS NULL THEN $4::boolean
                ELSE $5::boolean AND $2::@text IS NOT NULL AND l.owner_id @eq $2 END AS blocks
        FROM @table l WHERE l.id @eq ANY($1::@text[]) AND @live),
    taken AS (
        INSERT INTO @table AS l (id, owner_id, expiration)
        SELECT k, $2::@text, @end FROM @source
        WHERE NOT EXISTS (SELECT FROM before WHERE blocks) @condition
        ON CONFLICT (id) DO UPDATE SET owner_id = EXCLUDED.owner_id,
            expiration = CASE WHEN $3::bigint IS NULL AND NOT coalesce(@over, false)
                THEN l.expiration ELSE EXCLUDED.expiration END
        WHERE @over OR CASE WHEN l.owner_id IS NULL THEN $4::boolean
            ELSE $5::boolean AND $2::@text IS NOT NULL AND l.owner_id @eq $2 END
        RETURNING l.id, @left AS rest, pg_catalog.txid_current() AS token),
    sum AS MATERIALIZED (
        SELECT pg_catalog.count(*) AS keys, pg_catalog.max(token) AS token,
            pg_catalog.min(rest) AS rest FROM taken)
    SELECT sum.keys, sum.token, sum.rest, EXISTS (SELECT FROM before),
        way.id, way.owner_id, way.rest,
        CASE WHEN EXISTS (SELECT FROM before) THEN (
            SELECT pg_catalog.string_agg(
                CASE WHEN b.id IS NULL THEN 'n' ELSE 'h' END @cat coalesce(t.rest::@text, ''),
                ',' ORDER BY k.place)
            FROM ROWS FROM (pg_catalog.unnest($1::@text[])) WITH ORDINALITY k(id, place)
                LEFT JOIN before b ON b.id @eq k.id LEFT JOIN taken t ON t.id @eq k.id) END
        @more
    FROM sum LEFT JOIN (SELECT * FROM before WHERE blocks LIMIT 1) way ON true
)";

static std::string acquireSql(const char* prelude, const char* condition, const char* more)
{
    return filledIn(acquireText,
                    {{"prelude", prelude},
                     {"source", "pg_catalog.unnest($1::@text[]) k"},
                     {"condition", condition},
                     {"more", more}});
}

//! Not "IF NOT EXISTS" alone: that asks for the right to create even where there is a table, and
//! fails in several ways when somebody else is just quicker to make it.
static std::string creatingTable(const std::string& table)
{
    const std::string isMissing =
        "IF pg_catalog.to_regclass(" + quotedText(table) + ") IS NULL THEN ";
    return "DO "
        + quotedText("BEGIN " + isMissing + createTableStatement(table)
                     + "; END IF; EXCEPTION WHEN unique_violation OR duplicate_table OR "
                       "duplicate_object THEN "
                     + isMissing + "RAISE; END IF; END");
}

Statements::Statements(const Settings& settings)
    : table(quotedName(settings.schema) + '.' + quotedName(settings.table))
    , channel(channelOf(settings.schema + '.' + settings.table))
    , queue("lockboard_queue", {})
    , takeFree("lockboard_take", {})
    , takeFreeForSession("lockboard_take_session", {})
    , handOver("lockboard_hand_over", {})
    , releaseHeld("lockboard_release_held", {})
    , acquire("lockboard_acquire", acquireSql("", "", ""))
    , acquireForSession("lockboard_acquire_session",
                        acquireSql(R"(
    locks AS MATERIALIZED (
        SELECT h, pg_catalog.pg_try_advisory_lock(h) AS got
        FROM pg_catalog.unnest($6::bigint[]) h),
    refused AS MATERIALIZED (SELECT h FROM locks WHERE NOT got LIMIT 1),)",
                                   "AND NOT EXISTS (SELECT FROM refused)", R"(
        , (SELECT h FROM refused), pg_catalog.pg_backend_pid(),
        (SELECT pg_catalog.count(*) FROM (
            SELECT CASE WHEN got THEN pg_catalog.pg_advisory_unlock(h) END FROM locks
            WHERE sum.keys @lt pg_catalog.cardinality($1::@text[]) OFFSET 0) undone))"))
    , wait("lockboard_wait", {})
    , allOrNone("lockboard_all_or_none", {})
    , extend("lockboard_extend", {})
    , look("lockboard_look", {})
    , release("lockboard_release", {})
    , releaseExpected("lockboard_release_expected", {})
    , unlock("lockboard_unlock", {})
    , releasePage("lockboard_release_page", {})
    , releaseOwned("lockboard_release_owned", {})
    , ownedKeys("lockboard_owned_keys", {})
    , releaseSeen("lockboard_release_seen", {})
    , advertise("lockboard_advertise", {})
    , withdraw("lockboard_withdraw", {})
    , listen({}, {})
    , readAll({}, R"(
        COPY (SELECT @key, @owner, pg_catalog.date_part('epoch', l.expiration)
            FROM @table l WHERE l.id IS NOT NULL) TO STDOUT)")
    , readSome({}, R"(
        SELECT @key, @owner, pg_catalog.date_part('epoch', l.expiration),
            pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())
        FROM @table l WHERE l.id @eq ANY($1::@text[])
        UNION ALL SELECT NULL, NULL, NULL,
            pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()))")
    , lookAround({}, {})
    , create({}, creatingTable(table))
{
    // The place is waited for before the transaction has its number.
    takeFree.sql = R"(
        INSERT INTO @table AS l (id, owner_id, expiration)
        SELECT $1::@text, $2::@text, @end
        FROM (SELECT pg_catalog.pg_advisory_xact_lock(@queue, $4::int) OFFSET 0) q
        WHERE NOT EXISTS (SELECT FROM @table l WHERE l.id @eq $1::@text AND @live)
        ON CONFLICT (id) DO UPDATE SET owner_id = EXCLUDED.owner_id,
            expiration = EXCLUDED.expiration
        WHERE @over
        RETURNING pg_catalog.txid_current())";
    takeFreeForSession.sql = R"(
        WITH q AS MATERIALIZED (SELECT pg_catalog.pg_advisory_xact_lock(@queue, $4::int)),
        a AS MATERIALIZED (
            SELECT pg_catalog.pg_try_advisory_lock($5::bigint) AS got FROM q
            WHERE NOT EXISTS (SELECT FROM @table l WHERE l.id @eq $1::@text AND @live)),
        taken AS (
            INSERT INTO @table AS l (id, owner_id, expiration)
            SELECT $1::@text, $2::@text, @end FROM a WHERE got
            ON CONFLICT (id) DO UPDATE SET owner_id = EXCLUDED.owner_id,
                expiration = EXCLUDED.expiration
            WHERE @over
            RETURNING pg_catalog.txid_current() AS token)
        SELECT (SELECT token FROM taken), pg_catalog.pg_backend_pid(), (SELECT got FROM a))";
    handOver.sql = R"(
        UPDATE @table l SET owner_id = $2::@text, expiration = @end
        FROM (SELECT pg_catalog.pg_advisory_xact_lock(@queue, $4::int) OFFSET 0) q
        WHERE l.id @eq $1::@text AND l.owner_id @eq $5::@text AND @live
        RETURNING pg_catalog.txid_current())";
    wait.sql = R"(
        SELECT pg_catalog.pg_advisory_lock($1::bigint)
        FROM (SELECT pg_catalog.set_config('lock_timeout', $2::@text, true) OFFSET 0) l)";
    queue.sql = R"(
        SELECT pg_catalog.pg_advisory_xact_lock(@queue, h) FROM pg_catalog.unnest($1::int[]) h)";
    allOrNone.sql = R"(
        SELECT 1 @by CASE WHEN counted.keys @eq 0 OR counted.keys @eq $2::bigint THEN 1 ELSE 0 END
        FROM (SELECT pg_catalog.count(*) AS keys FROM @table l
            WHERE l.id @eq ANY($1::@text[])
                AND l.xmin::@text @eq
                    (pg_catalog.txid_current_if_assigned() @mod 4294967296)::@text) counted)";
    extend.sql = R"(
        WITH held AS MATERIALIZED (
            SELECT l.id FROM @table l
            WHERE l.id @eq ANY($1::@text[]) AND l.owner_id @eq $2::@text AND @live),
        kept AS (
            UPDATE @table l SET expiration = @end
            WHERE l.id @eq ANY($1::@text[]) AND l.owner_id @eq $2::@text AND @live
                AND (SELECT pg_catalog.count(*) FROM held) @eq pg_catalog.cardinality($1::@text[])
            RETURNING l.id)
        SELECT (SELECT pg_catalog.count(*) FROM kept), $3::bigint,
            (SELECT k FROM pg_catalog.unnest($1::@text[]) k
                WHERE NOT EXISTS (SELECT FROM kept WHERE kept.id @eq k)
                ORDER BY EXISTS (SELECT FROM held WHERE held.id @eq k) LIMIT 1))";
    look.sql = R"(
        WITH held AS MATERIALIZED (
            SELECT l.id, @left AS rest FROM @table l
            WHERE l.id @eq ANY($1::@text[]) AND l.owner_id @eq $2::@text AND @live)
        SELECT (SELECT pg_catalog.count(*) FROM held), (SELECT pg_catalog.min(rest) FROM held),
            (SELECT k FROM pg_catalog.unnest($1::@text[]) k
                WHERE NOT EXISTS (SELECT FROM held WHERE held.id @eq k) LIMIT 1))";
    releaseHeld.sql = R"(
        DELETE FROM @table l WHERE l.id @eq $1::@text AND @live AND @releasable
        RETURNING l.owner_id,
            CASE WHEN $6::boolean OR NOT pg_catalog.pg_try_advisory_xact_lock(@waiters, $4::int)
                THEN pg_catalog.pg_notify(@channel, $5::@text) END)";
    release.sql = R"(
        WITH before AS MATERIALIZED (
            SELECT l.id, l.owner_id,
                NOT $7::boolean AND coalesce(@releasable, false) AS releasable
            FROM @table l WHERE l.id @eq ANY($1::@text[]) AND @live),
        gone AS (
            DELETE FROM @table l WHERE l.id @eq ANY($1::@text[])
                AND (@over OR NOT $7::boolean AND @releasable)
            RETURNING l.id, NOT coalesce(@over, false) AS was_held)
        SELECT coalesce(gone.was_held, false), gone.id IS NULL AND before.id IS NOT NULL,
            before.owner_id,
            CASE WHEN gone.id IS NOT NULL AND ($6::boolean
                    OR NOT pg_catalog.pg_try_advisory_xact_lock(@waiters, k.hash))
                THEN pg_catalog.pg_notify(@channel, k.payload) END,
            gone.id IS NOT NULL,
            gone.id IS NULL AND before.id IS NOT NULL AND before.releasable
        FROM ROWS FROM (pg_catalog.unnest($1::@text[]), pg_catalog.unnest($4::int[]),
                pg_catalog.unnest($5::@text[])) WITH ORDINALITY k(id, hash, payload, place)
            LEFT JOIN gone ON gone.id @eq k.id LEFT JOIN before ON before.id @eq k.id
        ORDER BY k.place)";
    releaseExpected.sql = R"(
        WITH seen AS MATERIALIZED (
            SELECT s.* FROM ROWS FROM (pg_catalog.unnest($1::@text[]), pg_catalog.unnest($2::@text[]),
                pg_catalog.unnest($3::bigint[]), pg_catalog.unnest($4::boolean[]),
                pg_catalog.unnest($5::@text[])) WITH ORDINALITY s(id, owner, rest, known, payload,
                place)),
        before AS MATERIALIZED (
            SELECT l.id, l.owner_id FROM @table l WHERE l.id @eq ANY($1::@text[]) AND @live),
        gone AS (
            DELETE FROM @table l USING seen s WHERE l.id @eq s.id AND (@over OR s.known AND (
                l.owner_id @eq s.owner OR l.owner_id IS NULL AND s.owner IS NULL AND (
                    s.rest IS NULL AND coalesce(NOT pg_catalog.isfinite(l.expiration), true)
                    OR pg_catalog.abs(least((extract(epoch FROM l.expiration)
                            @minus extract(epoch FROM pg_catalog.statement_timestamp())) @times 1000,
                        @longest) @minus s.rest) @le @tolerance)))
            RETURNING l.id, NOT coalesce(@over, false) AS was_held)
        SELECT coalesce(gone.was_held, false), gone.id IS NULL AND before.id IS NOT NULL,
            before.owner_id,
            CASE WHEN gone.id IS NOT NULL THEN pg_catalog.pg_notify(@channel, seen.payload) END,
            gone.id IS NOT NULL,
            coalesce(before.owner_id @eq seen.owner, before.owner_id IS NULL AND seen.owner IS NULL)
        FROM seen LEFT JOIN gone ON gone.id @eq seen.id LEFT JOIN before ON before.id @eq seen.id
        ORDER BY seen.place)";
    unlock.sql = R"(
        SELECT pg_catalog.pg_advisory_unlock(u.h)
        FROM ROWS FROM (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::int[])) u(h, times),
            pg_catalog.generate_series(1, u.times))";
    releasePage.sql = R"(
        WITH page AS MATERIALIZED (
            SELECT l.id, l.owner_id, @live AS held FROM @table l
            WHERE l.id IS NOT NULL AND ($1::@text IS NULL OR l.id @gt $1::@text)
            ORDER BY l.id LIMIT $2::bigint),
        locked AS MATERIALIZED (
            SELECT l.id FROM @table l JOIN page ON l.id @eq page.id
                AND (l.owner_id @eq page.owner_id OR l.owner_id IS NULL AND page.owner_id IS NULL)
            FOR UPDATE OF l SKIP LOCKED),
        gone AS (DELETE FROM @table l USING locked WHERE l.id @eq locked.id RETURNING l.id),
        told AS MATERIALIZED (
            SELECT pg_catalog.pg_notify(@channel, 'f') WHERE EXISTS (SELECT FROM gone))
        SELECT page.id, @pageowner, page.held, gone.id IS NOT NULL,
            (SELECT pg_catalog.count(*) FROM told)
        FROM page LEFT JOIN gone ON gone.id @eq page.id ORDER BY page.id)";
    // The owner once more: the parts of a divided table number their rows alike.
    releaseOwned.sql = R"(
        WITH locked AS MATERIALIZED (
            SELECT ctid FROM @table WHERE owner_id @eq $1::@text LIMIT $2::bigint
            FOR UPDATE SKIP LOCKED),
        gone AS (
            DELETE FROM @table l
            WHERE l.ctid @eq ANY(ARRAY(SELECT ctid FROM locked)) AND l.owner_id @eq $1::@text
            RETURNING l.id, l.owner_id, @live AS held),
        told AS MATERIALIZED (
            SELECT pg_catalog.pg_notify(@channel, 'f') WHERE EXISTS (SELECT FROM gone))
        SELECT id, owner_id, held, true, (SELECT pg_catalog.count(*) FROM told) FROM gone)";
    ownedKeys.sql = R"(
        SELECT l.id, pg_catalog.count(*) OVER () FROM @table l
        WHERE l.owner_id @eq $1::@text AND l.id IS NOT NULL LIMIT 100)";
    releaseSeen.sql = R"(
        WITH gone AS (
            DELETE FROM @table l WHERE l.id @eq $1::@text
                AND (l.owner_id @eq $2::@text OR l.owner_id IS NULL AND $2::@text IS NULL)
            RETURNING @live AS held),
        told AS MATERIALIZED (SELECT pg_catalog.pg_notify(@channel, $3::@text) FROM gone)
        SELECT gone.held, (SELECT pg_catalog.count(*) FROM told) FROM gone)";
    advertise.sql = R"(
        SELECT pg_catalog.pg_advisory_lock_shared(@waiters, h)
        FROM pg_catalog.unnest($1::int[]) h)";
    withdraw.sql = R"(
        SELECT pg_catalog.pg_advisory_unlock_shared(@waiters, h)
        FROM pg_catalog.unnest($1::int[]) h)";
    // Who is not a member of pg_read_all_stats sees little of other users' sessions. Triggers go
    // on telling where nobody listens any more once their table or its schema is renamed.
    lookAround.sql = R"(
        SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()),
            (SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger t
                WHERE t.tgrelid @eq pg_catalog.to_regclass(@name)
                    AND pg_catalog.starts_with(t.tgname::@text, 'lockboard_notify_')
                    AND (t.tgenabled @eq 'O' OR t.tgenabled @eq 'A')
                    AND t.tgargs @eq (
                        pg_catalog.convert_to(@channel, pg_catalog.getdatabaseencoding())
                        @cat pg_catalog.decode('00', 'hex')))
                @eq 4,
            k.*
        FROM (SELECT) one LEFT JOIN (
            SELECT l.objid::bigint, l.pid, l.granted, a.application_name,
                coalesce(pg_catalog.host(a.client_addr),
                    CASE WHEN a.client_port @eq (-1) THEN 'local' END),
                a.usename, a.state, pg_catalog.date_part('epoch', a.xact_start),
                pg_catalog.date_part('epoch', a.query_start), @session,
                CASE WHEN NOT l.granted THEN
                    pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(l.pid), ' ') END,
                a.query @eq '<insufficient privilege>'
            FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid @eq l.pid
            WHERE @advisory
            ORDER BY l.granted DESC, a.query_start, l.pid LIMIT 10000) k ON true)";
    listen.sql = "LISTEN " + quotedName(channel);
    for (Statement* const one :
         {&queue,        &wait,        &acquire,           &takeFree,  &takeFreeForSession,
          &handOver,     &releaseHeld, &acquireForSession, &allOrNone, &extend,
          &look,         &release,     &releaseExpected,   &unlock,    &releasePage,
          &releaseOwned, &ownedKeys,   &releaseSeen,       &advertise, &withdraw,
          &readAll,      &readSome,    &lookAround})
        one->sql = filled(one->sql.c_str(), table, quotedText(channel));
    constexpr int any = std::numeric_limits<int>::max();
    takeFree.answeredBy("u", 0, 1);
    takeFreeForSession.answeredBy("UuB", 1, 1);
    handOver.answeredBy("u", 0, 1);
    acquire.answeredBy("uUMbTTMT", 1, 1);
    acquireForSession.answeredBy("uUMbTTMTUu*", 1, 1);
    extend.answeredBy("uMT", 1, 1);
    look.answeredBy("uMT", 1, 1);
    releaseHeld.answeredBy("T*", 0, 1);
    release.answeredBy("bbT*bb", 0, any);
    releaseExpected.answeredBy("bbT*bb", 0, any);
    releasePage.answeredBy("tTbb*", 0, any);
    releaseOwned.answeredBy("TTbb*", 0, any);
    ownedKeys.answeredBy("tu", 0, any);
    releaseSeen.answeredBy("b*", 0, 1);
    readSome.answeredBy("TTEs", 1, any);
    lookAround.answeredBy("sbUUBTTTTSSTTB", 1, any);
}

} // namespace lockboard::postgres
