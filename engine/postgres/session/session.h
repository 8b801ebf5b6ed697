// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/resume.h"
#include "engine/async/task.h"
#include "engine/contract/lock.h"
#include "engine/postgres/wire/connection.h"

#include <map>
#include <set>
#include <unordered_map>

namespace lockboard::postgres {

class Statements;

//! A session in which executes of a provider hold Medusa's advisory locks, and in which it may
//! listen. When the session is over, so are its locks.
class Session final : public QObject {
    Q_OBJECT

public:
    //! Locks of these hashes, and how often each of them.
    using Locks = std::map<std::uint32_t, int>;
    class Asking;

    enum class Ear : std::uint8_t { Deaf, Listens };

    Session(const Endpoint& endpoint, const Container& container, const Statements& statements,
            const std::string& purpose, Ear ear);
    ~Session() override;
    //! Ends what waits here with Cancelled; for good.
    void close();

    [[nodiscard]] Connection& connection() { return m_connection; }
    [[nodiscard]] const Connection& connection() const { return m_connection; }
    [[nodiscard]] bool isPooled() const { return m_connection.isPooled(); }
    //! A pooler gives each transaction another session: then there is none to hold anything in.
    [[nodiscard]] bool isUsable() const { return m_usable; }
    //! Known to be ours alone, so that it may be used.
    [[nodiscard]] bool isExamined() const
    {
        return m_examined != 0 && m_examined == m_connection.session();
    }
    //! What others free is heard of here.
    [[nodiscard]] bool isListening() const { return m_listening; }
    //! Connects, and finds out what a pooler does that may be in between.
    //! \throws as Call does
    Task<void> examine();
    //! The same, but what is thrown is not told.
    Task<void> tryToExamine();
    //! The backend that has answered.
    void noteBackend(int pid);

    // The locks of executes.
    [[nodiscard]] bool holds(const std::string& owner, const LockKeys& keys) const;
    //! Or it is asked for.
    [[nodiscard]] bool holdsAny(std::uint32_t hash) const { return m_held.count(hash) > 0; }
    //! Nothing is held, and nothing asked for.
    [[nodiscard]] bool isFree() const { return m_held.empty(); }
    //! The session that held one of these is over while the job may still run.
    [[nodiscard]] bool hasLost(const std::string& owner, const LockKeys& keys) const;
    void forgetLost(const std::string& owner, const LockKeys& keys);
    //! Ends the owner's part in these, and gives what is to be unlocked.
    [[nodiscard]] Locks letGo(const std::string& owner, const LockKeys& keys);
    //! Makes one owner's part in a key another's: nothing is unlocked in between.
    void handOn(const std::string& from, const std::string& to, const std::string& key);
    //! Since when it has been locked here without a break, whoever's jobs it was for.
    [[nodiscard]] TimePoint heldSince(std::uint32_t hash) const;

    //! The same, and it is unlocked.
    void unlockOf(const std::string& owner, const LockKeys& keys) { unlock(letGo(owner, keys)); }

Q_SIGNALS:
    //! From now on; what was freed before was not told.
    void listening();
    //! These executes have lost their locks: owner and key.
    void lost(const std::vector<std::pair<std::string, std::string>>& jobs);
    void becameUnusable();

private:
    using Jobs = std::unordered_map<std::string, std::set<std::string>>; // keys by owner
    struct Held {
        int users = 0; // jobs, and calls that ask for it
        int times = 0; // that it may be locked in this session
        TimePoint since; // the first of them
    };

    [[nodiscard]] static bool contains(const Jobs& jobs, const std::string& owner,
                                       const LockKeys& keys);
    [[nodiscard]] static bool isOpen(const QPointer<Session>& self);
    void noteLocked(std::uint32_t hash);
    [[nodiscard]] Locks takeUnused(const std::vector<std::uint32_t>& hashes);
    void unlock(const Locks& locks);
    void onReady();
    void onLost();
    void giveUp();
    void beat();
    Task<void> rest();
    static Task<void> askBackend(QPointer<Session> self);
    static Task<void> keepAlive(QPointer<Session> self, std::shared_ptr<bool> answered = {});
    static Task<void> tellApart(QPointer<Session> self);
    static Task<void> listen(QPointer<Session> self);

    Container m_container;
    const Statements& m_statements;
    const Ear m_ear;
    Connection m_connection;
    std::unique_ptr<Connection> m_probe; // made to find out about a pooler
    Clock& m_clock;
    Resumer m_resumer;
    std::set<Signal*> m_resting;
    Clock::TimerId m_beatTimer = 0;
    bool m_closed = false;
    bool m_usable = true;
    bool m_listening = false;
    std::uint64_t m_examined = 0;
    bool m_examining = false;
    std::uint64_t m_losses = 0;
    std::unordered_map<std::uint32_t, Held> m_held;
    Jobs m_jobs;
    Jobs m_lost;
};

//! An execute's acquire while it is under way: what it asks for is not unlocked meanwhile for want
//! of users. Stays where it is made, in a coroutine's frame.
class Session::Asking final {
public:
    Asking(Session& session, std::vector<std::uint32_t> hashes);
    //! Was nothing locked, or not for long, it is unlocked, if nobody else uses it.
    ~Asking();
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

    //! It was, perhaps.
    void doubt() { m_doubtful = true; }
    //! One of them is, once more than by what is asked.
    void noteLocked(std::uint32_t hash);
    //! It is, for the owner's execute of these keys.
    void becomeHeld(const std::string& owner, const LockKeys& keys);

private:
    QPointer<Session> m_session;
    std::vector<std::uint32_t> m_hashes;
    std::uint64_t m_losses;
    bool m_doubtful = false;
    bool m_held = false;
};

} // namespace lockboard::postgres
