// SPDX-License-Identifier: MIT
#include "ui/locks/lock_filter.h"

#include "ui/locks/formatting.h"

#include <algorithm>

namespace lockboard {

using namespace Qt::StringLiterals;

namespace {

//! Reads one term: what stands before a space outside quotes.
class TermReader final {
public:
    explicit TermReader(QStringView text)
        : m_rest(text.trimmed())
    {
    }
    [[nodiscard]] bool atEnd() const { return m_rest.isEmpty(); }

    LockFilter::Term next()
    {
        LockFilter::Term term;
        if (m_rest.size() > 1 && take(u'-'))
            term.exclude = true;
        term.field = takeField();
        if (term.field != LockFilter::Field::Any && take(u'='))
            term.exact = true;
        QString needle;
        bool quoted = false;
        while (!m_rest.isEmpty() && (quoted || !m_rest.front().isSpace())) {
            const QChar c = m_rest.front();
            m_rest = m_rest.mid(1);
            if (c == u'"' && quoted && take(u'"'))
                needle += c; // two of them within quotes are one
            else if (c == u'"')
                quoted = !quoted;
            else
                needle += c;
        }
        m_rest = m_rest.trimmed();
        term.needle = (term.exact ? needle : needle.toLower()).toStdString();
        return term;
    }

private:
    bool take(QChar c)
    {
        if (!m_rest.startsWith(c))
            return false;
        m_rest = m_rest.mid(1);
        return true;
    }
    LockFilter::Field takeField()
    {
        const std::pair<QStringView, LockFilter::Field> fields[] = {
            {u"key:", LockFilter::Field::Key},
            {u"owner:", LockFilter::Field::ByOwner},
            {u"state:", LockFilter::Field::State},
        };
        for (const auto& [name, field] : fields) {
            if (m_rest.startsWith(name, Qt::CaseInsensitive)) {
                m_rest = m_rest.mid(name.size());
                return field;
            }
        }
        return LockFilter::Field::Any;
    }

    QStringView m_rest;
};

bool isAscii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

void lowerAscii(std::string_view text, std::string& out)
{
    out.resize(text.size());
    std::transform(text.begin(), text.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
}

} // namespace

LockFilter LockFilter::parse(const QString& text)
{
    LockFilter filter;
    for (TermReader reader(text); !reader.atEnd();) {
        Term term = reader.next();
        if (!term.needle.empty())
            filter.m_terms.push_back(std::move(term));
    }
    return filter;
}

QString LockFilter::textFor(const lockboard::Owner& owner)
{
    if (!owner)
        return u"state:ownerless"_s;
    const QString name = printableText(*owner);
    const bool needsQuotes =
        std::any_of(name.begin(), name.end(), [](QChar c) { return c.isSpace() || c == u'"'; });
    return needsQuotes ? u"owner:=\""_s + QString(name).replace(u'"', u"\"\""_s) + u'"'
                       : u"owner:="_s + name;
}

bool LockFilter::dependsOnTime() const
{
    return std::any_of(m_terms.begin(), m_terms.end(),
                       [](const Term& term) { return term.field == Field::State; });
}

LockMatcher::LockMatcher(const LockFilter& filter, const LockTable& table, TimePoint now)
    : m_filter(filter)
    , m_table(table)
    , m_now(now)
    , m_owners(filter.terms().size())
{
}

bool LockMatcher::matches(const LockRow& row)
{
    std::size_t index = 0;
    for (const LockFilter::Term& term : m_filter.terms()) {
        if (matches(term, index++, row) == term.exclude)
            return false;
    }
    return true;
}

bool LockMatcher::matches(const LockFilter::Term& term, std::size_t index, const LockRow& row)
{
    switch (term.field) {
    case LockFilter::Field::Key:
        return keyMatches(term, row);
    case LockFilter::Field::ByOwner:
        return ownerMatches(term, index, row.owner);
    case LockFilter::Field::State:
        return stateMatches(term, row);
    case LockFilter::Field::Any:
        break;
    }
    return keyMatches(term, row) || ownerMatches(term, index, row.owner);
}

bool LockMatcher::ownerMatches(const LockFilter::Term& term, std::size_t index, OwnerId owner)
{
    if (owner == noOwner)
        return false;
    auto& known = m_owners[index];
    if (known.empty())
        known.resize(m_table.owners.size(), Known::Unknown);
    if (known[owner] == Known::Unknown) {
        const bool yes = textMatches(term, printable(m_table.owners[owner]));
        known[owner] = yes ? Known::Yes : Known::No;
    }
    return known[owner] == Known::Yes;
}

bool LockMatcher::keyMatches(const LockFilter::Term& term, const LockRow& row)
{
    return row.plain ? textMatches(term, row.key) : textMatches(term, printable(row.key));
}

bool LockMatcher::stateMatches(const LockFilter::Term& term, const LockRow& row) const
{
    const auto is = [&](std::string_view word) {
        return term.exact ? word == term.needle : word.starts_with(term.needle);
    };
    if (row.state == LockState::WrongType)
        return is("wrong-type") || is("not-a-lock");
    if (row.state == LockState::Residue)
        return is("residue") || is("over");
    if (row.state == LockState::Advisory)
        return is("advisory") || is("session");
    if (row.state == LockState::Waiting)
        return is("waiting") || is("session");
    const bool expiring = row.end() && *row.end() - m_now <= expiringSoon;
    return is("held") || (row.owner == noOwner && (is("ownerless") || is("no-owner")))
        || (!row.end() && (is("immortal") || is("never"))) || (expiring && is("expiring"));
}

bool LockMatcher::textMatches(const LockFilter::Term& term, std::string_view text)
{
    if (term.exact)
        return text == term.needle;
    if (!isAscii(term.needle)) {
        return QString::fromUtf8(text.data(), qsizetype(text.size()))
            .contains(QString::fromStdString(term.needle), Qt::CaseInsensitive);
    }
    lowerAscii(text, m_lowered);
    return m_lowered.find(term.needle) != std::string::npos;
}

} // namespace lockboard
