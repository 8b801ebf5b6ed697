// SPDX-License-Identifier: MIT
#include "engine/postgres/session/session.h"

#include "engine/contract/errors.h"
#include "engine/contract/medusa_hash.h"
#include "engine/postgres/session/keys.h"
#include "engine/postgres/session/statements.h"

#include <algorithm>

// What executes hold in a session; postgres_session_examine.cpp has how it is found to be ours.

namespace lockboard::postgres {

using namespace postgres;
using namespace std::chrono_literals;

//! While locks are held in it: a session that is gone is to be noticed soon.
static constexpr Duration beatPause = 5s;
//! One that waits for a row keeps the renewals of all jobs waiting.
static constexpr Duration longestLockTimeout = 200ms;

static Endpoint impatient(Endpoint endpoint)
{
    endpoint.lockTimeout = std::min(endpoint.lockTimeout, longestLockTimeout);
    return endpoint;
}

Session::Session(const Endpoint& endpoint, const Container& container, const Statements& statements,
                 const std::string& purpose, Ear ear)
    : m_container(container)
    , m_statements(statements)
    , m_ear(ear)
    , m_connection(impatient(endpoint), container, purpose)
    , m_clock(*container.clock)
    , m_resumer(m_clock)
{
    if (m_ear == Ear::Listens)
        m_connection.addSessionPreamble(statements.listen);
    connect(&m_connection, &Connection::ready, this, &Session::onReady);
    connect(&m_connection, &Connection::lost, this, &Session::onLost);
}

Session::~Session()
{
    close();
}

void Session::close()
{
    m_closed = true;
    m_clock.cancel(m_beatTimer);
    if (m_probe)
        m_probe->close();
    m_connection.close();
    for (Signal* const signal : m_resting)
        signal->raise(WakeReason::Cancelled);
    m_resumer.drain();
}

bool Session::contains(const Jobs& jobs, const std::string& owner, const LockKeys& keys)
{
    const auto mine = jobs.find(owner);
    return mine != jobs.end() && std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
               return mine->second.contains(key);
           });
}

bool Session::holds(const std::string& owner, const LockKeys& keys) const
{
    return contains(m_jobs, owner, keys);
}

bool Session::hasLost(const std::string& owner, const LockKeys& keys) const
{
    return contains(m_lost, owner, keys);
}

void Session::forgetLost(const std::string& owner, const LockKeys& keys)
{
    const auto mine = m_lost.find(owner);
    if (mine == m_lost.end())
        return;
    for (const std::string& key : keys)
        mine->second.erase(key);
    if (mine->second.empty())
        m_lost.erase(mine);
}

Session::Locks Session::letGo(const std::string& owner, const LockKeys& keys)
{
    const auto mine = m_jobs.find(owner);
    if (mine == m_jobs.end())
        return {};
    std::vector<std::uint32_t> hashes;
    for (const std::string& key : keys) {
        if (mine->second.erase(key) == 0)
            continue;
        hashes.push_back(medusaHash(key));
        --m_held[hashes.back()].users;
    }
    if (mine->second.empty())
        m_jobs.erase(mine);
    return takeUnused(hashes);
}

void Session::handOn(const std::string& from, const std::string& to, const std::string& key)
{
    const auto mine = m_jobs.find(from);
    if (mine == m_jobs.end() || mine->second.erase(key) == 0)
        return;
    if (mine->second.empty())
        m_jobs.erase(mine);
    m_jobs[to].insert(key);
}

TimePoint Session::heldSince(std::uint32_t hash) const
{
    const auto held = m_held.find(hash);
    return held == m_held.end() ? TimePoint() : held->second.since;
}

void Session::noteLocked(std::uint32_t hash)
{
    Held& held = m_held[hash];
    if (held.times++ == 0)
        held.since = m_clock.now();
}

Session::Locks Session::takeUnused(const std::vector<std::uint32_t>& hashes)
{
    Locks unused;
    for (const std::uint32_t hash : hashes) {
        const auto held = m_held.find(hash);
        if (held == m_held.end() || held->second.users > 0)
            continue;
        if (held->second.times > 0)
            unused[hash] = held->second.times;
        m_held.erase(held);
    }
    return unused;
}

void Session::unlock(const Locks& locks)
{
    if (!locks.empty() && !m_closed)
        letRun(sendAside(&m_connection, &m_statements.unlock, unlockParameters(locks)));
}

Session::Asking::Asking(Session& session, std::vector<std::uint32_t> hashes)
    : m_session(&session)
    , m_hashes(std::move(hashes))
    , m_losses(session.m_losses)
{
    for (const std::uint32_t hash : m_hashes)
        ++session.m_held[hash].users;
}

Session::Asking::~Asking()
{
    if (m_held || !m_session || m_session->m_losses != m_losses)
        return;
    for (const std::uint32_t hash : m_hashes) {
        Held& held = m_session->m_held[hash];
        --held.users;
        held.times += m_doubtful ? 1 : 0;
    }
    m_session->unlock(m_session->takeUnused(m_hashes));
}

void Session::Asking::noteLocked(std::uint32_t hash)
{
    if (m_session->m_losses == m_losses)
        m_session->noteLocked(hash);
}

void Session::Asking::becomeHeld(const std::string& owner, const LockKeys& keys)
{
    m_held = true;
    for (const std::uint32_t hash : m_hashes)
        m_session->noteLocked(hash);
    m_session->m_jobs[owner].insert(keys.begin(), keys.end());
    m_session->forgetLost(owner, keys); // those were of an earlier job
    if (m_session->m_beatTimer == 0)
        m_session->m_beatTimer =
            m_session->m_clock.callAfter(beatPause, [session = m_session] { session->beat(); });
}

void Session::onReady()
{
    m_listening = m_ear == Ear::Listens && !m_connection.isPooled();
    if (m_listening)
        Q_EMIT listening();
}

void Session::onLost()
{
    ++m_losses;
    m_listening = false;
    m_usable = true; // as far as is known of the next one
    m_held.clear();
    std::vector<std::pair<std::string, std::string>> jobs;
    for (auto& [owner, keys] : std::exchange(m_jobs, {})) {
        for (const std::string& key : keys)
            jobs.emplace_back(owner, key);
        m_lost[owner].merge(keys);
    }
    if (!jobs.empty())
        Q_EMIT lost(jobs);
}

void Session::beat()
{
    m_beatTimer = 0;
    if (m_jobs.empty())
        return;
    letRun(keepAlive(this));
    m_beatTimer = m_clock.callAfter(beatPause, [this] { beat(); });
}

} // namespace lockboard::postgres
