// SPDX-License-Identifier: MIT
#include "engine/postgres/view/rows.h"

namespace lockboard::postgres {

static constexpr Duration tickLength = std::chrono::milliseconds(20);
static constexpr std::int64_t noTick = -1;

Rows::Rows()
    : m_index(1 << 11)
{
}

//! Medusa's hash of like keys is not as random as a table needs it.
std::size_t Rows::homeOf(std::uint32_t hash) const
{
    hash = (hash ^ hash >> 16) * 0x85ebca6bU;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
    return (hash ^ hash >> 16) & (m_index.size() - 1);
}

Rows::Id Rows::searchFrom(std::size_t place, std::uint32_t hash) const
{
    while (m_index[place].id != none && m_index[place].hash != hash)
        place = after(place);
    return m_index[place].id;
}

std::size_t Rows::placeOf(Id id) const
{
    std::size_t place = homeOf(m_rows[id].hash);
    while (m_index[place].id != id)
        place = after(place);
    return place;
}

void Rows::enter(Entry entry)
{
    std::size_t place = homeOf(entry.hash);
    while (m_index[place].id != none)
        place = after(place);
    m_index[place] = entry;
}

Rows::Id Rows::firstOf(std::uint32_t hash) const
{
    return searchFrom(homeOf(hash), hash);
}

Rows::Id Rows::nextOf(Id id) const
{
    return searchFrom(after(placeOf(id)), m_rows[id].hash);
}

Rows::Id Rows::find(std::string_view key, std::uint32_t hash) const
{
    Id id = firstOf(hash);
    while (id != none && m_rows[id].key != key)
        id = nextOf(id);
    return id;
}

Rows::Id Rows::insert(std::string_view key, std::uint32_t hash)
{
    if (2 * m_size >= m_index.size())
        grow();
    Id id = 0;
    if (m_free.empty()) {
        id = slots();
        m_rows.emplace_back();
    } else {
        id = m_free.back();
        m_free.pop_back();
    }
    Row& row = m_rows[id];
    row.key = key;
    row.hash = hash;
    row.alive = true;
    enter({hash, id});
    ++m_size;
    return id;
}

void Rows::remove(Id id)
{
    setDue(id, {});
    const std::size_t hole = placeOf(id);
    m_index[hole] = Entry();
    // Those behind it have to be found still.
    for (std::size_t at = after(hole); m_index[at].id != none; at = after(at))
        enter(std::exchange(m_index[at], Entry()));
    m_rows[id] = Row();
    m_free.push_back(id);
    --m_size;
}

void Rows::grow()
{
    const std::vector<Entry> before =
        std::exchange(m_index, std::vector<Entry>(m_index.size() * 2));
    for (const Entry& entry : before) {
        if (entry.id != none)
            enter(entry);
    }
}

void Rows::setDue(Id id, std::optional<TimePoint> when)
{
    Row& row = m_rows[id];
    const std::int64_t tick = when ? when->time_since_epoch() / tickLength + 1 : noTick;
    if (row.m_tick == tick)
        return;
    if (row.m_tick != noTick) {
        const auto slot = m_due.find(row.m_tick);
        const Id last = slot->second.back();
        slot->second[row.m_place] = last;
        m_rows[last].m_place = row.m_place;
        slot->second.pop_back();
        if (slot->second.empty())
            m_due.erase(slot);
    }
    row.m_tick = tick;
    if (tick == noTick)
        return;
    std::vector<Id>& slot = m_due[tick];
    row.m_place = static_cast<std::uint32_t>(slot.size());
    slot.push_back(id);
}

std::optional<TimePoint> Rows::nextDue() const
{
    if (m_due.empty())
        return {};
    return TimePoint(m_due.begin()->first * tickLength);
}

std::vector<std::string> Rows::takeDue(TimePoint now, std::size_t most)
{
    std::vector<std::string> keys;
    const std::int64_t tick = now.time_since_epoch() / tickLength;
    while (!m_due.empty() && m_due.begin()->first <= tick && keys.size() < most) {
        const Id id = m_due.begin()->second.back();
        keys.push_back(m_rows[id].key);
        setDue(id, {});
    }
    return keys;
}

} // namespace lockboard::postgres
