// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_live_view.h"

#include "engine/errors.h"
#include "engine/postgres/postgres_provider.h"
#include "engine/task.h"

#include <charconv>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr Duration pollPause = 1s;
static constexpr qsizetype batchSize = 5000;

PostgresLiveView::PostgresLiveView(PostgresProvider& provider)
    : m_provider(&provider)
    , m_clock(*provider.container().clock)
    , m_copy({},
             "COPY (SELECT l.id, l.owner_id, CASE WHEN isfinite(l.expiration) THEN "
             "ceil(least(extract(epoch FROM l.expiration) - extract(epoch FROM "
             "clock_timestamp()), 1e12) * 1000)::bigint END FROM "
                 + provider.statements().table
                 + " l WHERE l.expiration IS NULL OR l.expiration > clock_timestamp()) TO STDOUT")
{
}

PostgresLiveView::~PostgresLiveView()
{
    detach();
}

void PostgresLiveView::detach()
{
    if (!m_provider)
        return; // the clock may have gone since
    m_clock.cancel(m_timer);
    m_timer = 0;
    m_provider = nullptr;
}

void PostgresLiveView::doStart()
{
    if (m_provider)
        read();
}

void PostgresLiveView::doRefresh()
{
    scheduleRead(0ms);
}

void PostgresLiveView::noteChanged(const std::vector<std::string>&)
{
    scheduleRead(10ms);
}

void PostgresLiveView::noteAllChanged()
{
    scheduleRead(10ms);
}

void PostgresLiveView::onWarningsChanged() { }

void PostgresLiveView::scheduleRead(Duration pause)
{
    if (!m_provider)
        return;
    m_again = m_reading;
    if (m_reading)
        return;
    m_clock.cancel(m_timer);
    m_timer = m_clock.callAfter(pause, [this] { read(); });
}

Task<void> PostgresLiveView::read()
{
    if (m_reading || !m_provider)
        co_return;
    m_reading = true;
    m_again = false;
    const QPointer<PostgresLiveView> self(this);
    if (m_first)
        Q_EMIT snapshotStarted();
    m_read.clear();
    std::exception_ptr problem;
    try {
        PostgresCall call(m_provider->bulk(), PostgresEffect::Reads);
        call.add(m_copy, {});
        call.streamTo([self](std::string_view line) {
            if (self && self->m_provider)
                self->takeLine(line);
        });
        m_readAt = m_clock.now();
        call.send();
        const PostgresResult result = co_await call.result();
        if (!self || !m_provider)
            co_return;
        if (result.isError())
            problem = m_provider->errorOf(result);
    } catch (const LockError&) {
        problem = std::current_exception();
    }
    if (!self || !m_provider)
        co_return;
    m_reading = false;
    if (problem) {
        setState(SourceState(m_first ? SourceState::Failed : SourceState::Stale,
                             QString::fromStdString(messageOf(problem))));
    } else {
        for (const auto& [key, lock] : m_known) {
            if (!m_read.contains(key))
                note(ChangeKind::Released, lock);
        }
        for (const auto& [key, lock] : m_read) {
            const auto known = m_known.find(key);
            if (m_first)
                m_batch.push_back(lock);
            else if (known == m_known.end())
                note(ChangeKind::Acquired, lock);
            else if (known->second.owner != lock.owner)
                note(ChangeKind::OwnerChanged, lock);
            else if (known->second.leaseEnd != lock.leaseEnd)
                note(ChangeKind::Extended, lock);
        }
        m_known.swap(m_read);
        if (m_first) {
            Q_EMIT snapshotBatch(m_batch);
            m_batch.clear();
            Q_EMIT snapshotCompleted();
        }
        m_first = false;
        setState(SourceState(SourceState::Live));
    }
    scheduleRead(m_again ? 10ms : pollPause);
}

void PostgresLiveView::takeLine(std::string_view line)
{
    std::string fields[3];
    bool isNull[3] = {};
    int at = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\t' && at < 2) {
            ++at;
        } else if (line[i] == '\\' && i + 1 < line.size()) {
            const char next = line[++i];
            if (next == 'N')
                isNull[at] = true;
            fields[at] += next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next;
        } else if (line[i] != '\n') {
            fields[at] += line[i];
        }
    }
    Lock lock(fields[0], isNull[1] ? Owner() : Owner(fields[1]));
    if (!isNull[2]) {
        std::int64_t rest = 0;
        std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), rest);
        lock.leaseEnd = m_readAt + Duration(rest);
    }
    lock.token = m_provider->tokenOf(lock.key, lock.owner);
    m_read.emplace(fields[0], lock);
}

} // namespace lockboard
