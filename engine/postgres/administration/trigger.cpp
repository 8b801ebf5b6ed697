// SPDX-License-Identifier: MIT
#include "engine/postgres/administration/trigger.h"

#include "engine/postgres/wire/template.h"

#include <array>

namespace lockboard::postgres {

// What there is of it, perhaps by an earlier name of the table or of its schema.
static const char* const drop = R"(
    former := ARRAY(SELECT t.tgfoid FROM pg_catalog.pg_trigger t
        WHERE t.tgrelid @eq @name::pg_catalog.regclass
            AND pg_catalog.starts_with(t.tgname::@text, 'lockboard_notify_'));
    DROP TRIGGER IF EXISTS lockboard_notify_insert ON @table;
    DROP TRIGGER IF EXISTS lockboard_notify_update ON @table;
    DROP TRIGGER IF EXISTS lockboard_notify_delete ON @table;
    DROP TRIGGER IF EXISTS lockboard_notify_truncate ON @table;
)";

// What it says is what release says: f for freed or c for changed, and the key, or only the letter
// where there are many, or one is too long for a notification. It runs as whoever changes the
// table, whatever their search path. A function of that name which is somebody else's would stay
// theirs to change once it is replaced, so it is in the way.
static const char* const create = R"(
    IF EXISTS (
        SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_roles r ON r.oid @eq p.proowner
            JOIN pg_catalog.pg_class c ON c.oid @eq @name::pg_catalog.regclass
        WHERE p.oid @eq pg_catalog.to_regprocedure(@called) AND NOT r.rolsuper
            AND NOT r.oid @eq c.relowner AND NOT r.rolname @eq CURRENT_USER) THEN
        RAISE insufficient_privilege USING MESSAGE =
            'the function ' @cat @called @cat ' belongs to neither this user nor '
            @cat 'the owner of the table, and is to be dropped first';
    END IF;
    CREATE OR REPLACE FUNCTION @function() RETURNS pg_catalog.trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp AS $lockboard$
    DECLARE
        letter @text := CASE WHEN TG_OP @eq 'DELETE' OR TG_OP @eq 'TRUNCATE' THEN 'f' ELSE 'c' END;
    BEGIN
        IF TG_OP @eq 'TRUNCATE' THEN
            PERFORM pg_catalog.pg_notify(TG_ARGV[0], letter);
        ELSIF (SELECT pg_catalog.count(*) FROM (SELECT FROM changed LIMIT 1001) few) @gt 1000 THEN
            PERFORM pg_catalog.pg_notify(TG_ARGV[0], letter);
        ELSE
            PERFORM pg_catalog.pg_notify(TG_ARGV[0], letter @cat
                CASE WHEN pg_catalog.octet_length(c.id) @le 7000 THEN c.id ELSE '' END)
                FROM changed c;
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
        SELECT pg_catalog.format('%I.%I()', n.nspname, p.proname)
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid @eq p.pronamespace
        WHERE (p.oid @eq ANY(former) OR p.oid @eq pg_catalog.to_regprocedure(@called))
            AND p.pronargs @eq 0
            AND pg_catalog.starts_with(p.proname::@text, 'lockboard_notify')
            AND pg_catalog.pg_has_role(p.proowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgfoid @eq p.oid)
    LOOP
        EXECUTE 'DROP FUNCTION ' @cat spare;
    END LOOP;
)";

// Whoever watches looks anew.
static const char* const tellAll = "PERFORM pg_catalog.pg_notify(@channel, 'c');";

//! One statement: what it does is done as a whole.
static std::string block(const std::string& body)
{
    std::string tag = "$lockboard_do$";
    while (body.find(tag) != std::string::npos)
        tag = "$_" + tag.substr(1);
    return "DO " + tag + " DECLARE former pg_catalog.oid[]; spare pg_catalog.text; BEGIN " + body
        + " END " + tag;
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
        body += filledIn(qualified(part),
                         {{"table", table},
                          {"name", quotedText(table)},
                          {"function", function},
                          {"called", quotedText(function + "()")},
                          {"channel", quotedText(channel)}})
            + ' ';
    return block(body);
}

std::string installTriggerStatement(const std::string& schema, const std::string& table,
                                    const std::string& channel)
{
    return statement(std::array{drop, create, clean, tellAll}, schema, table, channel);
}

std::string removeTriggerStatement(const std::string& schema, const std::string& table,
                                   const std::string& channel)
{
    return statement(std::array{drop, clean, tellAll}, schema, table, channel);
}

} // namespace lockboard::postgres
