// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <map>

namespace lockboard {

//! Medusa's hash of the key of an advisory lock that is listed under this name, which is
//! `advisory:HASH` where no key is known.
[[nodiscard]] std::uint32_t listedHash(const std::string& name);

//! What is to become of a session.
enum class SessionEnd : std::uint8_t {
    Terminate, //!< its connection is closed, and all that it holds is freed
    Cancel, //!< what it is doing or waiting for fails; it goes on
};

//! A database session as a person saw it before they had it ended. Poolers and pools give one
//! session to many jobs, so what was seen goes along to the provider, which leaves the session
//! alone when it is at something else by then.
class SeenSession final {
public:
    //! An advisory lock, by Medusa's hash of its key.
    class Key final {
    public:
        Key(std::uint32_t keyHash, bool isHeld)
            : hash(keyHash)
            , held(isHeld)
        {
        }
        bool operator==(const Key&) const = default;

        std::uint32_t hash;
        bool held; //!< else it waits for it
    };

    //! Of which only the number of its process is known.
    explicit SeenSession(std::int64_t pid);
    //! As it is listed: all rows of one process, at least one.
    explicit SeenSession(std::vector<Lock> rows);

    // What must hold besides what the rows say.
    SeenSession& expectSession(std::string name);
    SeenSession& expectKey(Key key);
    SeenSession& expectTransactionBegan(TimePoint when);
    //! Another name for what hashes to that than the list has, for people only.
    void setName(std::uint32_t hash, std::string name) { m_names[hash] = std::move(name); }

    [[nodiscard]] std::int64_t pid() const { return m_note.fields().pid; }
    [[nodiscard]] const HolderNote::Fields& note() const { return m_note.fields(); }
    //! The server's own name for it; none of them: any will do.
    [[nodiscard]] const std::vector<std::string>& sessions() const { return m_sessions; }
    //! When its transaction began, as far as is known.
    [[nodiscard]] const std::vector<TimePoint>& transactionsBegan() const { return m_began; }
    [[nodiscard]] const std::vector<Key>& keys() const { return m_keys; }
    //! By hash; those without a name are missing.
    [[nodiscard]] const std::map<std::uint32_t, std::string>& names() const { return m_names; }
    //! What it holds, or what it waits for, by the names that people know.
    [[nodiscard]] std::vector<std::string> namesOf(bool held) const;
    //! It holds what Medusa's execute does. The job of such an execute works on other connections:
    //! it does not learn that its lock is gone, and the next one runs beside it.
    [[nodiscard]] bool holdsForAJob() const;

private:
    HolderNote m_note;
    std::vector<std::string> m_sessions;
    std::vector<TimePoint> m_began;
    std::vector<Key> m_keys;
    std::map<std::uint32_t, std::string> m_names;
};

} // namespace lockboard
