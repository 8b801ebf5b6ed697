// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <deque>
#include <map>

namespace lockboard::postgres {

//! A row of a table of locks, as it was last read.
class Row final {
public:
    enum State : std::uint8_t {
        New, //!< not looked at yet
        Held,
        Residue, //!< its lease is over, and nobody has cleaned up
    };
    //! Milliseconds of the server's clock.
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    [[nodiscard]] bool isOwnedBy(std::string_view name, bool isOwned) const
    {
        return owned == isOwned && owner == name;
    }

    std::string key;
    std::string owner;
    std::int64_t expiration = never;
    TimePoint leaseEnd; //!< the same on our clock, if it ends
    FencingToken token = 0; //!< 0: none is known
    std::uint32_t hash = 0; //!< Medusa's, of the key
    std::uint32_t seen = 0; //!< by which reading
    State state = New;
    bool owned = false;
    bool alive = false;

private:
    friend class Rows;
    std::uint32_t m_place = 0; // in its slot of m_due
    std::int64_t m_tick = -1;
};

//! The rows of one table, found by key or by Medusa's hash of it, and by when they are to be looked
//! at again. Made for a million: no allocation a row but for long texts, and no timer.
class Rows final {
public:
    using Id = std::uint32_t;
    static constexpr Id none = ~Id(0);

    Rows();

    [[nodiscard]] Row& operator[](Id id) { return m_rows[id]; }
    [[nodiscard]] const Row& operator[](Id id) const { return m_rows[id]; }
    [[nodiscard]] Id find(std::string_view key, std::uint32_t hash) const;
    Id insert(std::string_view key, std::uint32_t hash);
    void remove(Id id);
    //! All rows of one hash, one after the other; none: there are no more.
    [[nodiscard]] Id firstOf(std::uint32_t hash) const;
    [[nodiscard]] Id nextOf(Id id) const;
    [[nodiscard]] std::size_t size() const { return m_size; }
    //! Ids are below; some may not be alive.
    [[nodiscard]] Id slots() const { return static_cast<Id>(m_rows.size()); }

    //! When the row is to be looked at; none: not at all.
    void setDue(Id id, std::optional<TimePoint> when);
    //! When the first of them is.
    [[nodiscard]] std::optional<TimePoint> nextDue() const;
    //! Those that are due by now, some of them; they are forgotten.
    [[nodiscard]] std::vector<std::string> takeDue(TimePoint now, std::size_t most);

private:
    // Few cache lines are touched if the hash stands beside the id.
    struct Entry {
        std::uint32_t hash = 0;
        Id id = none;
    };

    [[nodiscard]] std::size_t homeOf(std::uint32_t hash) const;
    [[nodiscard]] std::size_t after(std::size_t place) const
    {
        return (place + 1) & (m_index.size() - 1);
    }
    [[nodiscard]] std::size_t placeOf(Id id) const;
    //! The first of this hash from there on.
    [[nodiscard]] Id searchFrom(std::size_t place, std::uint32_t hash) const;
    void enter(Entry entry);
    void grow();

    std::deque<Row> m_rows;
    std::vector<Entry> m_index; // by hash: a power of two, at most half full
    std::vector<Id> m_free;
    std::size_t m_size = 0;
    // Slots of some milliseconds each.
    std::map<std::int64_t, std::vector<Id>> m_due;
};

} // namespace lockboard::postgres
