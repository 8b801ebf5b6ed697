// SPDX-License-Identifier: MIT
#include "tests/simulation/simulation.h"

#include <algorithm>

namespace lockboard::test {

using namespace std::chrono_literals;
using lab::EventKind;

const char* RareStates::nameOf(State state)
{
    static constexpr std::array<const char*, Count> names{
        "a reply lost after a grant",
        "a renewal in flight at the lease's end",
        "a takeover while a waiter gives up",
        "closing with a question in flight",
        "silence longer than the store's patience",
        "a grant that came after its lease",
        "a late grant to a named owner",
    };
    return names[state];
}

void RareStates::add(const RareStates& other)
{
    for (std::size_t i = 0; i < Count; ++i)
        m_counts[i] += other.m_counts[i];
}

//! One stream of chance.
class Simulation::Random final {
public:
    Random(std::uint64_t seed, std::uint64_t stream)
        : m_state(seed * 0x9e3779b97f4a7c15ULL + stream * 0xbf58476d1ce4e5b9ULL + 1)
    {
    }
    std::uint64_t next() // splitmix64: the same everywhere
    {
        std::uint64_t z = (m_state += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    std::int64_t between(std::int64_t least, std::int64_t most)
    {
        return least + static_cast<std::int64_t>(next() % std::uint64_t(most - least + 1));
    }
    Duration between(Duration least, Duration most)
    {
        return Duration(between(least.count(), most.count()));
    }
    bool chance(double probability) { return double(next() >> 11) * 0x1p-53 < probability; }
    template <typename T> const T& oneOf(const std::vector<T>& all)
    {
        return all[std::size_t(between(std::int64_t(0), std::int64_t(all.size()) - 1))];
    }

private:
    std::uint64_t m_state;
};

//! A program that uses the locks.
struct Simulation::Process {
    int number = 0;
    std::unique_ptr<ScriptedStore> store; // null once it is closed
    std::optional<TimePoint> closedAt;
    bool isSevered = false; // new requests are not sent
};

struct Simulation::CallState {
    std::stop_source stop;
    Process* process = nullptr;
    Duration holdsFor{};
    bool isGranted = false;
    bool isReleased = false;
    bool releaseIsSure = false;
    std::optional<TimePoint> leaseEnd;
    std::optional<FencingToken> token;
    std::optional<TimePoint> endedAt;
    bool hasEnded = false;
    bool isTold = false;
};

Simulation::Simulation(std::uint64_t seed)
    : m_server(m_clock)
    , m_resumer(m_clock)
    , m_tuning(std::make_unique<Random>(seed, 1))
    , m_callsRandom(std::make_unique<Random>(seed, 2))
    , m_lines(std::make_unique<Random>(seed, 3))
    , m_faultsRandom(std::make_unique<Random>(seed, 4))
{
    tune();
}

Simulation::~Simulation()
{
    m_processes.clear();
    m_resumer.drain();
}

void Simulation::tune()
{
    Random& random = *m_tuning;
    m_callCount = int(random.between(4, 22));
    m_patience = random.oneOf(std::vector<Duration>{300ms, 1000ms, 3000ms});
    m_lossRate = random.oneOf(std::vector<double>{0, 0.03, 0.12});
    m_slowRate = random.oneOf(std::vector<double>{0, 0.05, 0.2});
    m_withTokens = random.chance(0.4);
    m_quiet = m_clock.start() + random.between(4s, 12s);
    m_server.setRate(random.oneOf(std::vector<double>{1, 0.996, 1.004}));
    for (int i = int(random.between(1, 3)); i > 0; --i)
        m_keys.push_back(std::string(1, char('a' + i)));
    for (int i = int(random.between(1, 3)); i > 0; --i) {
        auto process = std::make_unique<Process>();
        process->number = i;
        const Container container(m_clock, [](LogLevel, const std::string&) {});
        process->store = std::make_unique<ScriptedStore>(m_server, container, m_patience);
        process->store->hasTokens = m_withTokens;
        Process* const self = process.get();
        process->store->choose = [this, self](Verb verb, const LockKeys& keys) {
            return drawFate(*self, verb, keys);
        };
        process->store->observe = [this](Verb, const std::string& owner, const std::string&,
                                         std::optional<TimePoint> end) {
            const auto it = m_executing.find(owner);
            if (it != m_executing.end() && !m_calls[std::size_t(it->second)]->isTold)
                m_history.note(EventKind::Renewed, it->second, m_clock.now(), end);
        };
        m_processes.push_back(std::move(process));
    }
}

Fate Simulation::drawFate(Process& process, Verb verb, const LockKeys&)
{
    Random& random = *m_lines;
    Duration there = random.between(1ms, 4ms);
    const Duration back = random.between(1ms, 4ms);
    if (m_clock.now() >= m_quiet)
        return Fate(Fate::Answered, there, back);
    if (process.isSevered)
        return Fate(Fate::NotSent);
    if (random.chance(m_lossRate)) {
        switch (random.between(std::int64_t(0), std::int64_t(2))) {
        case 0:
            return Fate(Fate::LostBefore, there);
        case 1:
            if (verb == Verb::Acquire)
                m_rare.reach(RareStates::ReplyLostAfterGrant);
            return Fate(Fate::LostAfter, there);
        default:
            m_rare.reach(RareStates::SilenceBeyondPatience);
            return Fate(Fate::Silent, random.chance(0.5) ? there : m_patience + 50ms);
        }
    }
    if (random.chance(m_slowRate)) {
        const Duration slow = random.between(50ms, 2500ms);
        return random.chance(0.5) ? Fate(Fate::Answered, slow, back)
                                  : Fate(Fate::Answered, there, slow);
    }
    return Fate(Fate::Answered, there, back);
}

void Simulation::scheduleFaults()
{
    Random& random = *m_faultsRandom;
    const Duration length = std::chrono::duration_cast<Duration>(m_quiet - m_clock.start());
    const auto when = [&] { return m_clock.start() + random.between(0ms, length); };
    for (auto count = random.between(0, 2); count > 0; --count) { // the server is silent
        const Duration time = random.between(100ms, 4000ms);
        m_clock.callAt(when(), [this, time] {
            if (time > m_patience)
                m_rare.reach(RareStates::SilenceBeyondPatience);
            m_server.pauseUntil(std::min(m_clock.now() + time, m_quiet));
        });
    }
    for (auto count = random.between(0, 2); count > 0; --count) { // a process has no line
        Process* const process = random.oneOf(m_processes).get();
        const Duration time = random.between(100ms, 3000ms);
        m_clock.callAt(when(), [this, process, time] {
            process->isSevered = true;
            m_clock.callAfter(time, [process] { process->isSevered = false; });
        });
    }
    for (auto count = random.between(0, 2); count > 0; --count) { // an operator
        const std::string key = random.oneOf(m_keys);
        m_clock.callAt(when(), [this, key] {
            if (!m_server.find(key))
                return;
            m_server.remove(key);
            lab::Event event;
            event.kind = EventKind::Removed;
            event.at = m_clock.now();
            event.key = key;
            m_history.add(std::move(event));
        });
    }
    if (m_processes.size() > 1 && random.chance(0.35)) {
        Process* const process = random.oneOf(m_processes).get();
        m_clock.callAt(when(), [this, process] { closeProcess(*process); });
    }
}

void Simulation::closeProcess(Process& process)
{
    if (!process.store)
        return;
    if (process.store->hasOpenRequests())
        m_rare.reach(RareStates::ClosingWithQuestionInFlight);
    process.closedAt = m_clock.now();
    process.store.reset();
}

void Simulation::scheduleCalls()
{
    Random& random = *m_callsRandom;
    const Duration length = std::chrono::duration_cast<Duration>(m_quiet - m_clock.start());
    for (int i = 0; i < m_callCount; ++i) {
        Process* const process = random.oneOf(m_processes).get();
        m_clock.callAt(m_clock.start() + random.between(0ms, length), [this, process] {
            if (process->store)
                makeCall(*process);
        });
    }
}

void Simulation::makeCall(Process& process)
{
    if (m_callsRandom->chance(0.55))
        makeExecute(process);
    else
        makeAcquire(process);
}

void Simulation::makeAcquire(Process& process)
{
    Random& random = *m_callsRandom;
    lab::Call call;
    call.kind = lab::Call::Acquire;
    AcquireOptions options;
    const std::string prefix = 'p' + std::to_string(process.number) + ' ';
    const bool several = m_keys.size() > 1 && random.chance(0.25);
    call.keys = several ? LockKeys(m_keys) : LockKeys(random.oneOf(m_keys));
    if (several) // its own: what it holds is released as a whole
        call.owner = prefix + std::to_string(m_calls.size());
    else if (!m_withTokens || random.chance(0.8)) // without owner only a token tells grants apart
        call.owner = prefix + (random.chance(0.5) ? "ann" : "bob");
    if (call.owner && m_releasing.contains(*call.owner)) // who mixes these up loses its own lock
        call.owner = prefix + std::to_string(m_calls.size());
    options.ownedBy(call.owner);
    if (random.chance(0.6) || !call.owner) {
        call.lease = random.oneOf(std::vector<Duration>{400ms, 1500ms, 4000ms});
        options.expiringIn(call.lease);
    }
    call.waits = random.chance(0.75);
    if (call.waits) {
        if (random.chance(0.8))
            call.timeout = random.between(100ms, 4000ms);
        options.waiting(call.timeout);
    }
    const auto state = std::make_shared<CallState>();
    state->process = &process;
    state->holdsFor = random.between(0ms, 2000ms);
    options.stoppedBy(state->stop.get_token());
    const int number = m_history.add(std::move(call), m_clock.now());
    m_calls.push_back(state);
    if (random.chance(0.2))
        m_clock.callAfter(random.between(0ms, 3000ms), [this, number] { requestStop(number); });
    letRun(acquire(&process, number, std::move(options)));
}

void Simulation::makeExecute(Process& process)
{
    Random& random = *m_callsRandom;
    lab::Call call;
    call.kind = lab::Call::Execute;
    call.keys = m_keys.size() > 1 && random.chance(0.25) ? LockKeys(m_keys)
                                                         : LockKeys(random.oneOf(m_keys));
    call.lease = random.oneOf(std::vector<Duration>{500ms, 1000ms, 3000ms});
    call.timeout = random.between(1000ms, 4000ms);
    call.waits = true;
    ExecuteOptions options;
    options.expiringIn(*call.lease).timingOutAfter(*call.timeout);
    if (random.chance(0.15)) {
        call.owner = "job " + std::to_string(m_calls.size());
        options.ownedBy(*call.owner);
    }
    const auto state = std::make_shared<CallState>();
    state->process = &process;
    options.stoppedBy(state->stop.get_token());
    const Duration work = random.between(0ms, 2500ms);
    const bool obeys = random.chance(0.6);
    const int number = m_history.add(std::move(call), m_clock.now());
    m_calls.push_back(state);
    if (random.chance(0.15))
        m_clock.callAfter(random.between(0ms, 3000ms), [this, number] { requestStop(number); });
    letRun(execute(&process, number, std::move(options), work, obeys));
}

void Simulation::requestStop(int number)
{
    CallState& state = *m_calls[std::size_t(number)];
    if (state.hasEnded)
        return;
    m_history.note(EventKind::StopRequested, number, m_clock.now());
    state.stop.request_stop();
}

void Simulation::end(int number, std::optional<ErrorCode> error)
{
    CallState& state = *m_calls[std::size_t(number)];
    state.hasEnded = true;
    state.endedAt = m_clock.now();
    m_history.end(number, m_clock.now(), error);
    const lab::Call& call = m_history.calls()[std::size_t(number)];
    if (error != ErrorCode::TimedOut && error != ErrorCode::Cancelled)
        return;
    if (call.kind == lab::Call::Acquire && call.owner && state.process->store
        && state.process->store->hasOpen(Verb::Acquire))
        m_rare.reach(RareStates::LateGrantOfNamedOwner);
    for (const std::string& key : call.keys) {
        const ScriptedServer::Entry* const entry = m_server.find(key);
        if (entry && entry->end && *entry->end - m_server.now() < 100ms)
            m_rare.reach(RareStates::TakeoverWhileWaiterGivesUp);
    }
}

Task<void> Simulation::acquire(Process* process, int number, AcquireOptions options)
{
    const LockKeys keys = m_history.calls()[std::size_t(number)].keys;
    const auto state = m_calls[std::size_t(number)];
    std::optional<ErrorCode> error;
    try {
        const Grant grant = co_await process->store->acquire(keys, options, {});
        state->isGranted = true;
        state->leaseEnd = grant.leaseEnd();
        state->token = grant.token();
        m_history.note(EventKind::Granted, number, m_clock.now(), grant.leaseEnd());
    } catch (const LockError& failure) {
        error = failure.code();
    }
    end(number, error);
    if (error)
        co_return;
    m_clock.callAfter(state->holdsFor, [this, number] { letRun(release(number)); });
}

bool Simulation::mayRelease(int number)
{
    const lab::Call& call = m_history.calls()[std::size_t(number)];
    if (!call.owner)
        return true;
    bool may = true;
    for (std::size_t i = 0; i < m_calls.size(); ++i) {
        if (m_calls[i]->hasEnded || m_history.calls()[i].owner != call.owner)
            continue;
        may = false;
        requestStop(int(i));
    }
    return may;
}

//! Lets go of what an acquire was granted, and of what other grants gave the same owner.
Task<void> Simulation::release(int number)
{
    const auto state = m_calls[std::size_t(number)];
    const lab::Call call = m_history.calls()[std::size_t(number)];
    if (!state->process->store || state->releaseIsSure)
        co_return;
    if (!mayRelease(number)) {
        m_clock.callAfter(300ms, [this, number] { letRun(release(number)); });
        co_return;
    }
    if (call.owner)
        m_releasing.insert(*call.owner);
    ReleaseOptions options;
    options.ownedBy(call.owner);
    if (!call.owner) { // of those without owner only its own
        std::vector<SeenLock> seen;
        for (const std::string& key : call.keys) {
            SeenLock one;
            one.key = key;
            one.token = state->token;
            seen.push_back(one);
        }
        options.expecting(std::move(seen));
    }
    std::vector<int> together;
    for (std::size_t i = 0; i < m_calls.size(); ++i) {
        const lab::Call& other = m_history.calls()[i];
        const bool same = int(i) == number
            || (call.owner && other.owner == call.owner && other.keys.front() == call.keys.front());
        if (!same || !m_calls[i]->isGranted)
            continue;
        together.push_back(int(i));
        if (!m_calls[i]->isReleased)
            m_history.note(EventKind::Released, int(i), m_clock.now());
        m_calls[i]->isReleased = true;
    }
    bool isSure = false;
    try {
        const ReleaseResult result =
            co_await state->process->store->release(call.keys, options, {});
        isSure = std::none_of(result.left().begin(), result.left().end(), [](const auto& key) {
            return key.outcome == ReleaseOutcome::Unknown;
        });
    } catch (const LockError&) {
        // asked again in the end
    }
    for (const int i : together)
        m_calls[std::size_t(i)]->releaseIsSure |= isSure;
    if (isSure && call.owner)
        m_releasing.erase(*call.owner);
}

Task<void> Simulation::execute(Process* process, int number, ExecuteOptions options, Duration work,
                               bool obeys)
{
    const LockKeys keys = m_history.calls()[std::size_t(number)].keys;
    std::optional<ErrorCode> error;
    const LockedJob run = [this, number, work, obeys](std::stop_token lost, Grant grant) {
        return job(number, work, obeys, std::move(lost), std::move(grant));
    };
    try {
        co_await process->store->executeJob(keys, run, options, {});
    } catch (const LockError& failure) {
        error = failure.code();
    }
    end(number, error);
}

Task<void> Simulation::job(int number, Duration work, bool obeys, std::stop_token lost, Grant grant)
{
    const auto state = m_calls[std::size_t(number)];
    lab::Call& call = m_history.calls()[std::size_t(number)];
    if (!call.owner) { // by now the server knows its name
        const ScriptedServer::Entry* const entry = m_server.find(call.keys.front());
        if (entry && entry->owner && entry->owner->starts_with("execute:"))
            call.owner = entry->owner;
    }
    if (call.owner)
        m_executing[*call.owner] = number;
    if (grant.leaseEnd() && *grant.leaseEnd() <= m_clock.now())
        m_rare.reach(RareStates::GrantAfterItsLease);
    const TimePoint start = m_clock.now();
    const std::string& key = call.keys.front();
    const bool wasRemoved =
        std::any_of(m_history.events().begin(), m_history.events().end(), [&](const auto& event) {
            return event.kind == EventKind::Removed && event.key == key;
        });
    // The server knows best whether a job has its lock when it starts.
    std::optional<TimePoint> leaseEnd;
    if (!m_server.find(key) && !wasRemoved)
        leaseEnd = start;
    m_history.note(EventKind::JobStarted, number, start, leaseEnd);
    Signal done(m_resumer);
    const auto told = [this, number, state, &done, obeys] {
        if (std::exchange(state->isTold, true))
            return;
        if (state->process->store && state->process->store->hasOpen(Verb::Renew))
            m_rare.reach(RareStates::RenewalInFlightAtLeaseEnd);
        m_history.note(EventKind::Told, number, m_clock.now());
        if (obeys)
            done.raise();
    };
    {
        const std::stop_callback onStop(lost, told);
        co_await done.wait(start + work, std::stop_token());
    }
    m_history.note(EventKind::JobEnded, number, m_clock.now());
}

//! Nobody counts on what this owner holds, or can let go of it.
bool Simulation::isAbandoned(const Owner& owner) const
{
    for (std::size_t i = 0; i < m_calls.size(); ++i) {
        const CallState& call = *m_calls[i];
        if (m_history.calls()[i].owner != owner || !call.process->closedAt)
            continue;
        // What was to be given back when the provider closed stays.
        if (call.isGranted || call.endedAt.value_or(TimePoint::max()) < *call.process->closedAt)
            return true;
    }
    return std::any_of(
        m_history.events().begin(), m_history.events().end(), [&](const lab::Event& event) {
            return event.kind == EventKind::Ended && event.error == ErrorCode::OutcomeUnknown
                && m_history.calls()[std::size_t(event.call)].owner == owner;
        });
}

void Simulation::removeAbandoned()
{
    for (const auto& [key, entry] : m_server.locks()) {
        if (!isAbandoned(entry.owner))
            continue;
        m_server.remove(key);
        lab::Event event;
        event.kind = EventKind::Removed;
        event.at = m_clock.now();
        event.key = key;
        m_history.add(std::move(event));
    }
}

//! Faults have stopped: everyone lets go, and then nothing may be left.
void Simulation::drain()
{
    constexpr int rounds = 12;
    for (int round = 0; round < rounds; ++round) {
        m_clock.run(3s);
        for (std::size_t i = 0; i < m_calls.size(); ++i) {
            if (m_calls[i]->isGranted && !m_calls[i]->releaseIsSure)
                letRun(release(int(i)));
        }
        m_clock.run(1s);
        if (round >= 2)
            removeAbandoned();
        const bool allEnded = std::all_of(m_calls.begin(), m_calls.end(),
                                          [](const auto& call) { return call->hasEnded; });
        if (allEnded && round >= 4)
            break;
    }
}

void Simulation::run()
{
    scheduleFaults();
    scheduleCalls();
    m_clock.runUntil(m_quiet);
    drain();
    for (const auto& [key, entry] : m_server.locks()) {
        lab::Event event;
        event.kind = EventKind::FoundHeld;
        event.at = m_clock.now();
        event.key = key;
        event.owner = entry.owner;
        m_history.add(std::move(event));
    }
}

std::vector<lab::Violation> Simulation::violations() const
{
    return lab::check(m_history);
}

std::string Simulation::trace() const
{
    // The name of an execute is drawn anew each time.
    std::string text = m_history.text();
    std::map<std::string, std::string> names;
    constexpr std::string_view prefix = "execute:";
    constexpr std::size_t length = prefix.size() + 36;
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
        const std::string name = text.substr(at, length);
        const auto known = names.emplace(name, '#' + std::to_string(names.size())).first;
        text.replace(at, length, known->second);
    }
    return text;
}

} // namespace lockboard::test
