// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/view/copied_row.h"
#include "engine/postgres/view/live_view.h"
#include "engine/postgres/wire/number.h"

#include <QPointer>

#include <algorithm>

// How the live view looks at the table: at all of it, or again at some rows.

namespace lockboard::postgres {

using namespace std::chrono_literals;

static constexpr Duration quietPause = 5s;
static constexpr Duration longestPause = 30s;
static constexpr int pauseFactor = 50;
static constexpr int hasteFactor = 10; // if there are news
//! What costs the server next to nothing, however long it is under way.
static constexpr std::size_t fewRows = 1000;
//! Of the time: an answer is not read the moment it comes.
static constexpr Duration leastVagueness = 250ms;
static constexpr qsizetype batchSize = 5000;
static constexpr std::size_t mostKeys = 5000;
static constexpr Rows::Id sweepSlice = 20'000;

void View::begin(Phase phase)
{
    abandon();
    m_phase = phase;
    m_onceMore = false;
    m_changed = false;
    m_seen = 0;
    m_swept = 0;
    m_ended.clear();
    m_isGarbled = false;
    if (isSnapshotting()) {
        flush(); // what was noted so far belongs to the time before the snapshot
        m_batch.clear();
        m_toRead.clear();
        m_pause = shortestPause;
        m_roundTrip = std::chrono::nanoseconds::max();
        Q_EMIT snapshotStarted();
    } else {
        watchLeases();
    }
    letRun(readAll(m_scan, true));
}

Task<void> View::readAll(std::uint32_t scan, bool withRows)
{
    const QPointer<View> self(this);
    const auto isOver = [&] { return !self || scan != m_scan; };
    const Statements& statements = m_provider->statements();
    try {
        Call look(m_provider->bulk(), Effect::Reads);
        look.add(statements.lookAround, {});
        look.send();
        const Result around = co_await look.result();
        if (isOver())
            co_return;
        if (around.isError())
            std::rethrow_exception(m_provider->errorOf(around));
        takeLook(around, look.sentAt(), withRows);
        if (withRows) {
            Call copy(m_provider->bulk(), Effect::Reads);
            copy.add(statements.readAll, {});
            copy.streamTo([self, scan](std::string_view line) {
                if (self && scan == self->m_scan)
                    self->takeLine(line);
            });
            copy.send();
            const Result result = co_await copy.result();
            if (isOver())
                co_return;
            if (result.isError())
                std::rethrow_exception(m_provider->errorOf(result));
            if (m_isGarbled)
                throw Unavailable("PostgreSQL at " + m_provider->settings().endpoint.name()
                                  + " gave something else than rows of locks.");
            m_took += m_clock.now() - copy.sentAt() - m_roundTrip;
            if (isSnapshotting() && hasOrphans()) {
                Call again(m_provider->bulk(), Effect::Reads);
                again.add(statements.lookAround, {});
                again.send();
                const Result still = co_await again.result();
                if (isOver())
                    co_return;
                if (still.isError())
                    std::rethrow_exception(m_provider->errorOf(still));
                keepOrphansOf(still, again.sentAt());
            }
            m_sweepBegan = m_clock.now();
            sweep();
            co_return;
        }
    } catch (const LockError&) {
        if (!isOver())
            fail(std::current_exception());
        co_return;
    }
    m_reading = false;
    showSessions();
    sayLive();
    pollLater(m_changed, m_took);
    readSoon();
}

void View::takeLook(const Result& result, TimePoint sentAt, bool withRows)
{
    const double server = serverTimeFrom(result.text(0, 0));
    const TimePoint then = noteTime(server, sentAt);
    m_took = m_readAt - sentAt - m_roundTrip;
    if (withRows)
        m_rowsAhead = m_serverAhead;
    m_hasTrigger = result.isTrue(0, 1);
    m_looked = sessionsIn(result, server, then);
    m_sessionsHidden =
        std::ranges::any_of(m_looked, [](const auto& one) { return one.second.session.hidden; });
    // Where changes are pushed, or read right now, the rows are of the same time.
    for (auto& [which, one] : m_looked)
        one.tellingScan = withRows || isPushed() ? m_scan : m_scan + 1;
}

//! A line of COPY's text format: three columns.
void View::takeLine(std::string_view line)
{
    const std::optional<CopiedRow> row = CopiedRow::read(line, m_unescaped);
    if (!row) {
        m_isGarbled = true;
        return;
    }
    const std::uint32_t hash = medusaHash(row->key);
    Id id = m_rows.find(row->key, hash);
    const bool isNew = id == Rows::none;
    if (isNew)
        id = m_rows.insert(row->key, hash);
    take(id, row->owner.value_or(std::string_view()), row->owner.has_value(), row->expiration,
         isNew);
    if (m_batch.size() >= batchSize)
        flushBatch();
}

void View::flushBatch()
{
    if (m_batch.isEmpty())
        return;
    const LockBatch batch = std::exchange(m_batch, {});
    m_batch.reserve(batchSize);
    Q_EMIT snapshotBatch(batch);
}

//! Looks for rows that were not read, in slices.
void View::sweep()
{
    const Id end = std::min(m_rows.slots(), m_swept + sweepSlice);
    for (; m_swept < end && m_seen < m_rows.size(); ++m_swept) {
        if (m_rows[m_swept].alive && m_rows[m_swept].seen != m_scan)
            remove(m_swept);
    }
    if (m_seen == m_rows.size()) {
        finishReading();
        return;
    }
    const auto more = [this, scan = m_scan] {
        if (scan == m_scan)
            sweep();
    };
    QMetaObject::invokeMethod(this, more, Qt::QueuedConnection);
}

void View::finishReading()
{
    m_took += m_clock.now() - m_sweepBegan;
    const bool first = isSnapshotting();
    showResidue();
    showSessions();
    flushBatch();
    m_phase = Phase::Watching;
    if (first) {
        m_complete = true;
        Q_EMIT snapshotCompleted();
    }
    sayLive();
    m_rowsSoonest = m_clock.now() + pauseAfter(m_took, hasteFactor);
    m_rowsDue = m_clock.now() + (isPushed() ? longestPause : pauseAfter(m_took, pauseFactor));
    pollLater(m_changed || first, {});
    watchLeases();
    readSoon();
}

//! What time it was by the server, in seconds since 1970; when that was by ours. A clock may have
//! been set there, or have stood still here while the machine was asleep.
TimePoint View::noteTime(double server, TimePoint sentAt)
{
    m_readAt = m_clock.now();
    const auto waited = m_readAt - sentAt;
    // The quickest answer tells how long question and answer are under way. That is no load.
    m_roundTrip = std::min(m_roundTrip, waited);
    const TimePoint then = sentAt + waited / 2;
    m_serverNow = static_cast<std::int64_t>(server * 1000);
    m_serverAhead = Duration(m_serverNow) - std::chrono::floor<Duration>(then.time_since_epoch());
    m_vagueness = std::max<Duration>(leastVagueness, std::chrono::ceil<Duration>(waited));
    m_timeMoved = std::chrono::abs(m_serverAhead - m_rowsAhead) > m_vagueness;
    if (m_timeMoved && m_phase == Phase::Watching)
        m_onceMore = true;
    return then;
}

Duration View::pauseAfter(std::chrono::nanoseconds took, int factor) const
{
    const bool isSmall = m_rows.size() + m_sessions.size() <= fewRows;
    const Duration pause = std::chrono::ceil<Duration>(took * factor);
    return std::clamp<Duration>(pause, 0ms, isSmall ? quietPause : longestPause);
}

void View::pollLater(bool changed, std::chrono::nanoseconds took)
{
    m_pause = changed ? shortestPause : std::min<Duration>(m_pause * 3 / 2, quietPause);
    m_pause = std::max(m_pause, pauseAfter(took, pauseFactor));
    Duration pause = m_pause;
    if (m_onceMore) {
        m_rowsDue = std::min(m_rowsDue, m_rowsSoonest);
        pause = std::max(coalescing, std::chrono::ceil<Duration>(m_rowsSoonest - m_clock.now()));
    }
    pollAfter(pause);
}

void View::pollAfter(Duration pause)
{
    m_clock.cancel(m_pollTimer);
    m_pollTimer = m_clock.callAfter(pause, [this] {
        m_pollTimer = 0;
        poll();
    });
}

void View::poll()
{
    if (!m_provider->bulk().isReady())
        return; // when it is, all is looked at anew
    if (m_phase == Phase::Off) {
        begin(Phase::Snapshot);
    } else if (m_reading) {
        m_isOverdue = true;
    } else if (m_clock.now() >= m_rowsDue) {
        begin(Phase::Rereading);
    } else {
        m_changed = false;
        m_reading = true;
        letRun(readAll(m_scan, false));
    }
}

Task<void> View::readSome(std::uint32_t scan)
{
    if (m_reading || m_phase != Phase::Watching)
        co_return; // after that
    const QPointer<View> self(this);
    const auto isOver = [&] { return !self || scan != m_scan; };
    std::vector<std::string> keys;
    Array array;
    while (keys.size() < mostKeys && !m_toRead.empty()) {
        keys.push_back(std::move(m_toRead.extract(m_toRead.begin()).value()));
        array.add(keys.back());
    }
    m_reading = true;
    try {
        Parameters parameters;
        parameters << array.text();
        Call call(m_provider->bulk(), Effect::Reads);
        call.add(m_provider->statements().readSome, std::move(parameters));
        call.send();
        const Result result = co_await call.result();
        if (isOver())
            co_return;
        if (result.isError())
            std::rethrow_exception(m_provider->errorOf(result));
        takeSome(keys, result, call.sentAt());
    } catch (const LockError&) {
        if (!isOver())
            fail(std::current_exception());
        co_return;
    }
    m_reading = false;
    watchLeases();
    if (std::exchange(m_isOverdue, false))
        poll();
    else if (m_onceMore)
        pollLater(true, {});
    readSoon();
}

void View::takeSome(const std::vector<std::string>& keys, const Result& result, TimePoint sentAt)
{
    noteTime(serverTimeFrom(result.text(0, 3)), sentAt);
    std::unordered_set<std::string_view> found;
    for (int row = 0; row < result.rows(); ++row) {
        if (result.isNull(row, 0))
            continue; // there only to tell the time
        const std::string_view key = result.text(row, 0);
        const std::uint32_t hash = medusaHash(key);
        Id id = m_rows.find(key, hash);
        if (id == Rows::none)
            id = m_rows.insert(key, hash);
        found.insert(key);
        take(id, result.text(row, 1), !result.isNull(row, 1),
             result.isNull(row, 2) ? Row::never : msFromSeconds(result.text(row, 2)), true);
    }
    for (const std::string& key : keys) {
        if (found.contains(key))
            continue;
        const std::uint32_t hash = medusaHash(key);
        const Id id = m_rows.find(key, hash);
        if (id != Rows::none)
            remove(id);
        else
            remember(key, hash);
    }
    showResidue();
}

} // namespace lockboard::postgres
