// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/lock_store.h"

#include <QString>

namespace lockboard {

//! What the filter field says: plain words match the key or the owner, `key:`, `owner:` and
//! `state:` one of them, `=` after the colon the whole of it, a leading `-` excludes, quotes keep
//! spaces, and within them two quotes are one. Words must all match, whatever their case. There is
//! no wrong input: what is no field is a word, as in `svc:a`.
class LockFilter final {
public:
    LockFilter() = default;
    [[nodiscard]] static LockFilter parse(const QString& text);
    //! The text that finds exactly this owner's locks, or the ownerless ones.
    [[nodiscard]] static QString textFor(const Owner& owner);

    [[nodiscard]] bool isEmpty() const { return m_terms.empty(); }
    //! Whether what matches changes as time goes by.
    [[nodiscard]] bool dependsOnTime() const;

    enum class Field : std::uint8_t { Any, Key, ByOwner, State };
    class Term final {
    public:
        Field field = Field::Any;
        bool exclude = false;
        bool exact = false;
        std::string needle; //!< UTF-8, in lower case unless it is exact
        bool operator==(const Term&) const = default;
    };
    [[nodiscard]] const std::vector<Term>& terms() const { return m_terms; }
    bool operator==(const LockFilter&) const = default;

private:
    std::vector<Term> m_terms;
};

//! The filter at work on one table at one time. Remembers what it found of each owner. Any thread.
class LockMatcher final {
public:
    LockMatcher(const LockFilter& filter, const LockTable& table, TimePoint now);
    [[nodiscard]] bool matches(const LockRow& row);

private:
    enum class Known : std::uint8_t { Unknown, Yes, No };
    [[nodiscard]] bool matches(const LockFilter::Term& term, std::size_t index, const LockRow& row);
    [[nodiscard]] bool ownerMatches(const LockFilter::Term& term, std::size_t index, OwnerId owner);
    [[nodiscard]] bool keyMatches(const LockFilter::Term& term, const LockRow& row);
    [[nodiscard]] bool stateMatches(const LockFilter::Term& term, const LockRow& row) const;
    [[nodiscard]] bool textMatches(const LockFilter::Term& term, std::string_view text);

    const LockFilter& m_filter;
    const LockTable& m_table;
    TimePoint m_now;
    std::vector<std::vector<Known>> m_owners; // by term, by owner
    std::string m_lowered;
};

} // namespace lockboard
