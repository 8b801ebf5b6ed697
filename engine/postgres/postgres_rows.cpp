// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_rows.h"

namespace lockboard {

static constexpr Duration tickLength = std::chrono::milliseconds(20);
static constexpr std::int64_t noTick = -1;

PostgresRows::PostgresRows()
    : m_buckets(std::size_t(1) << 10, none)
{
}

PostgresRows::Id PostgresRows::firstOf(std::uint32_t hash) const
{
    Id id = m_buckets[bucketOf(hash)];
    while (id != none && m_rows[id].hash != hash)
        id = m_rows[id].m_next;
    return id;
}

PostgresRows::Id PostgresRows::nextOf(Id id) const
{
    const std::uint32_t hash = m_rows[id].hash;
    do {
        id = m_rows[id].m_next;
    } while (id != none && m_rows[id].hash != hash);
    return id;
}

PostgresRows::Id PostgresRows::find(std::string_view key, std::uint32_t hash) const
{
    Id id = firstOf(hash);
    while (id != none && m_rows[id].key != key)
        id = nextOf(id);
    return id;
}

PostgresRows::Id PostgresRows::insert(std::string_view key, std::uint32_t hash)
{
    if (m_size >= m_buckets.size())
        grow();
    Id id = 0;
    if (m_free.empty()) {
        id = slots();
        m_rows.emplace_back();
    } else {
        id = m_free.back();
        m_free.pop_back();
    }
    PostgresRow& row = m_rows[id];
    Id& first = m_buckets[bucketOf(hash)];
    row.key = key;
    row.hash = hash;
    row.alive = true;
    row.m_next = first;
    first = id;
    ++m_size;
    return id;
}

void PostgresRows::remove(Id id)
{
    setDue(id, {});
    Id* at = &m_buckets[bucketOf(m_rows[id].hash)];
    while (*at != id)
        at = &m_rows[*at].m_next;
    *at = m_rows[id].m_next;
    m_rows[id] = PostgresRow();
    m_free.push_back(id);
    --m_size;
}

void PostgresRows::grow()
{
    --m_shift;
    m_buckets.assign(m_buckets.size() * 2, none);
    for (Id id = 0; id < slots(); ++id) {
        PostgresRow& row = m_rows[id];
        if (!row.alive)
            continue;
        Id& first = m_buckets[bucketOf(row.hash)];
        row.m_next = first;
        first = id;
    }
}

void PostgresRows::setDue(Id id, std::optional<TimePoint> when)
{
    PostgresRow& row = m_rows[id];
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

std::optional<TimePoint> PostgresRows::nextDue() const
{
    if (m_due.empty())
        return {};
    return TimePoint(m_due.begin()->first * tickLength);
}

std::vector<std::string> PostgresRows::takeDue(TimePoint now, std::size_t most)
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

} // namespace lockboard
