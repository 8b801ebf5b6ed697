// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_trigger.h"

#include "engine/postgres/postgres_template.h"

#include <array>

namespace lockboard {

// What there is of it, perhaps by an earlier name of the table or of its schema.
static const char* const drop = R"(
    former := ARRAY(SELECT tgfoid FROM pg_catalog.pg_trigger WHERE tgrelid = @name::regclass
        AND starts_with(tgname, 'lockboard_notify_'));
    DROP TRIGGER IF EXISTS lockboard_notify_insert ON @table;
    DROP TRIGGER IF EXISTS lockboard_notify_update ON @table;
    DROP TRIGGER IF EXISTS lockboard_notify_delete ON @table;
    DROP TRIGGER IF EXISTS lockboard_notify_truncate ON @table;
)";

// What it says is what release says: f for freed or c for changed, and the key, or only the letter
// where there are many, or one is too long for a notification.
static const char* const create = R"(
    CREATE OR REPLACE FUNCTION @function() RETURNS trigger LANGUAGE plpgsql AS $lockboard$
    DECLARE
        letter text := CASE WHEN TG_OP IN ('DELETE', 'TRUNCATE') THEN 'f' ELSE 'c' END;
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            PERFORM pg_catalog.pg_notify(TG_ARGV[0], letter);
        ELSIF (SELECT count(*) FROM (SELECT FROM changed LIMIT 1001) few) > 1000 THEN
            PERFORM pg_catalog.pg_notify(TG_ARGV[0], letter);
        ELSE
            PERFORM pg_catalog.pg_notify(TG_ARGV[0],
                letter || CASE WHEN octet_length(id) <= 7000 THEN id ELSE '' END) FROM changed;
        END IF;
        RETURN NULL;
    END $lockboard$;
    CREATE TRIGGER lockboard_notify_insert AFTER INSERT ON @table
        REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION @function(@channel);
    CREATE TRIGGER lockboard_notify_update AFTER UPDATE ON @table
        REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION @function(@channel);
    CREATE TRIGGER lockboard_notify_delete AFTER DELETE ON @table
        REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION @function(@channel);
    CREATE TRIGGER lockboard_notify_truncate AFTER TRUNCATE ON @table
        FOR EACH STATEMENT EXECUTE FUNCTION @function(@channel);
)";

// Functions that no trigger calls any more.
static const char* const clean = R"(
    FOR spare IN
        SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p
        WHERE (p.oid = ANY(former) OR p.oid = to_regproc(@called))
            AND starts_with(p.proname, 'lockboard_notify') AND pg_has_role(p.proowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgfoid = p.oid)
    LOOP
        EXECUTE 'DROP FUNCTION ' || spare;
    END LOOP;
)";

// Whoever watches looks anew.
static const char* const tell = "PERFORM pg_notify(@channel, 'c');";

//! One statement: what it does is done as a whole.
static std::string block(const std::string& body)
{
    std::string tag = "$lockboard_do$";
    while (body.find(tag) != std::string::npos)
        tag.insert(1, "_");
    return "DO " + tag + " DECLARE former oid[]; spare text; BEGIN " + body + " END " + tag;
}

template <std::size_t count>
static std::string statement(const std::array<const char*, count>& parts, const std::string& schema,
                             const std::string& table, const std::string& channel)
{
    // A function a table: a schema may have several, with an owner each.
    const std::string name = table.substr(schema.size() + std::string_view(".\"").size());
    const std::string function = schema + ".\"lockboard_notify_" + name;
    std::string body;
    for (const char* const part : parts)
        body += filledIn(part,
                         {{"table", table},
                          {"name", quotedText(table)},
                          {"function", function},
                          {"called", quotedText(function)},
                          {"channel", quotedText(channel)}})
            + ' ';
    return block(body);
}

std::string installTriggerStatement(const std::string& schema, const std::string& table,
                                    const std::string& channel)
{
    return statement(std::array{drop, create, clean, tell}, schema, table, channel);
}

std::string removeTriggerStatement(const std::string& schema, const std::string& table,
                                   const std::string& channel)
{
    return statement(std::array{drop, clean, tell}, schema, table, channel);
}

} // namespace lockboard
