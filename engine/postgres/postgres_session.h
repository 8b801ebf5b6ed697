// SPDX-License-Identifier: MIT
#pragma once

#include "engine/postgres/postgres_connection.h"
#include "engine/resume.h"
#include "engine/task.h"

#include <map>
#include <set>
#include <unordered_map>

namespace lockboard {

class PostgresStatements;

//! The one session in which all executes of a provider hold Medusa's advisory locks, and in which
//! it listens. When the session is over, so are its locks.
class PostgresSession final : public QObject {
    Q_OBJECT

public:
    PostgresSession(const PostgresEndpoint& endpoint, const Container& container,
                    const PostgresStatements& statements);
    ~PostgresSession() override;

    [[nodiscard]] PostgresConnection& connection() { return m_connection; }
    //! A pooler gives each transaction another session: then there is none to hold anything in.
    [[nodiscard]] bool isUsable() const { return m_usable; }
    //! Known to be ours alone, so that it may be used.
    [[nodiscard]] bool isExamined() const
    {
        return m_examined != 0 && m_examined == m_connection.session();
    }
    //! Connects, and finds out what a pooler does that may be in between.
    //! \throws as PostgresCall does
    Task<void> examine();
    //! The backend that has answered.
    void noteBackend(int pid);

    // The locks of executes. An owner is one execute.
    void hold(const std::string& owner, const std::string& firstKey,
              const std::vector<std::uint32_t>& hashes);
    //! What was asked may have been locked or not.
    void holdPerhaps(const std::vector<std::uint32_t>& hashes);
    [[nodiscard]] bool holds(const std::string& owner) const { return m_jobs.count(owner) > 0; }
    [[nodiscard]] bool holdsAny(std::uint32_t hash) const { return m_held.count(hash) > 0; }
    //! The owner's session is over while its job may still run.
    [[nodiscard]] bool hasLost(const std::string& owner) const { return m_lost.count(owner) > 0; }
    void forgetLost(const std::string& owner) { m_lost.erase(owner); }
    //! Ends the owner's part in these, and gives what is to be unlocked, and how often.
    [[nodiscard]] std::map<std::uint32_t, int> letGo(const std::string& owner,
                                                     const std::vector<std::uint32_t>& hashes);
    //! Those of these that nobody here uses any more, though they may be locked.
    [[nodiscard]] std::map<std::uint32_t, int> takeUnused(const std::vector<std::uint32_t>& hashes);

Q_SIGNALS:
    //! These executes have lost their locks: owner and a key.
    void lost(const std::vector<std::pair<std::string, std::string>>& jobs);
    void becameUnusable();

private:
    void giveUp();
    void onLost();
    void beat();
    static Task<void> askBackend(QPointer<PostgresSession> self);
    static Task<void> keepAlive(QPointer<PostgresSession> self);
    Task<void> rest();
    static Task<void> tellApart(QPointer<PostgresSession> self);

    struct Held {
        int users = 0;
        int times = 0; // that it may be locked in this session
    };
    struct Job {
        std::string firstKey;
        std::vector<std::uint32_t> hashes;
    };

    Container m_container;
    PostgresConnection m_connection;
    std::unique_ptr<PostgresConnection> m_probe; // made to find out about a pooler
    PostgresStatement m_ping;
    PostgresStatement m_begin;
    PostgresStatement m_commit;
    Clock& m_clock;
    Resumer m_resumer;
    Clock::TimerId m_beatTimer = 0;
    bool m_usable = true;
    std::uint64_t m_examined = 0;
    bool m_examining = false;
    std::unordered_map<std::uint32_t, Held> m_held;
    std::unordered_map<std::string, Job> m_jobs;
    std::set<std::string> m_lost;
};

} // namespace lockboard
