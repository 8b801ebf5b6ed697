// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_session.h"

#include "engine/errors.h"
#include "engine/postgres/postgres_statements.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

//! While locks are held in it: a session that is gone is to be noticed soon.
static constexpr Duration beatPause = 5s;
static constexpr Duration waitPause = 20ms;
static constexpr int mostWaits = 50;

PostgresSession::PostgresSession(const PostgresEndpoint& endpoint, const Container& container,
                                 const PostgresStatements& statements)
    : m_container(container)
    , m_connection(endpoint, container, "locks")
    , m_ping({}, "SELECT pg_backend_pid()")
    , m_begin({}, "BEGIN")
    , m_commit({}, "COMMIT")
    , m_clock(*container.clock)
    , m_resumer(m_clock)
{
    m_connection.setPreamble({&statements.relax, &statements.listen});
    connect(&m_connection, &PostgresConnection::lost, this, &PostgresSession::onLost);
}

PostgresSession::~PostgresSession()
{
    if (m_probe)
        m_probe->close();
    m_clock.cancel(m_beatTimer);
}

void PostgresSession::noteBackend(int pid)
{
    if (m_usable && m_connection.isReady() && pid != m_connection.backendPid())
        giveUp();
}

Task<void> PostgresSession::examine()
{
    const QPointer<PostgresSession> self(this);
    co_await askBackend(self);
    while (self && m_examining)
        co_await rest();
    if (!self || isExamined())
        co_return;
    m_examining = true;
    std::exception_ptr problem;
    try {
        if (m_usable && m_connection.isPooled())
            co_await tellApart(self);
    } catch (const LockError&) {
        problem = std::current_exception();
    }
    if (!self)
        co_return;
    if (m_probe) { // perhaps it is what resumes us
        m_probe->close();
        m_probe.release()->deleteLater();
    }
    m_examining = false;
    if (problem)
        std::rethrow_exception(problem);
    if (m_connection.isReady())
        m_examined = m_connection.session();
}

Task<void> PostgresSession::rest()
{
    Signal pause(m_resumer);
    co_await pause.wait(m_clock.now() + waitPause, std::stop_token());
}

static Task<void> run(PostgresConnection* connection, const PostgresStatement* statement)
{
    PostgresCall call(*connection, PostgresEffect::Reads);
    call.add(*statement, {});
    call.send();
    co_await call.result();
}

Task<void> PostgresSession::tellApart(QPointer<PostgresSession> self)
{
    // While another's transaction keeps one backend, we get a second; after it, a pooler that
    // shares them gives us the first. One that has none to spare lets us wait meanwhile.
    const PostgresEndpoint endpoint = self->m_connection.endpoint();
    // Ours, so that it ends with us: the clock may be gone soon after.
    self->m_probe = std::make_unique<PostgresConnection>(endpoint, self->m_container, "probe");
    const PostgresStatement begin = self->m_begin, commit = self->m_commit;
    co_await run(self->m_probe.get(), &begin);
    if (!self)
        co_return;
    keepAlive(self);
    for (int waits = 0; waits < mostWaits; ++waits) {
        if (!self || !self->m_usable || self->m_connection.isIdle())
            break;
        co_await self->rest();
    }
    if (self && !self->m_connection.isIdle())
        self->giveUp();
    if (!self)
        co_return;
    co_await run(self->m_probe.get(), &commit);
    for (int i = 0; i < 3 && self && self->m_usable; ++i)
        co_await askBackend(self);
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
    keepAlive(this);
    m_beatTimer = m_clock.callAfter(beatPause, [this] { beat(); });
}

Task<void> PostgresSession::keepAlive(QPointer<PostgresSession> self)
{
    try {
        co_await askBackend(self);
    } catch (const LockError&) {
        // the connection says what there is to say
    }
}

Task<void> PostgresSession::askBackend(QPointer<PostgresSession> self)
{
    PostgresCall call(self->m_connection, PostgresEffect::Reads);
    call.add(self->m_ping, {});
    call.send();
    const PostgresResult result = co_await call.result();
    if (self && !result.isError())
        self->noteBackend(static_cast<int>(result.integer(0, 0)));
}

} // namespace lockboard
