// SPDX-License-Identifier: MIT
#include "engine/postgres/view/live_view.h"

#include "engine/contract/medusa_hash.h"
#include "engine/postgres/locks/provider.h"

#include <algorithm>

namespace lockboard::postgres {

using namespace std::chrono_literals;

//! A clock that counts nanoseconds does not reach as far as a date.
static constexpr std::int64_t longestLeaseMs = std::int64_t(100) * 365 * 24 * 3600 * 1000;

View::View(Provider& provider)
    : m_provider(&provider)
    , m_clock(*provider.container().clock)
    , m_pause(shortestPause)
{
    const Connection* const work = &provider.connection();
    const Connection* const bulk = &provider.bulk();
    const Connection* const session = &provider.session().connection();
    for (const Connection* const one : {work, bulk})
        connect(one, &Connection::ready, this, &View::onReady);
    connect(bulk, &Connection::unavailable, this,
            [this] { onUnavailable(m_provider->bulk().problem()); });
    connect(work, &Connection::unavailable, this, [this] {
        if (!m_complete)
            onUnavailable(m_provider->connection().problem());
    });
    connect(session, &Connection::ready, this, &View::onSessionChanged);
    connect(session, &Connection::lost, this, &View::onSessionChanged);
}

View::~View()
{
    if (m_provider) // else the clock may have gone too
        abandon();
}

void View::detach()
{
    abandon();
    for (Connection* const one :
         {&m_provider->connection(), &m_provider->bulk(), &m_provider->session().connection()})
        one->disconnect(this);
    m_provider = nullptr;
    say(SourceState(SourceState::Failed, tr("The provider was closed.")));
}

void View::doStart()
{
    if (!m_provider)
        return;
    m_started = true;
    m_provider->connection().open();
    m_provider->bulk().open();
    if (m_provider->session().isUsable())
        m_provider->session().connection().open();
    say(SourceState(SourceState::Connecting));
    for (Connection* const one : {&m_provider->connection(), &m_provider->bulk()}) {
        if (one->problem()) {
            fail(one->problem());
            return;
        }
    }
    onReady();
}

void View::doRefresh()
{
    if (m_provider && m_started && m_provider->bulk().isReady())
        begin(Phase::Snapshot);
}

void View::onReady()
{
    // The table may be made by the first of them.
    if (!m_started || m_phase != Phase::Off || !m_provider->bulk().isReady()
        || !(m_complete || m_provider->connection().isReady()))
        return;
    if (!m_complete)
        say(SourceState(SourceState::Connecting));
    begin(Phase::Snapshot);
}

void View::onUnavailable(const std::exception_ptr& problem)
{
    if (m_started && problem)
        fail(problem);
}

//! What was notified while nobody listened is not known.
void View::onSessionChanged()
{
    if (m_phase == Phase::Off)
        return;
    if (state().kind == SourceState::Live)
        sayLive();
    if (m_hasTrigger)
        noteAllChanged();
}

void View::say(SourceState state)
{
    if (m_provider) {
        for (const std::string& warning : m_provider->warnings())
            state.warnings << QString::fromStdString(warning);
        if (m_sessionsHidden)
            state.warnings << tr("This user may not see other users' sessions: of those that hold "
                                 "advisory locks, client, state and age are missing; being a "
                                 "member of pg_read_all_stats would show them.");
        state.insecure = !m_provider->settings().endpoint.warnings().empty();
    }
    setState(std::move(state));
}

void View::sayLive()
{
    SourceState live(SourceState::Live);
    live.mode = isPushed() ? tr("push (trigger)") : tr("polling");
    say(std::move(live));
}

bool View::isPushed() const
{
    Session& session = m_provider->session();
    return m_hasTrigger && session.isListening();
}

void View::onWarningsChanged()
{
    if (!m_started)
        return;
    SourceState same = state();
    same.warnings.clear();
    if (same.kind == SourceState::Live)
        sayLive();
    else
        say(std::move(same));
}

void View::fail(const std::exception_ptr& problem)
{
    abandon();
    // What was shown stands, if the trouble is one that passes.
    SourceState::Kind kind = m_complete ? SourceState::Stale : SourceState::Failed;
    try {
        std::rethrow_exception(problem);
    } catch (const LockError& error) {
        const bool denied = error.code() == ErrorCode::Denied;
        if (denied)
            kind = SourceState::Failed;
        say(SourceState(kind, QString::fromStdString(error.message()), denied));
    }
    if (m_provider->bulk().isReady()) // it may go better then
        pollAfter(shortestPause);
}

//! Forgets what is under way; answers still to come find another number.
void View::abandon()
{
    ++m_scan;
    m_phase = Phase::Off;
    m_reading = false;
    m_isOverdue = false;
    for (Clock::TimerId* const timer : {&m_pollTimer, &m_readTimer, &m_leaseTimer}) {
        m_clock.cancel(*timer);
        *timer = 0;
    }
}

void View::noteChanged(const std::vector<std::string>& keys)
{
    if (m_phase == Phase::Off)
        return;
    m_toRead.insert(keys.begin(), keys.end());
    readSoon();
}

void View::noteAllChanged()
{
    // Asked for again and again, it is not to be put off each time.
    if (!std::exchange(m_onceMore, true) && m_phase == Phase::Watching && !m_reading)
        pollLater(true, {});
}

void View::readSoon()
{
    if (m_phase == Phase::Watching && !m_reading && m_readTimer == 0 && !m_toRead.empty()) {
        m_readTimer = m_clock.callAfter(coalescing, [this] {
            m_readTimer = 0;
            letRun(readSome(m_scan));
        });
    }
}

void View::watchLeases()
{
    const auto next = m_rows.nextDue();
    if (!next || m_phase == Phase::Off || isSnapshotting()
        || (m_leaseTimer != 0 && m_leaseTimerDue <= *next)) // that one will look anew
        return;
    m_clock.cancel(m_leaseTimer);
    m_leaseTimerDue = *next;
    m_leaseTimer = m_clock.callAt(*next, [this] {
        m_leaseTimer = 0;
        constexpr std::size_t most = 5000;
        noteChanged(m_rows.takeDue(m_clock.now(), most));
        watchLeases();
    });
}

void View::take(Id id, std::string_view owner, bool owned, std::int64_t expiration,
                bool mayHaveToken)
{
    const std::int64_t now = m_serverNow;
    Row& row = m_rows[id];
    if (row.seen != m_scan) {
        row.seen = m_scan;
        ++m_seen;
    }
    const bool isOver = expiration <= now;
    const Row::State state = isOver ? Row::Residue : Row::Held;
    const bool sameOwner = row.isOwnedBy(owner, owned);
    const bool sameEnd = row.expiration == expiration;
    const Row::State before = std::exchange(row.state, state);
    // That a lease has ended is said of the lock as it last was; what is left of it follows at
    // once.
    const bool hasEnded = before == Row::Held && isOver && !isSnapshotting();
    if (hasEnded)
        say(ChangeKind::Expired, id);
    if (!sameOwner) {
        row.owner = owner;
        row.owned = owned;
    }
    const std::int64_t left = std::clamp(expiration - now, -longestLeaseMs, longestLeaseMs);
    const TimePoint leaseEnd(Duration(now + left) - m_serverAhead);
    // The clocks may go apart, by jumps too.
    const bool moved = sameEnd && std::abs(left) < longestLeaseMs
        && std::chrono::abs(leaseEnd - row.leaseEnd) > m_vagueness;
    // Where our clock was ahead, once more.
    if (!sameEnd || moved || (!isOver && row.leaseEnd <= m_readAt)) {
        row.expiration = expiration;
        row.leaseEnd = leaseEnd;
    }
    FencingToken token = sameOwner ? row.token : 0;
    if (m_provider->hasTokens() && (mayHaveToken || !sameOwner))
        token = m_provider->tokenOf(row.key, lockOf(row).owner).value_or(0);
    const bool sameToken = std::exchange(row.token, token) == token;
    if (state == Row::Held && expiration != row.never)
        m_rows.setDue(id, row.leaseEnd + Duration(1));
    else
        m_rows.setDue(id, {});
    if (isSnapshotting())
        m_batch.push_back(lockOf(row));
    else if (hasEnded)
        m_ended.push_back(id);
    else if (before == Row::New)
        say(ChangeKind::Acquired, id);
    else if (!sameOwner)
        say(ChangeKind::OwnerChanged, id);
    else if (!sameEnd || moved || !sameToken || before != state)
        say(ChangeKind::Extended, id);
}

//! Shows what is left of the locks whose leases were found to have ended: right after the batch
//! that says so, so that nobody sees the row missing in between.
void View::showResidue()
{
    if (m_ended.empty())
        return;
    flush();
    for (const Id id : std::exchange(m_ended, {})) {
        if (m_rows[id].state == Row::Residue)
            say(ChangeKind::Acquired, id);
    }
    flush();
}

void View::remove(Id id)
{
    const Row& row = m_rows[id];
    if (row.state != Row::New && !isSnapshotting()) {
        const bool isOver =
            row.state == Row::Held && row.expiration != row.never && row.leaseEnd <= m_clock.now();
        say(isOver ? ChangeKind::Expired : ChangeKind::Released, id);
    }
    remember(row.key, row.hash);
    if (row.seen == m_scan)
        --m_seen;
    m_rows.remove(id);
}

void View::say(ChangeKind kind, Id id)
{
    m_changed = true;
    note(kind, lockOf(m_rows[id]));
}

Lock View::lockOf(const Row& row) const
{
    Lock lock(row.key, row.owned ? Owner(row.owner) : Owner());
    if (row.expiration != row.never)
        lock.leaseEnd = row.leaseEnd;
    if (row.state == Row::Residue)
        lock.state = LockState::Residue;
    if (row.token != 0)
        lock.token = row.token;
    return lock;
}

} // namespace lockboard::postgres
