// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <set>
#include <unordered_map>

namespace lockboard {

class Doubt;
//! Those of a provider, by the owner.
using Doubts = std::unordered_multimap<std::string, Doubt*>;

//! While a store has not said whether it took keys for an owner: which of them other calls of that
//! owner have been granted meanwhile. Those are no longer the unanswered call's to give back.
class Doubt final {
public:
    Doubt(Doubts& all, const std::string& owner)
        : m_all(all)
        , m_self(all.emplace(owner, this))
    {
    }
    ~Doubt() { m_all.erase(m_self); }
    Doubt(const Doubt&) = delete;
    Doubt& operator=(const Doubt&) = delete;

    void claim(const LockKeys& keys) { m_claimed.insert(keys.begin(), keys.end()); }
    [[nodiscard]] bool isClaimed(const std::string& key) const { return m_claimed.contains(key); }

    // A release that is sent before another call of the owner asks may arrive after its grant: so
    // while one of these is under way, calls of that owner leave the other alone.
    bool isAsking = false;
    bool isReleasing = false;

private:
    Doubts& m_all;
    Doubts::iterator m_self;
    std::set<std::string> m_claimed;
};

} // namespace lockboard
