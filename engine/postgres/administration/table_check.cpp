// SPDX-License-Identifier: MIT
#include "engine/postgres/administration/table_check.h"

#include "engine/postgres/wire/template.h"

#include <algorithm>
#include <array>

namespace lockboard::postgres {

//! Of an answer's row. That of the table has no name; its type says what it is instead, its note
//! what is done besides when it changes.
enum Column { Name, Type, Size, NotNull, Computed, Filled, Unique, Note, ColumnsEnd };

std::string tableQuestion()
{
    return qualified(R"(
        SELECT a.attname, pg_catalog.format_type(coalesce(b.oid, t.oid), NULL),
            coalesce(CASE WHEN a.atttypmod @gt 0 THEN a.atttypmod END,
                CASE WHEN t.typtypmod @gt 0 THEN t.typtypmod END) @minus 4,
            a.attnotnull OR t.typnotnull,
            NOT a.attgenerated @eq '' OR a.attidentity @eq 'a',
            a.atthasdef OR NOT a.attidentity @eq '',
            EXISTS (SELECT FROM pg_catalog.pg_index i
                WHERE i.indrelid @eq a.attrelid AND i.indisunique AND i.indisvalid
                    AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts @eq 1
                    AND i.indkey[0] @eq a.attnum),
            NULL
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid @eq a.atttypid
            LEFT JOIN pg_catalog.pg_type b ON t.typtype @eq 'd' AND b.oid @eq t.typbasetype
        WHERE a.attrelid @eq pg_catalog.to_regclass($1::@text) AND a.attnum @gt 0
            AND NOT a.attisdropped
        UNION ALL
        SELECT NULL, c.relkind::@text, NULL, NULL, NULL, NULL, NULL,
            pg_catalog.concat_ws(', ',
                CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger g
                    WHERE g.tgrelid @eq c.oid AND NOT g.tgisinternal
                        AND NOT pg_catalog.starts_with(g.tgname::@text, 'lockboard_notify_'))
                    THEN 'triggers' END,
                CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_rewrite r
                    WHERE r.ev_class @eq c.oid AND NOT r.rulename @eq '_RETURN') THEN 'rules' END,
                CASE WHEN c.relrowsecurity THEN 'row security' END)
        FROM pg_catalog.pg_class c WHERE c.oid @eq pg_catalog.to_regclass($1::@text))");
}

namespace {

struct Needed {
    std::string_view name;
    std::string_view type;
};

constexpr std::array<Needed, 3> neededColumns{
    {{"id", "text"}, {"owner_id", "text"}, {"expiration", "timestamp with time zone"}}};

std::string_view kindOf(std::string_view letter)
{
    if (letter == "v")
        return "a view";
    if (letter == "m")
        return "a materialized view";
    if (letter == "f")
        return "a foreign table";
    if (letter == "S")
        return "a sequence";
    if (letter == "i" || letter == "I")
        return "an index";
    return letter == "r" || letter == "p" ? std::string_view() : "something else";
}

class Examination final {
public:
    Examination(const Result& answer, const std::string& table)
        : m_answer(answer)
        , m_table(table)
    {
    }

    std::vector<Finding> findings()
    {
        for (const Needed& needed : neededColumns) {
            const int row = rowOf(needed.name);
            if (row < 0)
                problem("has no column \"" + std::string(needed.name) + "\"; it must be of type "
                        + std::string(needed.type));
            else
                examine(row, needed);
        }
        for (int row = 0; row < m_answer.rows(); ++row) {
            if (m_answer.isNull(row, Name))
                examineTable(row);
            else if (!isNeeded(m_answer.text(row, Name)) && m_answer.isTrue(row, NotNull)
                     && !m_answer.isTrue(row, Filled) && !m_answer.isTrue(row, Computed))
                problem("wants a value for the column \"" + printable(m_answer.text(row, Name))
                        + "\", which locks do not have: none can be taken");
        }
        return std::move(m_findings);
    }

private:
    void problem(const std::string& what)
    {
        m_findings.emplace_back(Finding::Problem, "The table " + m_table + ' ' + what + '.');
    }

    static bool isNeeded(std::string_view name)
    {
        return std::ranges::any_of(neededColumns,
                                   [&](const Needed& one) { return one.name == name; });
    }

    [[nodiscard]] int rowOf(std::string_view name) const
    {
        for (int row = 0; row < m_answer.rows(); ++row) {
            if (!m_answer.isNull(row, Name) && m_answer.text(row, Name) == name)
                return row;
        }
        return -1;
    }

    void examine(int row, const Needed& needed)
    {
        const std::string column = "the column \"" + std::string(needed.name) + '"';
        const std::string_view type = m_answer.text(row, Type);
        const bool isText = needed.type == "text";
        if (type != needed.type && !(isText && type == "character varying"))
            problem("has " + column + " of type " + printableStart(type) + "; it must be "
                    + std::string(needed.type));
        else if (isText && !m_answer.isNull(row, Size))
            problem("has " + column + " of type " + printable(type) + '('
                    + printable(m_answer.text(row, Size))
                    + "), which longer texts do not fit into; it must be text");
        if (m_answer.isTrue(row, Computed))
            problem("computes " + column + " itself, so that no lock can be written");
        if (needed.name == "id" && !m_answer.isTrue(row, Unique))
            problem("has no primary key or unique index on " + column
                    + " alone, without which no lock can be taken");
        if (needed.name == "owner_id" && m_answer.isTrue(row, NotNull))
            problem("has " + column + " NOT NULL: no lock without owner can be taken");
        if (needed.name == "expiration" && m_answer.isTrue(row, NotNull))
            problem("has " + column + " NOT NULL: no lock without lease can be taken");
    }

    void examineTable(int row)
    {
        const std::string_view kind = kindOf(m_answer.text(row, Type));
        if (!kind.empty())
            m_findings.emplace_back(Finding::Problem,
                                    m_table + " is " + std::string(kind)
                                        + ", not a table: locks can't be kept in it.");
        if (!m_answer.text(row, Note).empty())
            m_findings.emplace_back(Finding::Note,
                                    "The table " + m_table + " has "
                                        + printable(m_answer.text(row, Note))
                                        + " that are not Lockboard's: they may change or refuse "
                                          "what is written, and run as this user.");
    }

    const Result& m_answer;
    const std::string& m_table;
    std::vector<Finding> m_findings;
};

} // namespace

std::vector<Finding> tableFindings(const Result& answer, const std::string& table)
{
    return Examination(answer, table).findings();
}

} // namespace lockboard::postgres
