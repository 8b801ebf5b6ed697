// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <map>

namespace lockboard::postgres {

//! Medusa's hash of the key of an advisory lock that is listed under this name, which is
//! `advisory:HASH` where no key is known.
[[nodiscard]] std::uint32_t listedHash(const std::string& name);

//! A database session as a person saw it listed before they had it ended: all rows of one process.
//! Poolers and pools give one session to many jobs, so what was seen goes along to the provider,
//! which leaves the session alone when it is at something else by then.
class ListedSession final {
public:
    explicit ListedSession(std::vector<Lock> locks);

    //! Another name for what hashes to that than the list has, for people only.
    void setName(std::uint32_t hash, std::string name) { m_names[hash] = std::move(name); }

    [[nodiscard]] const HolderNote::Fields& note() const { return m_locks.front().note.fields(); }
    //! The names of what it holds (Advisory) or waits for (Waiting).
    [[nodiscard]] std::vector<std::string> names(LockState state) const;
    //! It holds what Medusa's execute does. The job of such an execute works on other connections:
    //! it does not learn that its lock is gone, and the next one runs beside it.
    [[nodiscard]] bool holdsForAJob() const;
    //! What `administer("end-session", ...)` takes: `PID terminate|cancel [session=ID]
    //! [transactionMs=AGE] [holds=HASH [NAME]]... [waits=HASH [NAME]]...`.
    [[nodiscard]] std::vector<std::string> arguments(bool cancel, TimePoint now) const;

private:
    [[nodiscard]] const std::string& nameOf(const Lock& lock) const;

    std::vector<Lock> m_locks;
    std::map<std::uint32_t, std::string> m_names;
};

} // namespace lockboard::postgres
