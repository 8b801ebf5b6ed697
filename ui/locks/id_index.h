// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>

namespace lockboard {

//! Finds the id of a name; the names themselves live elsewhere and are asked for by `NameOf`.
//! Split in shards that grow at different times, so that no insertion pays for rehashing them all.
template <typename NameOf> class IdIndex final {
public:
    explicit IdIndex(NameOf nameOf)
    {
        for (std::size_t i = 0; i < m_shards.size(); ++i) {
            m_shards[i] = Shard(8 + i, Hash{nameOf}, Same{nameOf});
            m_shards[i].max_load_factor(1.0F + 0.01F * static_cast<float>(i));
        }
    }

    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const
    {
        const Shard& shard = m_shards[shardOf(name)];
        const auto it = shard.find(name);
        return it == shard.end() ? std::nullopt : std::optional(*it);
    }
    void insert(std::string_view name, std::uint32_t id) { m_shards[shardOf(name)].insert(id); }
    void erase(std::string_view name, std::uint32_t id) { m_shards[shardOf(name)].erase(id); }

private:
    // Not noexcept, so that libstdc++ keeps the hashes rather than computing them anew.
    struct Hash {
        using is_transparent = void;
        NameOf nameOf;
        std::size_t operator()(std::uint32_t id) const { return (*this)(nameOf(id)); }
        std::size_t operator()(std::string_view name) const
        {
            return std::hash<std::string_view>()(name);
        }
    };
    struct Same {
        using is_transparent = void;
        NameOf nameOf;
        bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
        bool operator()(std::string_view a, std::uint32_t b) const { return a == nameOf(b); }
        bool operator()(std::uint32_t a, std::string_view b) const { return nameOf(a) == b; }
    };
    using Shard = std::unordered_set<std::uint32_t, Hash, Same>;

    [[nodiscard]] std::size_t shardOf(std::string_view name) const
    {
        return std::hash<std::string_view>()(name) >> 58;
    }

    std::array<Shard, 64> m_shards;
};

} // namespace lockboard
