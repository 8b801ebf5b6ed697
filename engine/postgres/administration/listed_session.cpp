// SPDX-License-Identifier: MIT
#include "engine/postgres/administration/listed_session.h"

#include "engine/postgres/session/medusa_hash.h"

#include <algorithm>
#include <charconv>

namespace lockboard::postgres {

std::uint32_t listedHash(const std::string& name)
{
    static constexpr std::string_view nameless = "advisory:";
    if (name.starts_with(nameless)) {
        std::uint32_t hash = 0;
        const char* const end = name.data() + name.size();
        const auto [rest, error] = std::from_chars(name.data() + nameless.size(), end, hash);
        if (error == std::errc() && rest == end)
            return hash;
    }
    return medusaHash(name);
}

ListedSession::ListedSession(std::vector<Lock> locks)
    : m_locks(std::move(locks))
{
}

const std::string& ListedSession::nameOf(const Lock& lock) const
{
    const auto known = m_names.find(listedHash(lock.key));
    return known == m_names.end() ? lock.key : known->second;
}

std::vector<std::string> ListedSession::names(LockState state) const
{
    std::vector<std::string> names;
    for (const Lock& lock : m_locks) {
        if (lock.state == state)
            names.push_back(nameOf(lock));
    }
    return names;
}

bool ListedSession::holdsForAJob() const
{
    return !note().program.starts_with("lockboard")
        && std::ranges::any_of(m_locks,
                               [](const Lock& lock) { return lock.state == LockState::Advisory; });
}

std::vector<std::string> ListedSession::arguments(bool cancel, TimePoint now) const
{
    std::vector<std::string> words{std::to_string(note().pid), cancel ? "cancel" : "terminate"};
    if (!note().session.empty())
        words.push_back("session=" + note().session);
    if (note().transactionBegan) {
        const auto age = std::chrono::floor<Duration>(now - *note().transactionBegan);
        words.push_back("transactionMs=" + std::to_string(age.count()));
    }
    for (const Lock& lock : m_locks) {
        std::string word = lock.state == LockState::Advisory ? "holds=" : "waits=";
        word += std::to_string(listedHash(lock.key));
        const std::string& name = nameOf(lock);
        if (!name.starts_with("advisory:"))
            word += ' ' + name;
        words.push_back(std::move(word));
    }
    return words;
}

} // namespace lockboard::postgres
