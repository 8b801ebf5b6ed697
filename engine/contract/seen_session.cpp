// SPDX-License-Identifier: MIT
#include "engine/contract/seen_session.h"

#include "engine/contract/medusa_hash.h"

#include <algorithm>
#include <charconv>

namespace lockboard {

static constexpr std::string_view nameless = "advisory:";

std::uint32_t listedHash(const std::string& name)
{
    if (name.starts_with(nameless)) {
        std::uint32_t hash = 0;
        const char* const end = name.data() + name.size();
        const auto [rest, error] = std::from_chars(name.data() + nameless.size(), end, hash);
        if (error == std::errc() && rest == end)
            return hash;
    }
    return medusaHash(name);
}

SeenSession::SeenSession(std::int64_t pid)
{
    m_note.edit().pid = pid;
}

SeenSession::SeenSession(std::vector<Lock> rows)
    : m_note(rows.front().note)
{
    if (!note().session.empty())
        m_sessions.push_back(note().session);
    if (note().transactionBegan)
        m_began.push_back(*note().transactionBegan);
    for (Lock& row : rows) {
        const Key& key = m_keys.emplace_back(listedHash(row.key), row.state == LockState::Advisory);
        if (!row.key.starts_with(nameless))
            m_names[key.hash] = std::move(row.key);
    }
}

SeenSession& SeenSession::expectSession(std::string name)
{
    m_sessions.push_back(std::move(name));
    return *this;
}

SeenSession& SeenSession::expectKey(Key key)
{
    m_keys.push_back(key);
    return *this;
}

SeenSession& SeenSession::expectTransactionBegan(TimePoint when)
{
    m_began.push_back(when);
    return *this;
}

std::vector<std::string> SeenSession::namesOf(bool held) const
{
    std::vector<std::string> names;
    for (const Key& key : m_keys) {
        if (key.held != held)
            continue;
        const auto known = m_names.find(key.hash);
        names.push_back(known == m_names.end() ? std::string(nameless) + std::to_string(key.hash)
                                               : known->second);
    }
    return names;
}

bool SeenSession::holdsForAJob() const
{
    return !note().program.starts_with("lockboard")
        && std::ranges::any_of(m_keys, [](const Key& key) { return key.held; });
}

} // namespace lockboard
