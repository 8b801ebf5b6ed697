// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_statements.h"

#include "engine/postgres/medusa_hash.h"
#include "engine/postgres/postgres_settings.h"
#include "engine/postgres/postgres_template.h"

namespace lockboard {

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
static const char* const isLive = "(l.expiration IS NULL OR l.expiration > clock_timestamp())";
static const char* const isOver = "(l.expiration <= clock_timestamp())";
//! Whole milliseconds, a hundred years at the most; none for what is unlimited.
static const char* const leaseLeft =
    "CASE WHEN isfinite(l.expiration) THEN ceil(least(extract(epoch FROM l.expiration) - "
    "extract(epoch FROM clock_timestamp()), 3e9) * 1000)::bigint END";
static const char* const leaseEnd = "clock_timestamp() + $3::bigint * interval '1 millisecond'";

static std::string filled(const char* text, const std::string& table, const std::string& channel)
{
    return filledIn(text,
                    {{"table", table},
                     {"name", quotedText(table)},
                     {"channel", channel},
                     {"live", isLive},
                     {"over", isOver},
                     {"left", leaseLeft},
                     {"end", leaseEnd},
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
            NOT CASE WHEN l.owner_id IS NULL THEN $4::bool
                ELSE $5::bool AND $2::text IS NOT NULL AND l.owner_id = $2 END AS blocks
        FROM @table l WHERE l.id = ANY($1::text[]) AND @live),
    taken AS (
        INSERT INTO @table AS l (id, owner_id, expiration)
        SELECT k, $2::text, @end FROM @source
        WHERE NOT EXISTS (SELECT FROM before WHERE blocks) @condition
        ON CONFLICT (id) DO UPDATE SET owner_id = EXCLUDED.owner_id,
            expiration = CASE WHEN $3::bigint IS NULL AND NOT coalesce(@over, false)
                THEN l.expiration ELSE EXCLUDED.expiration END
        WHERE @over OR CASE WHEN l.owner_id IS NULL THEN $4::bool
            ELSE $5::bool AND $2::text IS NOT NULL AND l.owner_id = $2 END
        RETURNING @left AS rest, txid_current() AS token),
    sum AS MATERIALIZED (
        SELECT count(*) AS keys, max(token) AS token, min(rest) AS rest FROM taken)
    SELECT sum.keys, sum.token, sum.rest, EXISTS (SELECT FROM before),
        way.id, way.owner_id, way.rest @more
    FROM sum LEFT JOIN (SELECT * FROM before WHERE blocks LIMIT 1) way ON true
)";

static std::string acquireSql(const char* prelude, const char* source, const char* condition,
                              const char* more)
{
    return filledIn(
        acquireText,
        {{"prelude", prelude}, {"source", source}, {"condition", condition}, {"more", more}});
}

//! Not "IF NOT EXISTS" alone: that asks for the right to create even where there is a table, and
//! fails in several ways when somebody else is just quicker to make it.
static std::string creatingTable(const std::string& table)
{
    const std::string isMissing = "IF to_regclass(" + quotedText(table) + ") IS NULL THEN ";
    return "DO "
        + quotedText("BEGIN " + isMissing + createTableStatement(table)
                     + "; END IF; EXCEPTION WHEN unique_violation OR duplicate_table OR "
                       "duplicate_object THEN "
                     + isMissing + "RAISE; END IF; END");
}

PostgresStatements::PostgresStatements(const PostgresSettings& settings)
    : table(quotedName(settings.schema) + '.' + quotedName(settings.table))
    , channel(channelOf(settings.schema + '.' + settings.table))
    , queue("lockboard_queue", {})
    , takeFree("lockboard_take", {})
    , takeFreeForSession("lockboard_take_session", {})
    , handOver("lockboard_hand_over", {})
    , releaseHeld("lockboard_release_held", {})
    , acquire("lockboard_acquire", acquireSql("", "unnest($1::text[]) k", "", ""))
    , acquireForSession("lockboard_acquire_session",
                        acquireSql(R"(
    locks AS MATERIALIZED (
        SELECT h, pg_try_advisory_lock(h) AS got FROM unnest($6::bigint[]) h),
    refused AS MATERIALIZED (SELECT h FROM locks WHERE NOT got LIMIT 1),)",
                                   "unnest($1::text[]) k", "AND NOT EXISTS (SELECT FROM refused)",
                                   R"(
        , (SELECT h FROM refused), pg_backend_pid(),
        (SELECT count(*) FROM (SELECT CASE WHEN got THEN pg_advisory_unlock(h) END FROM locks
            WHERE sum.keys < cardinality($1::text[]) OFFSET 0) undone))"))
    , wait("lockboard_wait", {})
    , allOrNone("lockboard_all_or_none", {})
    , extend("lockboard_extend", {})
    , look("lockboard_look", {})
    , release("lockboard_release", {})
    , unlock("lockboard_unlock", {})
    , releasePage("lockboard_release_page", {})
    , releaseOwned("lockboard_release_owned", {})
    , ownedKeys("lockboard_owned_keys", {})
    , releaseSeen("lockboard_release_seen", {})
    , advertise("lockboard_advertise", {})
    , withdraw("lockboard_withdraw", {})
    , listen({}, {})
    , readAll({},
              "COPY (SELECT l.id, l.owner_id, date_part('epoch', l.expiration) FROM " + table
                  + " l) TO STDOUT")
    , readSome({},
               "SELECT l.id, l.owner_id, date_part('epoch', l.expiration), "
               "date_part('epoch', clock_timestamp()) FROM "
                   + table
                   + " l WHERE l.id = ANY($1::text[]) UNION ALL SELECT NULL, NULL, NULL, "
                     "date_part('epoch', clock_timestamp())")
    , lookAround({}, {})
    , create({}, creatingTable(table))
{
    // The place is waited for before the transaction has its number.
    takeFree.sql = R"(
        INSERT INTO @table AS l (id, owner_id, expiration)
        SELECT $1::text, $2::text, @end
        FROM (SELECT pg_advisory_xact_lock(@queue, $4::int) OFFSET 0) q
        WHERE NOT EXISTS (SELECT FROM @table l WHERE l.id = $1::text AND @live)
        ON CONFLICT (id) DO UPDATE SET owner_id = EXCLUDED.owner_id,
            expiration = EXCLUDED.expiration
        WHERE @over
        RETURNING txid_current())";
    takeFreeForSession.sql = R"(
        WITH q AS MATERIALIZED (SELECT pg_advisory_xact_lock(@queue, $4::int)),
        a AS MATERIALIZED (
            SELECT pg_try_advisory_lock($5::bigint) AS got FROM q
            WHERE NOT EXISTS (SELECT FROM @table l WHERE l.id = $1::text AND @live)),
        taken AS (
            INSERT INTO @table AS l (id, owner_id, expiration)
            SELECT $1::text, $2::text, @end FROM a WHERE got
            ON CONFLICT (id) DO UPDATE SET owner_id = EXCLUDED.owner_id,
                expiration = EXCLUDED.expiration
            WHERE @over
            RETURNING txid_current() AS token)
        SELECT (SELECT token FROM taken), pg_backend_pid(), (SELECT got FROM a))";
    handOver.sql = R"(
        UPDATE @table l SET owner_id = $2::text, expiration = @end
        FROM (SELECT pg_advisory_xact_lock(@queue, $4::int) OFFSET 0) q
        WHERE l.id = $1::text AND l.owner_id = $5::text AND @live
        RETURNING txid_current())";
    wait.sql = R"(
        SELECT pg_advisory_lock($1::bigint)
        FROM (SELECT set_config('lock_timeout', $2::text, true) OFFSET 0) l)";
    queue.sql = "SELECT pg_advisory_xact_lock(@queue, h) FROM unnest($1::int[]) h";
    allOrNone.sql = R"(
        SELECT 1 / CASE WHEN count(*) IN (0, $2::bigint) THEN 1 ELSE 0 END FROM @table l
        WHERE l.id = ANY($1::text[])
            AND l.xmin::text = (txid_current_if_assigned() % 4294967296)::text)";
    extend.sql = R"(
        WITH held AS MATERIALIZED (
            SELECT l.id FROM @table l WHERE l.id = ANY($1::text[]) AND l.owner_id = $2 AND @live),
        kept AS (
            UPDATE @table l SET expiration = @end
            WHERE l.id = ANY($1::text[]) AND l.owner_id = $2 AND @live
                AND (SELECT count(*) FROM held) = cardinality($1::text[])
            RETURNING l.id)
        SELECT (SELECT count(*) FROM kept), $3::bigint,
            (SELECT k FROM unnest($1::text[]) k WHERE k NOT IN (SELECT id FROM kept)
                ORDER BY k IN (SELECT id FROM held) LIMIT 1))";
    look.sql = R"(
        WITH held AS MATERIALIZED (
            SELECT l.id, @left AS rest FROM @table l
            WHERE l.id = ANY($1::text[]) AND l.owner_id = $2 AND @live)
        SELECT (SELECT count(*) FROM held), (SELECT min(rest) FROM held),
            (SELECT k FROM unnest($1::text[]) k WHERE k NOT IN (SELECT id FROM held) LIMIT 1))";
    releaseHeld.sql = R"(
        DELETE FROM @table l WHERE l.id = $1::text AND @live
            AND (l.owner_id = $2::text
                OR l.owner_id IS NULL AND ($2::text IS NULL OR $3::bool))
        RETURNING l.owner_id,
            CASE WHEN $6::bool OR NOT pg_try_advisory_xact_lock(@waiters, $4::int)
                THEN pg_notify(@channel, $5::text) END)";
    release.sql = R"(
        WITH before AS MATERIALIZED (
            SELECT l.id, l.owner_id FROM @table l WHERE l.id = ANY($1::text[]) AND @live),
        gone AS (
            DELETE FROM @table l WHERE l.id = ANY($1::text[])
                AND (@over OR NOT $7::bool AND (l.owner_id = $2::text
                    OR l.owner_id IS NULL AND ($2::text IS NULL OR $3::bool)))
            RETURNING l.id, NOT coalesce(@over, false) AS was_held)
        SELECT coalesce(gone.was_held, false), gone.id IS NULL AND before.id IS NOT NULL,
            before.owner_id,
            CASE WHEN gone.id IS NOT NULL
                    AND ($6::bool OR NOT pg_try_advisory_xact_lock(@waiters, k.hash))
                THEN pg_notify(@channel, k.payload) END,
            gone.id IS NOT NULL,
            gone.id IS NULL AND before.id IS NOT NULL AND NOT $7::bool
                AND (before.owner_id = $2::text OR before.owner_id IS NULL AND ($2::text IS NULL OR $3::bool))
        FROM unnest($1::text[], $4::int[], $5::text[]) WITH ORDINALITY k(id, hash, payload, place)
            LEFT JOIN gone ON gone.id = k.id LEFT JOIN before ON before.id = k.id
        ORDER BY k.place)";
    unlock.sql = R"(
        SELECT pg_advisory_unlock(h) FROM unnest($1::bigint[], $2::int[]) u(h, times),
            generate_series(1, times))";
    releasePage.sql = R"(
        WITH page AS MATERIALIZED (
            SELECT l.id, l.owner_id, @live AS held FROM @table l
            WHERE ($1::text IS NULL OR l.id > $1) ORDER BY l.id LIMIT $2::bigint),
        locked AS MATERIALIZED (
            SELECT l.id FROM @table l JOIN page ON l.id = page.id
                AND l.owner_id IS NOT DISTINCT FROM page.owner_id
            FOR UPDATE OF l SKIP LOCKED),
        gone AS (DELETE FROM @table l USING locked WHERE l.id = locked.id RETURNING l.id),
        told AS MATERIALIZED (SELECT pg_notify(@channel, 'f') WHERE EXISTS (SELECT FROM gone))
        SELECT page.id, page.owner_id, page.held, gone.id IS NOT NULL, (SELECT count(*) FROM told)
        FROM page LEFT JOIN gone ON gone.id = page.id ORDER BY page.id)";
    releaseOwned.sql = R"(
        WITH locked AS MATERIALIZED (
            SELECT ctid FROM @table WHERE owner_id = $1::text LIMIT $2::bigint
            FOR UPDATE SKIP LOCKED),
        gone AS (
            DELETE FROM @table l WHERE l.ctid = ANY(ARRAY(SELECT ctid FROM locked))
            RETURNING l.id, l.owner_id, @live AS held),
        told AS MATERIALIZED (SELECT pg_notify(@channel, 'f') WHERE EXISTS (SELECT FROM gone))
        SELECT id, owner_id, held, true, (SELECT count(*) FROM told) FROM gone)";
    ownedKeys.sql =
        "SELECT id, count(*) OVER () FROM @table WHERE owner_id = $1::text LIMIT 100";
    releaseSeen.sql = R"(
        WITH gone AS (
            DELETE FROM @table l WHERE l.id = $1::text AND l.owner_id IS NOT DISTINCT FROM $2::text
            RETURNING @live AS held),
        told AS MATERIALIZED (SELECT pg_notify(@channel, $3::text) FROM gone)
        SELECT gone.held, (SELECT count(*) FROM told) FROM gone)";
    advertise.sql = "SELECT pg_advisory_lock_shared(@waiters, h) FROM unnest($1::int[]) h";
    withdraw.sql = "SELECT pg_advisory_unlock_shared(@waiters, h) FROM unnest($1::int[]) h";
    // Who is not a member of pg_read_all_stats sees little of other users' sessions. Triggers go
    // on telling where nobody listens any more once their table or its schema is renamed.
    lookAround.sql = R"(
        SELECT date_part('epoch', clock_timestamp()),
            (SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(@name)
                AND starts_with(tgname, 'lockboard_notify_') AND tgenabled IN ('O', 'A')
                AND tgargs = convert_to(@channel, getdatabaseencoding()) || decode('00', 'hex'))
                = 4,
            k.*
        FROM (SELECT) one LEFT JOIN (
            SELECT l.objid::bigint, l.pid, l.granted, a.application_name,
                coalesce(host(a.client_addr), CASE WHEN a.client_port = -1 THEN 'local' END),
                a.usename, a.state, date_part('epoch', a.xact_start),
                date_part('epoch', a.query_start),
                to_hex(trunc(extract(epoch FROM a.backend_start))::bigint) || '.'
                    || to_hex(a.pid),
                CASE WHEN NOT l.granted THEN array_to_string(pg_blocking_pids(l.pid), ' ') END,
                a.query = '<insufficient privilege>'
            FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objsubid = 1
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            ORDER BY l.granted DESC, a.query_start, l.pid LIMIT 10000) k ON true)";
    listen.sql = "LISTEN " + quotedName(channel);
    for (PostgresStatement* const one :
         {&queue, &wait, &acquire, &takeFree, &takeFreeForSession, &handOver, &releaseHeld,
          &acquireForSession, &allOrNone, &extend, &look, &release, &unlock, &releasePage,
          &releaseOwned, &ownedKeys, &releaseSeen, &advertise, &withdraw, &lookAround})
        one->sql = filled(one->sql.c_str(), table, quotedText(channel));
}

} // namespace lockboard
