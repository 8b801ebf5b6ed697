// SPDX-License-Identifier: MIT
#include "tests/postgres/qualified_sql.h"

#include <QRegularExpression>
#include <QSet>

using namespace Qt::StringLiterals;

namespace lockboard::test {

namespace {

struct Token {
    enum Kind { Word, Quoted, Text, Number, Sign } kind;
    QString text; //!< of a Text, what it holds
};

QList<Token> tokensOf(QString sql)
{
    static const QRegularExpression own(uR"(OPERATOR\(pg_catalog\.[^)]+\))"_s);
    sql.replace(own, u" \u00b7 "_s); // one of the server's
    static const QRegularExpression token(
        uR"((?<dollar>\$(?<tag>[a-z_]+)\$(?<body>.*?)\$\k<tag>\$)|(?<text>'(?:[^']|'')*')|)"
        uR"((?<quoted>"(?:[^"]|"")*")|(?<word>[A-Za-z_][A-Za-z_0-9]*)|(?<number>\$?[0-9][0-9e.]*)|)"
        uR"((?<sign>::|:=|[-+*/<>=~!@#%^&|`?]+|[^\s]))"_s,
        QRegularExpression::DotMatchesEverythingOption);
    QList<Token> tokens;
    for (QRegularExpressionMatchIterator at = token.globalMatch(sql); at.hasNext();) {
        const QRegularExpressionMatch match = at.next();
        if (match.hasCaptured(u"dollar"_s))
            tokens.append({Token::Text, match.captured(u"body"_s)});
        else if (match.hasCaptured(u"text"_s))
            tokens.append({Token::Text,
                           match.captured(u"text"_s).mid(1).chopped(1).replace(u"''"_s, u"'"_s)});
        else if (match.hasCaptured(u"quoted"_s))
            tokens.append({Token::Quoted, match.captured(u"quoted"_s)});
        else if (match.hasCaptured(u"word"_s))
            tokens.append({Token::Word, match.captured(u"word"_s)});
        else if (match.hasCaptured(u"number"_s))
            tokens.append({Token::Number, match.captured(u"number"_s)});
        else
            tokens.append({Token::Sign, match.captured(u"sign"_s)});
    }
    return tokens;
}

class Reading final {
public:
    explicit Reading(const QString& sql)
        : m_tokens(tokensOf(sql))
    {
        for (qsizetype i = 0; i + 1 < m_tokens.size(); ++i) {
            if (m_tokens[i].kind == Token::Word && word(i + 1) == u"AS")
                m_own += m_tokens[i].text;
        }
    }

    std::vector<std::string> faults()
    {
        for (m_at = 0; m_at < m_tokens.size(); ++m_at) {
            const Token& token = m_tokens[m_at];
            if (token.kind == Token::Sign)
                readSign(token.text);
            else if (token.kind == Token::Word)
                readWord(token.text);
            else if (token.kind == Token::Text)
                readText(token.text);
        }
        return std::move(m_faults);
    }

private:
    [[nodiscard]] QString text(qsizetype at) const
    {
        return at >= 0 && at < m_tokens.size() && m_tokens[at].kind != Token::Text
            ? m_tokens[at].text
            : QString();
    }
    [[nodiscard]] QString word(qsizetype at) const { return text(at).toUpper(); }
    void fault(const QString& what) { m_faults.push_back(what.toStdString()); }

    void readSign(const QString& sign)
    {
        if (sign == u"(")
            ++m_depth;
        if (sign == u")")
            --m_depth;
        static const QString harmless = u"()[],.;:\u00b7"_s;
        if (sign.size() == 1 && harmless.contains(sign))
            return;
        if (sign == u"::" || sign == u":=")
            return sign == u"::" ? readType(m_at + 1) : void();
        if (sign == u"*"
            && (text(m_at - 1) == u"(" || text(m_at - 1) == u"." || word(m_at - 1) == u"SELECT"))
            return;
        if (sign == u"-" && text(m_at - 1) == u"("
            && m_tokens.value(m_at + 1).kind == Token::Number)
            return;
        if (sign == u"=" && (m_depth == m_assigning || word(m_at - 1) == u"MESSAGE"))
            return;
        fault(sign);
    }

    void readType(qsizetype at)
    {
        static const QSet<QString> grammars{u"BIGINT"_s, u"INT"_s, u"BOOLEAN"_s};
        if (!grammars.contains(word(at)) && word(at) != u"PG_CATALOG")
            fault(u"::"_s + text(at));
    }

    void readText(const QString& body)
    {
        const bool isCode = word(m_at - 1) == u"DO" || word(m_at - 1) == u"AS";
        if (!isCode)
            return;
        for (const std::string& one : unqualifiedIn(body.toStdString()))
            m_faults.push_back(one);
    }

    void readWord(const QString& said)
    {
        const QString keyword = said.toUpper();
        if (keyword == u"SET" && word(m_at - 1) != u"RESET")
            m_assigning = m_depth;
        static const QSet<QString> ends{u"WHERE"_s, u"FROM"_s, u"RETURNING"_s};
        if (ends.contains(keyword) && m_depth == m_assigning)
            m_assigning = -1;
        static const QSet<QString> byName{u"LIKE"_s,   u"ILIKE"_s,   u"BETWEEN"_s,
                                          u"NULLIF"_s, u"SIMILAR"_s, u"NATURAL"_s};
        if (byName.contains(keyword))
            fault(keyword);
        if (keyword == u"IN" && word(m_at - 2) != u"FOR")
            fault(keyword);
        if (keyword == u"DISTINCT" && word(m_at + 1) == u"FROM")
            fault(u"IS DISTINCT FROM"_s);
        if (keyword == u"CASE" && word(m_at + 1) != u"WHEN")
            fault(u"CASE of a value"_s);
        if (keyword == u"FROM" || keyword == u"JOIN"
            || (keyword == u"USING" && word(m_at + 1) != u"MESSAGE"))
            readSource(m_at + 1);
        if (text(m_at + 1) == u"(" && text(m_at - 1) != u".")
            readCall(keyword);
        if (text(m_at - 1) == u"." && text(m_at + 1) == u"(" && word(m_at - 2) != u"PG_CATALOG"
            && m_tokens.value(m_at - 2).kind != Token::Quoted)
            fault(text(m_at - 2) + u'.' + said + u"()"_s);
    }

    void readSource(qsizetype at)
    {
        if (m_tokens.value(at).kind != Token::Word || text(at + 1) == u".")
            return;
        static const QSet<QString> known{u"ROWS"_s, u"CHANGED"_s};
        if (!known.contains(word(at)) && !m_own.contains(text(at)))
            fault(u"FROM "_s + text(at));
    }

    void readCall(const QString& name)
    {
        static const QSet<QString> grammar{
            u"SELECT"_s,       u"EXISTS"_s, u"ANY"_s,   u"COALESCE"_s, u"LEAST"_s,  u"EXTRACT"_s,
            u"FROM"_s,         u"AND"_s,    u"OR"_s,    u"NOT"_s,      u"WHERE"_s,  u"WHEN"_s,
            u"THEN"_s,         u"VALUES"_s, u"ARRAY"_s, u"OVER"_s,     u"FILTER"_s, u"AS"_s,
            u"CONFLICT"_s,     u"COPY"_s,   u"IF"_s,    u"ELSIF"_s,    u"JOIN"_s,   u"ON"_s,
            u"MATERIALIZED"_s, u"ELSE"_s,   u"BY"_s};
        // The columns of an alias.
        const bool isAlias =
            word(m_at - 1) == u"ORDINALITY" || text(m_at - 1) == u")" || word(m_at - 1) == u"AS";
        if (!grammar.contains(name) && !isAlias)
            fault(text(m_at) + u"()"_s);
    }

    QList<Token> m_tokens;
    QSet<QString> m_own;
    qsizetype m_at = 0;
    int m_depth = 0;
    int m_assigning = -1;
    std::vector<std::string> m_faults;
};

QString listed(const QSet<QString>& words)
{
    QStringList quoted;
    for (const QString& one : words)
        quoted += u'\'' + one + u'\'';
    return u"ARRAY["_s + quoted.join(u", ") + u"]::text[]"_s;
}

} // namespace

std::vector<std::string> unqualifiedIn(const std::string& sql)
{
    return Reading(QString::fromStdString(sql)).faults();
}

std::string shadowsOf(const QStringList& statements)
{
    static const QRegularExpression call(uR"(\b([a-z_][a-z_0-9]*)\()"_s);
    static const QRegularExpression sign(uR"([-+*/<>=~!%^|]+)"_s);
    static const QRegularExpression type(uR"(::(?:pg_catalog\.)?"?([a-z]+))"_s);
    static const QRegularExpression table(uR"(\b(pg_[a-z_]+)\b)"_s);
    QSet<QString> functions, signs{u"="_s, u"<>"_s, u"~~"_s, u"<"_s, u">"_s, u"<="_s, u">="_s},
        types, tables;
    const auto collect = [](const QString& sql, const QRegularExpression& what,
                            QSet<QString>& into) {
        for (QRegularExpressionMatchIterator at = what.globalMatch(sql); at.hasNext();)
            into += at.next().captured(what.captureCount());
    };
    for (const QString& sql : statements) {
        collect(sql, call, functions);
        collect(sql, sign, signs);
        collect(sql, type, types);
        collect(sql, table, tables);
    }
    // A name that the server does not know is no name of a function, say.
    return u"DO $make$ DECLARE called text[] := @called@; signs text[] := @signs@; types text[] := "
           u"@types@; "
           "tables text[] := @tables@; one record; way record; args text; BEGIN "
           "CREATE FUNCTION public.noted_view(what text) RETURNS bool LANGUAGE plpgsql VOLATILE AS "
           "$$BEGIN RAISE LOG 'shadowed: %', what; RETURN true; END$$; "
           // Functions: for each of the server's, more exact types too.
           "FOR one IN SELECT p.* FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace "
           "AND p.proname = ANY(called) AND p.prokind = 'f' AND p.pronargs < 4 LOOP "
           "FOR way IN WITH RECURSIVE ways(n, made) AS (SELECT 0, ''::text UNION ALL "
           "SELECT n + 1, made || CASE WHEN n > 0 THEN ', ' ELSE '' END || t FROM ways, "
           "unnest(CASE (one.proargtypes::oid[])[n]::regtype::text "
           "WHEN 'text' THEN '{text,name,varchar}' WHEN 'anyarray' THEN "
           "'{text[],bigint[],int[],oid[]}' "
           "WHEN 'anyelement' THEN '{text,bigint,int}' WHEN 'numeric' THEN '{numeric,bigint,int}' "
           "WHEN 'double precision' THEN '{float8,numeric,bigint,int}' "
           "WHEN 'bigint' THEN '{bigint,int,oid}' WHEN 'integer' THEN '{int,bigint,oid}' "
           "WHEN 'oid' THEN '{oid,int,bigint}' WHEN '\"any\"' THEN '{text,bigint}' "
           "ELSE ARRAY[(one.proargtypes::oid[])[n]::regtype::text]::text END::text[]) t "
           "WHERE n < one.pronargs) SELECT made FROM ways WHERE n = one.pronargs LOOP "
           "BEGIN EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS "
           "$b$BEGIN RAISE LOG %L; RETURN%s; END$b$', one.proname, way.made, "
           "CASE WHEN one.proretset THEN 'SETOF ' ELSE '' END || CASE "
           "one.prorettype::regtype::text "
           "WHEN 'anyelement' THEN CASE WHEN way.made LIKE 'text%' THEN 'text' "
           "WHEN way.made LIKE 'int%' THEN 'int' WHEN way.made LIKE 'oid%' THEN 'oid' ELSE "
           "'bigint' END "
           "ELSE one.prorettype::regtype::text END, "
           "format('shadowed: %s(%s)', one.proname, way.made), "
           "CASE WHEN one.proretset OR one.prorettype = 'void'::regtype THEN '' ELSE ' NULL' END); "
           "EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END LOOP; "
           // Aggregates.
           "CREATE FUNCTION public.noted_count(bigint) RETURNS bigint LANGUAGE plpgsql AS "
           "$$BEGIN RAISE LOG 'shadowed: count(*)'; RETURN 1; END$$; "
           "CREATE AGGREGATE public.count(*) (SFUNC = public.noted_count, STYPE = bigint); "
           "FOREACH args IN ARRAY '{text,int,bigint,numeric,float8}'::text[] LOOP "
           "EXECUTE format('CREATE FUNCTION public.noted_step(%1$s, %1$s) RETURNS %1$s LANGUAGE "
           "plpgsql "
           "AS $b$BEGIN RAISE LOG ''shadowed: max or min''; RETURN $1; END$b$', args); "
           "EXECUTE format('CREATE AGGREGATE public.max(%1$s) (SFUNC = public.noted_step, STYPE = "
           "%1$s)', args); "
           "EXECUTE format('CREATE AGGREGATE public.min(%1$s) (SFUNC = public.noted_step, STYPE = "
           "%1$s)', args); END LOOP; "
           // Operators: for all pairs of these types.
           "FOR one IN SELECT l, r, CASE WHEN r = 'interval' AND l <> 'timestamptz' THEN r ELSE l "
           "END "
           "AS result FROM "
           "unnest('{text,name,varchar,int2,int,bigint,numeric,float8,oid,regclass,xid,"
           "tid,bool,\"\\\"char\\\"\",timestamptz,timestamp,interval,bytea}'::text[]) l, "
           "unnest('{text,name,varchar,int2,int,bigint,numeric,float8,oid,regclass,xid,tid,bool,"
           "\"\\\"char\\\"\",timestamptz,timestamp,interval,bytea}'::text[]) r LOOP "
           "EXECUTE format('CREATE FUNCTION public.noted_test(%1$s, %2$s) RETURNS bool LANGUAGE "
           "plpgsql "
           "AS $b$BEGIN RAISE LOG %3$L; RETURN NULL; END$b$', one.l, one.r, "
           "format('shadowed: operator of %s and %s', one.l, one.r)); "
           "EXECUTE format('CREATE FUNCTION public.noted_sum(%1$s, %2$s) RETURNS %4$s LANGUAGE "
           "plpgsql "
           "AS $b$BEGIN RAISE LOG %3$L; RETURN NULL; END$b$', one.l, one.r, "
           "format('shadowed: operator of %s and %s', one.l, one.r), one.result); "
           "FOREACH args IN ARRAY signs LOOP "
           "CONTINUE WHEN NOT EXISTS (SELECT FROM pg_operator WHERE oprname = args); "
           "EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.%s, LEFTARG = %s, "
           "RIGHTARG = "
           "%s)', args, CASE WHEN args ~ '[<>=~]' THEN 'noted_test' ELSE 'noted_sum' END, one.l, "
           "one.r); "
           "END LOOP; END LOOP; "
           // Types and views.
           "FOR one IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace "
           "AND typname = ANY(types) AND typname <> 'char' LOOP "
           "EXECUTE format('CREATE DOMAIN public.%1$I AS pg_catalog.%1$I CHECK "
           "(public.noted_view(%2$L))', one.typname, one.typname); END LOOP; "
           "FOR one IN SELECT relname FROM pg_class WHERE relnamespace = "
           "'pg_catalog'::regnamespace "
           "AND relname = ANY(tables) LOOP "
           "BEGIN EXECUTE format('CREATE VIEW public.%1$I AS SELECT * FROM pg_catalog.%1$I WHERE "
           "public.noted_view(%2$L)', one.relname, one.relname); "
           "EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $make$"_s
               .replace(u"@called@"_s, listed(functions))
               .replace(u"@signs@"_s, listed(signs))
               .replace(u"@types@"_s, listed(types))
               .replace(u"@tables@"_s, listed(tables))
               .toStdString();
}

} // namespace lockboard::test
