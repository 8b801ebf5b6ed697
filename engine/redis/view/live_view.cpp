// SPDX-License-Identifier: MIT
#include "engine/redis/view/live_view.h"

#include "engine/redis/locks/provider.h"

namespace lockboard::redis {

using namespace std::chrono_literals;

static constexpr Duration tickLength = 20ms;
static constexpr std::size_t mostTouched = 200'000;

View::View(Provider& provider)
    : m_provider(&provider)
    , m_clock(provider.sharedClock())
{
    connect(&provider.client(), &Client::ready, this, &View::onReady);
    connect(&provider.client(), &Client::unavailable, this, &View::onUnavailable);
    connect(&provider.client(), &Client::topologyChanged, this, &View::lookAtAll);
    connect(&provider.push(), &PushGroup::live, this, &View::lookAtAll);
    connect(&provider.push(), &PushGroup::flushed, this, &View::lookAtAll);
    connect(&provider.push(), &PushGroup::troubled, this, &View::lookAtAll);
    connect(&provider.push(), &PushGroup::lost, this, &View::onPushLost);
}

View::~View()
{
    if (m_provider)
        abandon();
}

void View::detach()
{
    abandon();
    m_provider->client().disconnect(this);
    m_provider->push().disconnect(this);
    m_provider = nullptr;
    say(SourceState(SourceState::Failed, tr("The provider was closed.")));
}

void View::doStart()
{
    if (!m_provider)
        return;
    m_started = true;
    m_provider->push().open();
    say(SourceState(SourceState::Connecting));
    const Client& client = m_provider->client();
    if (client.isReady())
        begin(Phase::Snapshot);
    else if (const auto problem = client.problem())
        fail(problem);
}

void View::doRefresh()
{
    if (m_provider && m_started && m_provider->client().isReady())
        begin(Phase::Snapshot);
}

void View::onReady()
{
    if (!m_started)
        return;
    if (!m_complete)
        say(SourceState(SourceState::Connecting));
    begin(Phase::Snapshot);
}

void View::onUnavailable()
{
    if (m_started)
        fail(m_provider->client().problem());
}

void View::lookAtAll()
{
    if (m_phase == Phase::Watching)
        begin(Phase::Rescan);
    else
        m_onceMore = true;
}

void View::say(SourceState state)
{
    if (m_provider) {
        for (const std::string& warning : m_provider->warnings())
            state.warnings << QString::fromStdString(warning);
        if (m_provider->client().isPartlyKnown())
            state.warnings << tr("This user may not ask the cluster for its slots (CLUSTER SLOTS): "
                                 "locks on nodes not met yet don't show.");
        state.insecure = m_provider->isInsecure();
    }
    setState(std::move(state));
}

void View::sayLive()
{
    SourceState live(SourceState::Live);
    const PushGroup& push = m_provider->push();
    live.mode = push.isLive() ? tr("push (%1)").arg(QLatin1String(push.way())) : tr("polling");
    live.why = m_hidden;
    say(std::move(live));
}

void View::onWarningsChanged()
{
    SourceState same = state();
    same.warnings.clear();
    if (m_started)
        say(std::move(same));
}

void View::onPushLost()
{
    if (state().kind == SourceState::Live)
        sayLive();
    if (m_phase == Phase::Watching)
        pollAfter(shortestPoll);
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
}

//! Forgets what is under way; answers still to come find another number.
void View::abandon()
{
    ++m_scan;
    m_phase = Phase::Off;
    m_clock.cancel(m_pollTimer);
    m_clock.cancel(m_leaseTimer);
    m_leaseTimer = 0;
}

void View::pollAfter(Duration pause)
{
    m_clock.cancel(m_pollTimer);
    m_pollTimer = m_clock.callAfter(pause, [this] {
        if (m_provider->client().isReady())
            begin(m_complete && state().kind == SourceState::Live ? Phase::Rescan
                                                                  : Phase::Snapshot);
    });
}

std::optional<ChangeKind> View::update(Locks::iterator it, bool isNew, const Entry& entry,
                                       const Page& page)
{
    const bool lock = entry.kind == Entry::Lock;
    return update(it, isNew, entry.value, lock ? LockState::Held : LockState::WrongType,
                  entry.left ? page.asked + *entry.left : never,
                  entry.left ? page.answered + *entry.left : never, entry.note);
}

std::optional<ChangeKind> View::update(Locks::iterator it, bool isNew, std::string_view value,
                                       LockState state, TimePoint earliestEnd, TimePoint latestEnd,
                                       const Note& note)
{
    Known& known = it->second;
    const bool ends = latestEnd != never;
    setCheck(it, ends ? latestEnd + 1ms : never);
    const bool sameEnd = ends == (known.leaseEnd != never)
        && (!ends
            || (known.leaseEnd >= earliestEnd - noise && known.leaseEnd <= latestEnd + noise));
    const bool sameOwner = known.value == value && known.state == state;
    if (!isNew && sameEnd && sameOwner && known.note == note)
        return {};
    if (isNew || !sameEnd)
        known.leaseEnd = earliestEnd;
    known.value = value;
    known.state = state;
    known.note = note;
    if (isNew)
        return ChangeKind::Acquired;
    return sameOwner ? ChangeKind::Extended : ChangeKind::OwnerChanged;
}

void View::remove(Locks::iterator it, ChangeKind why)
{
    note(why, lockOf(it));
    setCheck(it, never);
    if (it->second.seen == m_scan)
        --m_seen;
    m_locks.erase(it);
}

Lock View::lockOf(Locks::const_iterator it) const
{
    const Known& known = it->second;
    std::optional<TimePoint> end;
    if (known.leaseEnd != never)
        end = known.leaseEnd;
    if (known.state == LockState::WrongType) {
        Lock lock(it->first, {}, end, known.state);
        lock.detail = known.value;
        return lock;
    }
    Lock lock(it->first, known.value == "*" ? Owner() : Owner(known.value), end);
    lock.token = known.note.token;
    lock.note = known.note.holder;
    return lock;
}

void View::setCheck(Locks::iterator it, TimePoint when)
{
    Known& known = it->second;
    const std::int64_t tick = when == never ? noTick : when.time_since_epoch() / tickLength + 1;
    if (known.tick == tick || (known.tick != noTick && std::abs(tick - known.tick) == 1))
        return; // a look too early just looks again
    if (known.tick != noTick) {
        const auto slot = m_due.find(known.tick);
        Locks::value_type* const last = slot->second.back();
        slot->second[known.place] = last;
        last->second.place = known.place;
        slot->second.pop_back();
        if (slot->second.empty())
            m_due.erase(slot);
    }
    known.tick = tick;
    if (tick == noTick)
        return;
    auto& slot = m_due[tick];
    known.place = static_cast<std::uint32_t>(slot.size());
    slot.push_back(&*it);
}

void View::watchLeases()
{
    if (m_phase == Phase::Off || isSnapshotting() || m_due.empty())
        return;
    const std::int64_t next = m_due.begin()->first;
    if (m_leaseTimer != 0 && m_leaseTimerTick <= next)
        return; // that one will look anew
    m_clock.cancel(m_leaseTimer);
    m_leaseTimerTick = next;
    m_leaseTimer = m_clock.callAt(TimePoint(next * tickLength), [this] {
        m_leaseTimer = 0;
        checkLeases();
    });
}

void View::checkLeases()
{
    const std::int64_t now = m_clock.now().time_since_epoch() / tickLength;
    std::vector<std::string> due;
    while (!m_due.empty() && m_due.begin()->first <= now && due.size() < Provider::pageSize) {
        const auto slot = m_due.begin();
        Locks::value_type* const lock = slot->second.back();
        due.push_back(lock->first);
        lock->second.tick = noTick;
        slot->second.pop_back();
        if (slot->second.empty())
            m_due.erase(slot);
    }
    lookAgain(std::move(due));
    watchLeases();
}

void View::noteHeld(const std::string& key, const std::string& value,
                    std::optional<TimePoint> leaseEnd)
{
    if (m_phase == Phase::Off)
        return;
    if (isSnapshotting()) {
        m_touched.insert(key);
        return;
    }
    const auto [it, isNew] = m_locks.try_emplace(key);
    if (it->second.seen != m_scan) {
        it->second.seen = m_scan;
        ++m_seen;
    }
    const TimePoint end = leaseEnd.value_or(never);
    if (const auto change = update(it, isNew, value, LockState::Held, end, end))
        note(*change, lockOf(it));
    watchLeases();
}

void View::noteGone(const std::string& key)
{
    if (m_phase == Phase::Off)
        return;
    if (isSnapshotting()) {
        m_touched.insert(key);
        return;
    }
    const auto it = m_locks.find(key);
    if (it != m_locks.end())
        remove(it, ChangeKind::Released);
}

void View::noteChanged(std::vector<std::string> keys)
{
    if (m_phase == Phase::Off)
        return;
    if (isSnapshotting() && m_touched.size() > mostTouched)
        m_onceMore = true; // all of it is looked at again after the snapshot
    else if (isSnapshotting())
        m_touched.insert(keys.begin(), keys.end());
    else
        lookAgain(std::move(keys));
}

} // namespace lockboard::redis
