// SPDX-License-Identifier: MIT
#include "ui/locks/lock_order.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace lockboard {

namespace {

//! What two rows are compared by first, as one number; only ties look at the keys.
struct Item {
    std::uint64_t rank;
    const std::string* key;
    RowId id;

    bool operator<(const Item& other) const
    {
        return rank != other.rank ? rank < other.rank : *key < *other.key;
    }
};

std::uint64_t firstBytes(const std::string& key)
{
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
        value = value << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0U);
    return value;
}

std::vector<std::uint32_t> ownerRanks(const LockTable& table)
{
    std::vector<OwnerId> sorted(table.owners.size());
    std::iota(sorted.begin(), sorted.end(), OwnerId(0));
    std::sort(sorted.begin(), sorted.end(), [&](OwnerId a, OwnerId b) {
        // Those without owner come last.
        if (a == noOwner || b == noOwner)
            return b == noOwner && a != noOwner;
        return table.owners[a] < table.owners[b];
    });
    std::vector<std::uint32_t> ranks(sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i)
        ranks[sorted[i]] = static_cast<std::uint32_t>(i);
    return ranks;
}

//! By row: the place of its note among all; those without come last.
std::vector<std::uint32_t> noteRanks(const LockTable& table)
{
    std::vector<std::uint32_t> ranks(table.rows.size(), std::numeric_limits<std::uint32_t>::max());
    std::vector<RowId> noted;
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        if (!table.rows[i].note.isEmpty())
            noted.push_back(static_cast<RowId>(i));
    }
    const auto placeOf = [&](RowId id) {
        const HolderNote::Fields& note = table.rows[id].note.fields();
        return std::tie(note.host, note.program, note.pid);
    };
    std::sort(noted.begin(), noted.end(),
              [&](RowId a, RowId b) { return placeOf(a) < placeOf(b); });
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < noted.size(); ++i) {
        if (i > 0 && placeOf(noted[i - 1]) != placeOf(noted[i]))
            ++rank;
        ranks[noted[i]] = rank;
    }
    return ranks;
}

} // namespace

std::vector<RowId> arrange(const LockTable& table, const LockOrder& order, TimePoint now,
                           const std::stop_token& stop)
{
    std::vector<std::uint32_t> ranks;
    if (order.column == LockColumn::Holder)
        ranks = ownerRanks(table);
    else if (order.column == LockColumn::HeldBy)
        ranks = noteRanks(table);
    const auto rankOf = [&](const LockRow& row, std::size_t id) -> std::uint64_t {
        switch (order.column) {
        case LockColumn::Key:
            return firstBytes(row.key);
        case LockColumn::Holder:
            return ranks[row.owner];
        case LockColumn::HeldBy:
            return ranks[id];
        case LockColumn::Ttl:
            return static_cast<std::uint64_t>(row.leaseEnd);
        case LockColumn::State:
            break;
        }
        return std::uint64_t(row.state) << 16 | row.detail;
    };

    std::vector<Item> items;
    items.reserve(table.rows.size());
    LockMatcher matcher(order.filter, table, now);
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        if (i % 4096 == 0 && stop.stop_requested())
            return {};
        const LockRow& row = table.rows[i];
        if (row.alive && matcher.matches(row))
            items.push_back(Item{rankOf(row, i), &row.key, static_cast<RowId>(i)});
    }
    if (order.descending)
        std::sort(items.rbegin(), items.rend());
    else
        std::sort(items.begin(), items.end());

    std::vector<RowId> ids(items.size());
    std::transform(items.begin(), items.end(), ids.begin(),
                   [](const Item& item) { return item.id; });
    return ids;
}

} // namespace lockboard
