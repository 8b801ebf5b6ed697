// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/live_view.h"
#include "ui/locks/cow_vector.h"
#include "ui/locks/id_index.h"

#include <limits>
#include <map>

namespace lockboard {

using RowId = std::uint32_t;
using OwnerId = std::uint32_t;
inline constexpr OwnerId noOwner = 0;

//! One lock, as lean as a list of a million asks for.
class LockRow final {
public:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    [[nodiscard]] std::optional<TimePoint> end() const;
    [[nodiscard]] bool isOfSession() const
    {
        return state == LockState::Advisory || state == LockState::Waiting;
    }
    [[nodiscard]] bool isReleasable() const
    {
        return state == LockState::Held || state == LockState::Residue;
    }

    std::string key; //!< bytes
    std::int64_t leaseEnd = never; //!< ticks of the monotonic clock; what is sorted by
    OwnerId owner = noOwner;
    std::uint32_t epoch = 0; //!< the snapshot that saw it last
    std::uint16_t detail = 0;
    LockState state = LockState::Held;
    bool alive = false;
    bool plain = true; //!< the key's bytes are fit to be shown as they are
    std::uint64_t sighting = 0; //!< another number for each grant that was told, also of one key
    HolderNote note;
    FencingToken token = 0; //!< 0: none is known
};

//! The locks as plain data. A copy is cheap, and a worker may read it on its own thread.
class LockTable final {
public:
    CowVector<LockRow> rows; //!< by RowId; some may not be alive
    CowVector<std::string> owners; //!< by OwnerId; [noOwner] is empty
    CowVector<std::string, 16> details; //!< what lies under a key that is no lock
};

//! The locks of one provider, with owners stored once and counted. GUI thread.
class LockStore final {
public:
    LockStore();
    LockStore(const LockStore&) = delete;
    LockStore& operator=(const LockStore&) = delete;

    enum class Effect : std::uint8_t { Nothing, Touched, Added };

    //! Adds or brings up to date, and marks as seen in this epoch. `anew`: it is known to be
    //! another grant than the one that is listed.
    Effect upsert(const Lock& lock, std::uint32_t epoch, bool anew = false);
    bool remove(const Lock& lock);
    bool remove(const std::string& key) { return remove(Lock(key, {})); }
    void removeRow(RowId id);
    //! Ids of removed rows may serve again: nobody refers to them any more.
    void reclaim();

    [[nodiscard]] const LockTable& table() const { return m_table; }
    [[nodiscard]] const LockRow& row(RowId id) const { return m_table.rows[id]; }
    [[nodiscard]] bool isAlive(RowId id) const { return m_alive[id] != 0; }
    [[nodiscard]] const std::string& ownerName(OwnerId id) const { return m_table.owners[id]; }
    [[nodiscard]] std::uint64_t ownerCount(OwnerId id) const { return m_ownerCounts[id]; }
    //! How many locks it holds; without an owner: how many are held so.
    [[nodiscard]] std::uint64_t countOf(const Owner& owner) const;
    [[nodiscard]] std::size_t ownerSlots() const { return m_ownerCounts.size(); }
    [[nodiscard]] std::size_t slots() const { return m_alive.size(); }
    [[nodiscard]] std::size_t size() const { return m_size; }
    //! Those that a release can let go of: neither a session's, nor what is no lock.
    [[nodiscard]] std::size_t releasable() const { return m_size - m_unreleasable; }
    //! All that is listed of the session of one process.
    [[nodiscard]] std::vector<RowId> sessionRows(std::int64_t pid) const;
    //! The sessions that hold the advisory lock of this key.
    [[nodiscard]] std::vector<std::int64_t> holdersOf(const std::string& key) const;
    //! Whether any lock ever had a note of its holder.
    [[nodiscard]] bool hasNotes() const { return m_hasNotes; }
    //! Of the grant that was told last.
    [[nodiscard]] std::uint64_t latestSighting() const { return m_sightings; }
    //! Whether the grant that a picture of the table has under this id is listed still.
    [[nodiscard]] bool isStill(RowId id, const LockRow& seen) const
    {
        return isAlive(id) && row(id).sighting == seen.sighting;
    }
    //! The owner of a row of this table.
    [[nodiscard]] static Owner ownerOf(const LockTable& table, const LockRow& row)
    {
        return row.owner == noOwner ? Owner() : Owner(table.owners[row.owner]);
    }
    //! The row as a lock.
    [[nodiscard]] static Lock lockOf(const LockTable& table, const LockRow& row);
    [[nodiscard]] std::optional<OwnerId> ownerId(const std::string& name) const
    {
        return m_byOwner.find(name);
    }
    [[nodiscard]] std::optional<RowId> find(const Lock& lock) const;

private:
    struct KeyOf {
        const LockTable* table;
        std::string_view operator()(RowId id) const { return table->rows[id].key; }
    };
    struct OwnerOf {
        const LockTable* table;
        std::string_view operator()(OwnerId id) const { return table->owners[id]; }
    };

    void fill(LockRow& row, const Lock& lock, OwnerId owner, std::uint32_t epoch);
    void add(const Lock& lock, std::uint32_t epoch);
    void countUnreleasable(const LockRow& row, int by);
    OwnerId intern(const Owner& owner);
    void forgetOwner(OwnerId id);
    std::uint16_t internDetail(const std::string& detail);

    LockTable m_table;
    IdIndex<KeyOf> m_byKey;
    std::map<std::string, RowId> m_sessions; // those of sessions, by identity
    IdIndex<OwnerOf> m_byOwner;
    std::vector<std::uint8_t> m_alive; // apart from the rows: read in long sweeps
    std::vector<std::uint64_t> m_ownerCounts;
    std::vector<OwnerId> m_freeOwners;
    std::vector<RowId> m_retired;
    std::vector<RowId> m_free;
    std::uint64_t m_sightings = 0;
    std::size_t m_size = 0;
    std::size_t m_unreleasable = 0;
    std::size_t m_unreleasableOwnerless = 0;
    bool m_hasNotes = false;
};

} // namespace lockboard
