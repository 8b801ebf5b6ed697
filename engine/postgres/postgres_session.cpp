// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_session.h"

#include "engine/errors.h"
#include "engine/postgres/postgres_statements.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

//! While locks are held in it: a session that is gone is to be noticed soon.
static constexpr Duration beatPause = 5s;

PostgresSession::PostgresSession(const PostgresEndpoint& endpoint, const Container& container,
                                 const PostgresStatements& statements)
    : m_connection(endpoint, container, "locks")
    , m_ping({}, "SELECT pg_backend_pid()")
    , m_clock(*container.clock)
{
    m_connection.setPreamble({&statements.relax, &statements.listen});
    connect(&m_connection, &PostgresConnection::lost, this, &PostgresSession::onLost);
}

PostgresSession::~PostgresSession()
{
    m_clock.cancel(m_beatTimer);
}

void PostgresSession::noteBackend(int pid)
{
    if (m_usable && m_connection.isReady() && pid != m_connection.backendPid())
        giveUp();
}

void PostgresSession::compareWith(const PostgresConnection& other)
{
    // Two sessions that are open at a time can't be one.
    if (m_usable && m_connection.isReady() && m_connection.isPooled()
        && other.backendPid() == m_connection.backendPid())
        giveUp();
}

void PostgresSession::giveUp()
{
    m_usable = false;
    onLost();
    Q_EMIT becameUnusable();
}

void PostgresSession::hold(const std::string& owner, const std::string& firstKey,
                           const std::vector<std::uint32_t>& hashes)
{
    for (const std::uint32_t hash : hashes) {
        ++m_held[hash].users;
        ++m_held[hash].times;
    }
    Job& job = m_jobs[owner];
    job.firstKey = firstKey;
    job.hashes.insert(job.hashes.end(), hashes.begin(), hashes.end());
    if (m_beatTimer == 0)
        m_beatTimer = m_clock.callAfter(beatPause, [this] { beat(); });
}

void PostgresSession::holdPerhaps(const std::vector<std::uint32_t>& hashes)
{
    for (const std::uint32_t hash : hashes)
        ++m_held[hash].times;
}

std::map<std::uint32_t, int> PostgresSession::letGo(const std::string& owner,
                                                    const std::vector<std::uint32_t>& hashes)
{
    const auto job = m_jobs.find(owner);
    if (job == m_jobs.end())
        return {};
    std::vector<std::uint32_t>& mine = job->second.hashes;
    for (const std::uint32_t hash : hashes) {
        const auto one = std::find(mine.begin(), mine.end(), hash);
        if (one == mine.end())
            continue;
        mine.erase(one);
        --m_held[hash].users;
    }
    if (mine.empty())
        m_jobs.erase(job);
    return takeUnused(hashes);
}

std::map<std::uint32_t, int> PostgresSession::takeUnused(const std::vector<std::uint32_t>& hashes)
{
    std::map<std::uint32_t, int> unused;
    for (const std::uint32_t hash : hashes) {
        const auto held = m_held.find(hash);
        if (held == m_held.end() || held->second.users > 0)
            continue;
        unused[hash] = held->second.times;
        m_held.erase(held);
    }
    return unused;
}

void PostgresSession::onLost()
{
    m_held.clear();
    std::vector<std::pair<std::string, std::string>> jobs;
    for (const auto& [owner, job] : std::exchange(m_jobs, {})) {
        m_lost.insert(owner);
        jobs.emplace_back(owner, job.firstKey);
    }
    if (!jobs.empty())
        Q_EMIT lost(jobs);
}

void PostgresSession::beat()
{
    m_beatTimer = 0;
    if (m_jobs.empty())
        return;
    askBackend(this);
    m_beatTimer = m_clock.callAfter(beatPause, [this] { beat(); });
}

Task<void> PostgresSession::askBackend(QPointer<PostgresSession> self)
{
    try {
        PostgresCall call(self->m_connection, PostgresEffect::Reads);
        call.add(self->m_ping, {});
        call.send();
        const PostgresResult result = co_await call.result();
        if (self && !result.isError())
            self->noteBackend(static_cast<int>(result.integer(0, 0)));
    } catch (const LockError&) {
        // the connection says what there is to say
    }
}

} // namespace lockboard
