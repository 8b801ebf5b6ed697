// SPDX-License-Identifier: MIT
#include "ui/locks/seen_locks.h"

#include "ui/locks/lock_table_model.h"

#include <algorithm>
#include <unordered_set>

namespace lockboard {

//! A call's worth: short enough to cancel in between.
static constexpr std::size_t mostOfAPage = 5000;

SeenLocks::SeenLocks(Kind kind, std::string provider, const LockTableModel& model,
                     std::string owner)
    : m_kind(kind)
    , m_complete(model.isComplete())
    , m_provider(std::move(provider))
    , m_owner(std::move(owner))
    , m_store(model.keptStore())
    , m_table(m_store->table())
    , m_latest(m_store->latestSighting())
{
}

SeenLocks::SeenLocks(std::string provider, const LockTableModel& model,
                     const std::vector<RowId>& rows)
    : SeenLocks(Kind::Chosen, std::move(provider), model, {})
{
    for (const RowId id : rows) {
        m_sessions += m_table.rows[id].isOfSession() ? 1 : 0;
        if (m_table.rows[id].isReleasable())
            m_rows.push_back(id);
    }
    m_count = m_rows.size();
    m_complete = true; // what was chosen is all that is meant
}

SeenLocks SeenLocks::everything(std::string provider, const LockTableModel& model)
{
    SeenLocks seen(Kind::Everything, std::move(provider), model, {});
    seen.m_count = seen.m_store->releasable();
    return seen;
}

SeenLocks SeenLocks::allOf(std::string provider, const LockTableModel& model,
                           const std::string& owner)
{
    SeenLocks seen(Kind::OfOwner, std::move(provider), model, owner);
    seen.m_ownerId = seen.m_store->ownerId(owner);
    seen.m_count = seen.m_store->countOf(owner);
    return seen;
}

bool SeenLocks::includes(const LockRow& row, std::optional<OwnerId> owner) const
{
    return row.alive && row.isReleasable()
        && (m_kind != Kind::OfOwner || (owner && row.owner == *owner));
}

std::size_t SeenLocks::positions() const
{
    return m_kind == Kind::Chosen ? m_rows.size() : m_table.rows.size();
}

const LockRow* SeenLocks::at(std::size_t position, RowId* id) const
{
    *id = m_kind == Kind::Chosen ? m_rows[position] : static_cast<RowId>(position);
    const LockRow& row = m_table.rows[*id];
    return includes(row, m_ownerId) ? &row : nullptr;
}

SeenLocks::Summary SeenLocks::summary() const
{
    constexpr std::size_t few = 1000; // so many are put in order
    Summary summary;
    std::unordered_set<OwnerId> owners;
    std::vector<std::string> held, over;
    RowId id = 0;
    for (std::size_t position = 0; position < positions(); ++position) {
        const LockRow* const row = at(position, &id);
        if (!row)
            continue;
        if (row->state == LockState::Residue) {
            if (summary.over++ == 0)
                summary.overOwner = LockStore::ownerOf(m_table, *row);
            if (over.size() < few)
                over.push_back(row->key);
            continue;
        }
        ++summary.held;
        if (owners.insert(row->owner).second && owners.size() <= Summary::mostNames)
            summary.firstOwners.push_back(LockStore::ownerOf(m_table, *row));
        if (held.size() < few)
            held.push_back(row->key);
    }
    summary.owners = owners.size();
    std::vector<std::string>& keys = held.empty() ? over : held;
    if (m_kind != Kind::Chosen)
        std::sort(keys.begin(), keys.end());
    keys.resize(std::min(keys.size(), Summary::mostNames));
    summary.firstKeys = std::move(keys);
    return summary;
}

SeenLocks::Page SeenLocks::page(std::size_t* position) const
{
    Page page;
    const std::size_t end = positions();
    RowId id = 0;
    for (; *position < end && page.locks.size() < mostOfAPage; ++*position) {
        const LockRow* const row = at(*position, &id);
        if (!row)
            continue;
        if (m_store->isStill(id, *row)) {
            page.locks.push_back(LockStore::lockOf(m_table, *row));
            continue;
        }
        // Whatever lies under its key by now is not what was asked about.
        ++page.gone;
        const auto now = m_store->find(Lock(row->key, {}));
        if (now && page.retaken++ == 0) {
            page.retakenKey = row->key;
            page.retakenOwner = LockStore::ownerOf(m_store->table(), m_store->row(*now));
        }
    }
    page.isLast = *position == positions();
    return page;
}

std::uint64_t SeenLocks::newcomers() const
{
    if (m_kind == Kind::Chosen || m_store->latestSighting() == m_latest)
        return 0;
    const std::optional<OwnerId> owner =
        m_kind == Kind::OfOwner ? m_store->ownerId(m_owner) : std::nullopt;
    std::uint64_t count = 0;
    for (std::size_t id = 0; id < m_store->slots(); ++id) {
        const LockRow& row = m_store->row(static_cast<RowId>(id));
        count += row.sighting > m_latest && includes(row, owner) ? 1 : 0;
    }
    return count;
}

} // namespace lockboard
