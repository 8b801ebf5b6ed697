// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_trigger.h"

#include <QString>

namespace lockboard {

using namespace Qt::StringLiterals;

static QString filled(const char* text, const std::string& schema, const std::string& table,
                      const std::string& channel)
{
    QString quotedChannel = QString::fromStdString(channel);
    quotedChannel.replace(u'\'', u"''"_s);
    QString sql = QString::fromUtf8(text);
    QString literal = QString::fromStdString(schema);
    literal.replace(u'\'', u"''"_s);
    sql.replace(u"@literal"_s, u'\'' + literal + u".lockboard_notify'"_s);
    sql.replace(u"@function"_s, QString::fromStdString(schema) + u".lockboard_notify"_s);
    sql.replace(u"@channel"_s, u'\'' + quotedChannel + u'\'');
    sql.replace(u"@table"_s, QString::fromStdString(table));
    return sql;
}

//! Within a DO block, so that it is one statement.
static std::string block(const QString& body)
{
    return (u"DO $lockboard_do$ BEGIN "_s + body.simplified() + u" END $lockboard_do$"_s)
        .toStdString();
}

static const char* const drop = R"(
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

// The function serves every table of its schema.
static const char* const dropFunction = R"(
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = to_regproc(@literal)) THEN
        DROP FUNCTION IF EXISTS @function();
    END IF;
)";

// Whoever watches looks anew.
static const char* const tell = "PERFORM pg_notify(@channel, 'c');";

std::string installTriggerStatement(const std::string& schema, const std::string& table,
                                    const std::string& channel)
{
    QString all;
    for (const char* const part : {drop, create, tell})
        all += filled(part, schema, table, channel);
    return block(all);
}

std::string removeTriggerStatement(const std::string& schema, const std::string& table,
                                   const std::string& channel)
{
    QString all;
    for (const char* const part : {drop, dropFunction, tell})
        all += filled(part, schema, table, channel);
    return block(all);
}

} // namespace lockboard
