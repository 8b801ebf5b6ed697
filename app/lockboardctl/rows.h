// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"
#include "engine/contract/safe_json.h"

#include <QJsonObject>

#include <set>

namespace lockboard::ctl {

//! A lock, and what is known of it beside its row where it is an advisory one.
class Listed final {
public:
    explicit Listed(Lock l)
        : lock(std::move(l))
    {
    }
    //! The keys that its hash may stand for: the only one becomes its key.
    void setNames(std::vector<std::string> candidates);
    [[nodiscard]] std::string shownKey() const;
    [[nodiscard]] const std::string& sortKey() const
    {
        return names.empty() ? lock.key : names.front();
    }

    Lock lock;
    std::uint32_t hash = 0;
    std::vector<std::string> names; //!< if there are several
    std::set<std::int64_t> holders; //!< of what it waits for
};

//! `{"provider","key","owner","ttlMs","state"}`, owner and ttlMs null where there is none; "token",
//! "note" and "session" where they are known.
[[nodiscard]] QJsonObject lockObject(const std::string& provider, const Listed& listed,
                                     TimePoint now);

//! Lines in columns, the last one free. Widths grow with what is measured before the first row.
class Table final {
public:
    using Row = std::vector<QString>;

    void measure(const Row& row);
    void write(const Row& row) const;

private:
    std::vector<qsizetype> m_widths;
};

[[nodiscard]] Table::Row lockRow(const Listed& listed, TimePoint now);

} // namespace lockboard::ctl
