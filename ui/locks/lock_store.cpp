// SPDX-License-Identifier: MIT
#include "ui/locks/lock_store.h"

namespace lockboard {

std::optional<TimePoint> LockRow::end() const
{
    return leaseEnd == never ? std::nullopt
                             : std::optional(TimePoint(TimePoint::duration(leaseEnd)));
}

LockStore::LockStore()
    : m_byKey(KeyOf{&m_table})
    , m_byOwner(OwnerOf{&m_table})
{
    m_table.owners.append({});
    m_table.details.append({});
    m_ownerCounts.push_back(0);
}

static std::int64_t ticksOf(std::optional<TimePoint> leaseEnd)
{
    return leaseEnd ? leaseEnd->time_since_epoch().count() : LockRow::never;
}

static bool isHeldBy(const LockTable& table, const LockRow& row, const Owner& owner)
{
    return owner ? row.owner != noOwner && table.owners[row.owner] == *owner : row.owner == noOwner;
}

static bool isSame(const LockTable& table, const LockRow& row, const Lock& lock)
{
    return isHeldBy(table, row, lock.owner) && row.leaseEnd == ticksOf(lock.leaseEnd)
        && row.state == lock.state && table.details[row.detail] == lock.detail
        && row.token == lock.token.value_or(0) && row.note == lock.note;
}

void LockStore::fill(LockRow& row, const Lock& lock, OwnerId owner, std::uint32_t epoch)
{
    row.owner = owner;
    row.leaseEnd = ticksOf(lock.leaseEnd);
    row.state = lock.state;
    row.detail = internDetail(lock.detail);
    row.epoch = epoch;
    row.token = lock.token.value_or(0);
    row.note = lock.note;
}

LockStore::Effect LockStore::upsert(const Lock& lock, std::uint32_t epoch, bool anew)
{
    m_hasNotes = m_hasNotes || !lock.note.isEmpty();
    const auto known = find(lock);
    if (!known) {
        add(lock, epoch);
        return Effect::Added;
    }
    const LockRow& old = m_table.rows[*known];
    if (!anew && old.epoch == epoch && isSame(m_table, old, lock))
        return Effect::Nothing;
    const bool isOther = !isHeldBy(m_table, old, lock.owner)
        || (old.state == LockState::Residue && lock.state == LockState::Held);
    const OwnerId owner = intern(lock.owner);
    forgetOwner(old.owner);
    LockRow& row = m_table.rows.edit(*known);
    countUnreleasable(row, -1);
    fill(row, lock, owner, epoch);
    if (anew || isOther)
        row.sighting = ++m_sightings;
    countUnreleasable(row, 1);
    return Effect::Touched;
}

void LockStore::add(const Lock& lock, std::uint32_t epoch)
{
    LockRow row;
    row.key = lock.key;
    fill(row, lock, intern(lock.owner), epoch);
    row.sighting = ++m_sightings;
    row.alive = true;
    row.plain = printable(lock.key) == lock.key;
    countUnreleasable(row, 1);
    RowId id = 0;
    if (m_free.empty()) {
        id = static_cast<RowId>(m_table.rows.size());
        m_table.rows.append(std::move(row));
        m_alive.push_back(1);
    } else {
        id = m_free.back();
        m_free.pop_back();
        m_table.rows.edit(id) = std::move(row);
        m_alive[id] = 1;
    }
    if (lock.isOfSession())
        m_sessions.emplace(lock.identity(), id);
    else
        m_byKey.insert(lock.key, id);
    ++m_size;
}

Lock LockStore::lockOf(const LockTable& table, const LockRow& row)
{
    Lock lock(row.key, ownerOf(table, row), row.end(), row.state);
    lock.note = row.note;
    if (row.token > 0)
        lock.token = row.token;
    return lock;
}

std::optional<RowId> LockStore::find(const Lock& lock) const
{
    if (!lock.isOfSession())
        return m_byKey.find(lock.key);
    const auto known = m_sessions.find(lock.identity());
    return known == m_sessions.end() ? std::nullopt : std::optional(known->second);
}

bool LockStore::remove(const Lock& lock)
{
    const auto id = find(lock);
    if (id)
        removeRow(*id);
    return id.has_value();
}

void LockStore::removeRow(RowId id)
{
    LockRow& row = m_table.rows.edit(id);
    if (row.isOfSession())
        m_sessions.erase(Lock::identityOf(row.key, row.state, row.note));
    else
        m_byKey.erase(row.key, id);
    countUnreleasable(row, -1);
    forgetOwner(row.owner);
    row.owner = noOwner;
    row.note = {};
    row.alive = false;
    m_alive[id] = 0;
    m_retired.push_back(id);
    --m_size;
}

void LockStore::reclaim()
{
    m_free.insert(m_free.end(), m_retired.begin(), m_retired.end());
    m_retired.clear();
}

std::vector<RowId> LockStore::sessionRows(std::int64_t pid) const
{
    std::vector<RowId> rows;
    for (const auto& [identity, id] : m_sessions) {
        if (row(id).note.fields().pid == pid)
            rows.push_back(id);
    }
    return rows;
}

std::vector<std::int64_t> LockStore::holdersOf(const std::string& key) const
{
    std::vector<std::int64_t> holders;
    // By identity they stand together.
    for (auto it = m_sessions.lower_bound(key + '\0'); it != m_sessions.end(); ++it) {
        const LockRow& one = row(it->second);
        if (one.key != key)
            break;
        if (one.state == LockState::Advisory)
            holders.push_back(one.note.fields().pid);
    }
    return holders;
}

std::uint64_t LockStore::countOf(const Owner& owner) const
{
    if (!owner)
        return m_ownerCounts[noOwner] - m_unreleasableOwnerless;
    const auto id = m_byOwner.find(*owner);
    return id ? m_ownerCounts[*id] : 0;
}

void LockStore::countUnreleasable(const LockRow& row, int by)
{
    if (row.isReleasable())
        return;
    m_unreleasable += std::size_t(by);
    if (row.owner == noOwner)
        m_unreleasableOwnerless += std::size_t(by);
}

OwnerId LockStore::intern(const Owner& owner)
{
    if (!owner) {
        ++m_ownerCounts[noOwner];
        return noOwner;
    }
    if (const auto known = m_byOwner.find(*owner)) {
        ++m_ownerCounts[*known];
        return *known;
    }
    OwnerId id = 0;
    if (m_freeOwners.empty()) {
        id = static_cast<OwnerId>(m_table.owners.size());
        m_table.owners.append(*owner);
        m_ownerCounts.push_back(1);
    } else {
        id = m_freeOwners.back();
        m_freeOwners.pop_back();
        m_table.owners.edit(id) = *owner;
        m_ownerCounts[id] = 1;
    }
    m_byOwner.insert(*owner, id);
    return id;
}

void LockStore::forgetOwner(OwnerId id)
{
    if (--m_ownerCounts[id] > 0 || id == noOwner)
        return;
    m_byOwner.erase(m_table.owners[id], id);
    m_freeOwners.push_back(id);
}

std::uint16_t LockStore::internDetail(const std::string& detail)
{
    for (std::size_t i = 0; i < m_table.details.size(); ++i) {
        if (m_table.details[i] == detail)
            return static_cast<std::uint16_t>(i);
    }
    constexpr std::size_t most = 64; // a server knows a handful of types
    if (m_table.details.size() == most)
        return 0;
    m_table.details.append(detail);
    return static_cast<std::uint16_t>(m_table.details.size() - 1);
}

} // namespace lockboard
