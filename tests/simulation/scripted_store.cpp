// SPDX-License-Identifier: MIT
#include "tests/simulation/scripted_store.h"

#include "engine/store/planted_fault.h"

#include <algorithm>

namespace lockboard::test {

static constexpr Duration lastRead{150};

void ScriptedServer::doAt(TimePoint when, std::function<void()> what)
{
    m_clock.callAt(std::max(when, m_paused), [this, what = std::move(what)]() mutable {
        if (m_clock.now() < m_paused)
            doAt(m_paused, std::move(what));
        else
            what();
    });
}

TimePoint ScriptedServer::now() const
{
    const auto passed = std::chrono::duration<double, std::nano>(m_clock.now() - m_start);
    return m_start + std::chrono::nanoseconds(std::llround(passed.count() * m_rate));
}

std::map<std::string, ScriptedServer::Entry> ScriptedServer::locks()
{
    std::erase_if(m_entries, [now = now()](const auto& entry) {
        return entry.second.end && *entry.second.end <= now;
    });
    return m_entries;
}

const ScriptedServer::Entry* ScriptedServer::find(const std::string& key)
{
    const auto it = m_entries.find(key);
    if (it == m_entries.end())
        return nullptr;
    if (it->second.end && *it->second.end <= now()) {
        m_entries.erase(it);
        return nullptr;
    }
    return &it->second;
}

//! One request and what came of it.
class ScriptedStore::Exchange final {
public:
    enum State : std::uint8_t { Open, Answered, Lost, NotSent };

    Verb verb = Verb::Acquire;
    State state = Open;
    TimePoint sentAt;
    std::optional<TimePoint> diedAt; // its line did
    std::coroutine_handle<> waiting;

    void end(State how)
    {
        if (state != Open)
            return;
        state = how;
        if (const auto handle = std::exchange(waiting, {}))
            handle.resume();
    }
};

class ScriptedStore::Asking final {
public:
    explicit Asking(std::shared_ptr<Exchange> exchange)
        : m_exchange(std::move(exchange))
    {
    }
    [[nodiscard]] bool await_ready() const { return m_exchange->state != Exchange::Open; }
    void await_suspend(std::coroutine_handle<> waiting) { m_exchange->waiting = waiting; }
    void await_resume() const { }

private:
    std::shared_ptr<Exchange> m_exchange;
};

ScriptedStore::ScriptedStore(ScriptedServer& server, const Container& container, Duration silence)
    : BasicProvider(container)
    , m_server(server)
    , m_silence(silence)
{
}

ScriptedStore::~ScriptedStore()
{
    close();
    loseLine();
    resumer().drain();
}

bool ScriptedStore::hasOpen(Verb verb) const
{
    return std::any_of(m_open.begin(), m_open.end(),
                       [verb](const auto& exchange) { return exchange->verb == verb; });
}

//! Ends what is under way as a connection that dies does.
void ScriptedStore::loseLine()
{
    const auto open = std::exchange(m_open, {});
    for (const auto& exchange : open) {
        exchange->diedAt = clock().now();
        exchange->end(Exchange::Lost);
    }
}

std::shared_ptr<ScriptedStore::Exchange> ScriptedStore::ask(Verb verb, const LockKeys& keys,
                                                            std::function<void()> what)
{
    const auto exchange = std::make_shared<Exchange>();
    exchange->verb = verb;
    exchange->sentAt = clock().now();
    const Fate fate = choose ? choose(verb, keys) : Fate();
    if (fate.kind == Fate::NotSent || isClosing()) {
        exchange->state = Exchange::NotSent;
        return exchange;
    }
    m_open.push_back(exchange);
    const TimePoint arrival = clock().now() + fate.there;
    const std::weak_ptr<Exchange> weak = exchange;
    // What a dead line had brought is read soon after or never: settling counts on 200 ms.
    const auto arrive = [exchange, what, arrival] {
        if (!exchange->diedAt || arrival <= *exchange->diedAt + lastRead)
            what();
    };
    Clock* const time = &clock();
    // The store may be gone by then; what it has open tells.
    const auto finish = [this, weak](Exchange::State how) {
        const auto open = weak.lock();
        if (!open || open->state != Exchange::Open)
            return;
        std::erase(m_open, open);
        open->end(how);
    };
    const auto lose = [this, weak] {
        if (const auto open = weak.lock(); open && open->state == Exchange::Open)
            loseLine();
    };
    switch (fate.kind) {
    case Fate::Answered:
        m_server.doAt(arrival, [arrive, finish, time, back = fate.back] {
            arrive();
            time->callAfter(back, [finish] { finish(Exchange::Answered); });
        });
        // Nobody waits for ever.
        time->callAfter(m_silence, lose);
        break;
    case Fate::LostBefore:
        time->callAt(arrival, lose);
        break;
    case Fate::LostAfter:
        m_server.doAt(arrival, [arrive, lose] {
            arrive();
            lose();
        });
        time->callAfter(m_silence, lose);
        break;
    case Fate::Silent:
        m_server.doAt(arrival, arrive);
        time->callAfter(m_silence, lose);
        break;
    case Fate::NotSent:
        break;
    }
    return exchange;
}

Task<Grant> ScriptedStore::tryAcquire(LockKeys keys, AcquireOptions options, SharedContext)
{
    struct Answer {
        std::string obstacle;
        Owner holder;
        std::optional<TimePoint> obstacleEnd;
        std::vector<KeyGrant> grants;
        FencingToken token = 0;
    };
    const auto answer = std::make_shared<Answer>();
    ScriptedServer* const server = &m_server;
    const TimePoint began = clock().now();
    const auto what = [server, answer, keys, options, began] {
        for (const std::string& key : keys) {
            const ScriptedServer::Entry* const entry = server->find(key);
            const bool admitted =
                !entry || (entry->owner && entry->owner == options.owner() && options.reenters());
            if (!admitted) {
                answer->obstacle = key;
                answer->holder = entry->owner;
                answer->obstacleEnd = entry->end;
                return;
            }
        }
        answer->token = server->nextToken();
        for (const std::string& key : keys) {
            const ScriptedServer::Entry* const held = server->find(key);
            ScriptedServer::Entry entry;
            entry.owner = options.owner();
            entry.token = answer->token;
            if (options.lease())
                entry.end = server->now() + *options.lease();
            else if (held)
                entry.end = held->end;
            std::optional<TimePoint> end;
            if (options.lease())
                end = began + *options.lease();
            else if (held && held->end)
                end = began + (*held->end - server->now());
            answer->grants.emplace_back(key, end, held != nullptr);
            server->put(key, entry);
        }
    };
    const auto exchange = ask(Verb::Acquire, keys, what);
    co_await Asking(exchange);
    if (exchange->state == Exchange::NotSent) {
        if (isClosing())
            throw Cancelled("The provider was closed.");
        throw Unavailable("There is no line to the store.");
    }
    if (exchange->state == Exchange::Lost)
        co_return co_await settle(keys, options, began, m_silence, "The line to the store is lost");
    if (!answer->obstacle.empty()) {
        std::optional<Duration> remaining;
        if (answer->obstacleEnd)
            remaining = std::chrono::duration_cast<Duration>(*answer->obstacleEnd - m_server.now());
        throw Conflict(answer->obstacle, answer->holder, remaining);
    }
    std::optional<FencingToken> token;
    if (hasTokens)
        token = answer->token;
    co_return Grant({}, token).withKeys(answer->grants);
}

Task<Renewal> ScriptedStore::renew(LockKeys keys, std::string owner, std::optional<Duration> lease)
{
    struct Answer {
        std::string lost;
        std::optional<TimePoint> earliest; // by the server's clock
    };
    const auto answer = std::make_shared<Answer>();
    ScriptedServer* const server = &m_server;
    const auto what = [server, answer, keys, owner, lease] {
        for (const std::string& key : keys) {
            const ScriptedServer::Entry* const entry = server->find(key);
            if (!entry || entry->owner != owner) {
                answer->lost = key;
                return;
            }
        }
        for (const std::string& key : keys) {
            ScriptedServer::Entry entry = *server->find(key);
            if (lease)
                entry.end = server->now() + *lease;
            if (entry.end && (!answer->earliest || *entry.end < *answer->earliest))
                answer->earliest = entry.end;
            server->put(key, entry);
        }
    };
    const auto exchange = ask(Verb::Renew, keys, what);
    co_await Asking(exchange);
    if (exchange->state == Exchange::NotSent)
        throw Unavailable("There is no line to the store.");
    if (exchange->state == Exchange::Lost)
        throw OutcomeUnknown("The line to the store is lost.");
    if (!answer->lost.empty())
        co_return Renewal::lost(answer->lost);
    std::optional<TimePoint> end;
    if (lease)
        end = exchange->sentAt + *lease;
    else if (answer->earliest)
        end = clock().now() + (*answer->earliest - m_server.now());
    if (lease && observe)
        observe(Verb::Renew, owner, "renewed", end);
    co_return Renewal::until(end);
}

Task<ReleaseResult> ScriptedStore::release(LockKeys keys, ReleaseOptions options, SharedContext)
{
    const auto left = std::make_shared<std::vector<KeyRelease>>();
    ScriptedServer* const server = &m_server;
    const auto what = [server, left, keys, options] {
        for (const std::string& key : keys) {
            const ScriptedServer::Entry* const entry = server->find(key);
            const SeenLock* const seen = options.expected(key);
            if (!entry) {
                left->emplace_back(key, ReleaseOutcome::NotHeld);
            } else if (isPlanted(PlantedFault::ReleaseComparesNothing)
                       || (seen ? seen->owner == entry->owner
                                   && (!seen->token || *seen->token == entry->token)
                                : entry->owner == options.owner())) {
                server->remove(key);
            } else {
                left->emplace_back(key, ReleaseOutcome::HeldByOther, entry->owner);
            }
        }
    };
    const auto exchange = ask(Verb::Release, keys, what);
    co_await Asking(exchange);
    if (exchange->state == Exchange::NotSent) {
        if (isClosing())
            throw Cancelled("The provider was closed.");
        throw Unavailable("There is no line to the store.");
    }
    if (exchange->state == Exchange::Lost) {
        std::vector<KeyRelease> unknown;
        for (const std::string& key : keys)
            unknown.emplace_back(key, ReleaseOutcome::Unknown);
        co_return ReleaseResult(std::move(unknown));
    }
    for (const std::string& key : keys)
        wake(key);
    co_return ReleaseResult(*left);
}

Task<ReleaseAllResult> ScriptedStore::releaseAll(ReleaseAllOptions, SharedContext)
{
    co_return ReleaseAllResult();
}

} // namespace lockboard::test
