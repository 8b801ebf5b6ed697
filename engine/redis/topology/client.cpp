// SPDX-License-Identifier: MIT
#include "engine/redis/topology/client.h"

#include "engine/contract/errors.h"
#include "engine/redis/wire/error.h"
#include "engine/redis/wire/slot.h"

#include <charconv>

// How calls find their servers; redis_client_topology.cpp: which servers there are.

namespace lockboard::redis {

using namespace std::chrono_literals;

static constexpr int mostRedirections = 8;
static constexpr int mostRests = 10;
static constexpr Duration shortestRest = 10ms;
static constexpr Duration longestRest = 500ms;

static Duration restBefore(int attempt)
{
    return std::min<Duration>(shortestRest * (1 << std::min(attempt, 10)), longestRest);
}

static Command commandOf(const Eval& eval, bool bySource, const std::string& keyCount)
{
    Command command(!eval.script ? eval.command : bySource ? "EVAL" : "EVALSHA");
    if (eval.script)
        command << (bySource ? eval.script->source : eval.script->sha1) << keyCount;
    for (const std::string& key : eval.keys)
        command << key;
    for (const std::string& argument : eval.arguments)
        command << argument;
    return command;
}

//! Awaited, goes on after a while, or at once when the client is closed.
class Client::Rest final {
public:
    Rest(Client* client, Duration time)
        : m_client(client)
        , m_time(time)
    {
    }
    [[nodiscard]] bool await_ready() const noexcept { return m_client->m_closed; }
    void await_suspend(std::coroutine_handle<> waiting)
    {
        Client* const client = m_client;
        const auto id = std::make_shared<Clock::TimerId>();
        *id = client->m_clock.callAfter(m_time, [client, id] {
            const auto rested = client->m_resting.extract(*id);
            rested.mapped().resume();
        });
        client->m_resting.emplace(*id, waiting);
    }
    void await_resume() const noexcept { }

private:
    Client* m_client;
    Duration m_time;
};

Task<void> Client::rest(Duration time)
{
    co_await Rest(this, time);
}

Connection* Client::connectionFor(std::string_view key)
{
    if (m_kind == Kind::One)
        return m_seed;
    if (m_kind == Kind::Unknown) // most often there is one, or else we are sent on
        return m_mustBeCluster ? nullptr : m_seed;
    Connection* const node = m_nodes.serving(slot::of(key));
    return node ? node : m_seed;
}

std::vector<std::vector<std::size_t>> Client::together(const std::vector<std::string>& keys) const
{
    std::map<int, std::vector<std::size_t>> bySlot;
    for (std::size_t i = 0; i < keys.size(); ++i)
        bySlot[isCluster() ? slot::of(keys[i]) : 0].push_back(i);
    std::vector<std::vector<std::size_t>> groups;
    for (auto& [slot, group] : bySlot)
        groups.push_back(std::move(group));
    return groups;
}

bool Client::isRedirection(const Reply& reply)
{
    return reply.isError("MOVED ") || reply.isError("ASK ") || reply.isError("TRYAGAIN");
}

//! It says something of that key alone.
static bool isOfKey(const Reply& reply)
{
    return reply.isError("WRONGTYPE") || reply.isDeniedKey() || reply.isTooLong();
}

//! How many bytes of values are read of many keys at a time, a page of them. An owner is much
//! shorter; what is longer is somebody's mistake, and is not kept.
static constexpr std::size_t budgetOfValues = std::size_t(12) << 20;

static void checkAnswer(const Pending& call, const Reply& reply, std::string_view question)
{
    if (!isOfKey(reply))
        call.check(reply, shape::isAnswerTo(question, reply), std::string(question));
}

void Client::failForNode(std::string_view key) const
{
    throw Unavailable("No node of the cluster of Redis at " + m_seeds.front().name()
                      + " serves slot " + std::to_string(slot::of(key))
                      + ", to which the key belongs.");
}

Task<Answer> Client::eval(Eval eval)
{
    const std::string keyCount = std::to_string(eval.keys.size());
    const Effect effect = eval.script ? Effect::Mutates : Effect::Reads;
    bool bySource = false;
    Route route;
    for (;;) {
        Connection* to = route.next ? route.next : connectionFor(eval.keys.front());
        if (!to) {
            co_await learn();
            to = connectionFor(eval.keys.front());
        }
        if (!to)
            failForNode(eval.keys.front());
        Reply reply;
        TimePoint sentAt;
        const Endpoint asked = to->endpoint();
        try {
            if (!route.asking) {
                Call call(*to, commandOf(eval, bySource, keyCount), effect);
                reply = co_await call.answer();
                sentAt = call.sentAt();
                call.check(reply, reply.isError() || eval.fits(reply), eval.title());
            } else {
                Calls calls(*to, effect);
                calls.send(Command("ASKING"));
                calls.send(commandOf(eval, bySource, keyCount));
                std::vector<Reply> replies = co_await calls.answers();
                reply = std::move(replies.back());
                sentAt = calls.sentAt();
                calls.check(reply, reply.isError() || eval.fits(reply), eval.title());
            }
        } catch (const Unavailable&) {
            // Not sent. It may be that somebody else has taken over in the meantime.
            if (!isCluster() || route.asking || connectionFor(eval.keys.front()) == to
                || ++route.redirections > mostRedirections)
                throw;
            route.next = nullptr;
            continue;
        }
        if (!reply.isError() || (!eval.script && isOfKey(reply)))
            co_return Answer(std::move(reply), sentAt);
        if (reply.isError("NOSCRIPT") && !bySource) {
            bySource = true;
            route.next = to;
            continue;
        }
        co_await follow(&route, std::string(reply.text()), asked);
    }
}

Task<void> Client::follow(Route* route, std::string error, Endpoint asked)
{
    route->next = nullptr;
    const bool moved = error.starts_with("MOVED ");
    route->asking = error.starts_with("ASK ");
    if (moved || route->asking) {
        // MOVED 3999 127.0.0.1:6381
        const auto slotAt = error.find(' ') + 1;
        const auto addressAt = error.find(' ', slotAt);
        const Endpoint there = readAddress(
            std::string_view(error).substr(std::min(addressAt + 1, error.size())), asked);
        int slot = -1;
        std::from_chars(error.data() + slotAt, error.data() + error.size(), slot);
        if (there.port == 0 || slot < 0 || slot >= slot::count
            || ++route->redirections > mostRedirections)
            std::rethrow_exception(lockErrorOf(asked.name(), error));
        if (!m_nodes.hasRoomFor(there)) {
            tidySoon();
            throw Unavailable("Redis at " + asked.name() + " sends us to ever more other servers ("
                              + there.name() + " now), more than a cluster has.");
        }
        if (!isCluster())
            beClusterUnseen();
        Connection& node = m_nodes.connection(there);
        if (route->asking) {
            route->next = &node;
            co_return;
        }
        if (m_nodes.assign(slot, node))
            noteTopology();
        refreshSoon();
        if (route->redirections > 2)
            co_await Rest(this, restBefore(route->redirections));
    } else if (error.starts_with("TRYAGAIN") && ++route->rests <= mostRests) {
        route->redirections = 0;
        co_await Rest(this, restBefore(route->rests));
    } else {
        refreshSoon();
        std::rethrow_exception(lockErrorOf(asked.name(), error));
    }
    if (m_closed)
        throw Cancelled("The provider was closed.");
}

Task<Answers> Client::ask(std::vector<std::string> keys, std::string_view question,
                          std::string_view another)
{
    if (isCluster() || !m_seed || m_mustBeCluster)
        co_return co_await askCluster(std::move(keys), question, another);
    Answers answers;
    {
        Calls calls(*m_seed, Effect::Reads);
        calls.limit({}, budgetOfValues);
        for (const std::string& key : keys) {
            calls.send(Command(question) << key);
            if (!another.empty())
                calls.send(Command(another) << key);
        }
        answers.replies = co_await calls.answers();
        answers.sentAt = calls.sentAt();
        bool redirected = false;
        for (std::size_t i = 0; i < answers.replies.size(); ++i) {
            const Reply& reply = answers.replies[i];
            redirected = redirected || isRedirection(reply);
            if (!redirected)
                checkAnswer(calls, reply, another.empty() || i % 2 == 0 ? question : another);
        }
        if (!redirected)
            co_return answers;
    }
    co_return co_await askCluster(std::move(keys), question, another);
}

namespace {

//! What one node of a cluster is asked.
class Batch final {
public:
    explicit Batch(Connection& node)
        : calls(node, Effect::Reads)
    {
        calls.limit({}, budgetOfValues);
    }

    Calls calls;
    std::vector<std::size_t> places; // of the answers
};

} // namespace

Task<Answers> Client::askCluster(std::vector<std::string> keys, std::string_view question,
                                 std::string_view another)
{
    co_await learn();
    const std::size_t perKey = another.empty() ? 1 : 2;
    const auto questionAt = [&](std::size_t place) {
        return place % perKey == 0 ? question : another;
    };
    std::map<Connection*, Batch> batches;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        Connection* const node = connectionFor(keys[i]);
        if (!node)
            failForNode(keys[i]);
        Batch& batch = batches.try_emplace(node, *node).first->second;
        for (std::size_t place = i * perKey; place < (i + 1) * perKey; ++place) {
            batch.calls.send(Command(questionAt(place)) << keys[i]);
            batch.places.push_back(place);
        }
    }
    // While one node's answers are awaited, another may leave the cluster and its connection go:
    // the batches know that.
    Answers answers;
    answers.replies.resize(keys.size() * perKey);
    answers.sentAt = TimePoint::max();
    std::vector<std::size_t> redirected;
    for (auto& [node, batch] : batches) {
        std::vector<Reply> replies = co_await batch.calls.answers();
        answers.sentAt = std::min(answers.sentAt, batch.calls.sentAt());
        for (std::size_t i = 0; i < replies.size(); ++i) {
            if (isRedirection(replies[i]))
                redirected.push_back(batch.places[i]);
            else
                checkAnswer(batch.calls, replies[i], questionAt(batch.places[i]));
            answers.replies[batch.places[i]] = std::move(replies[i]);
        }
    }
    std::vector<Task<Answer>> again; // all at once
    for (const std::size_t place : redirected)
        again.push_back(eval(Eval(questionAt(place), keys[place / perKey])));
    for (std::size_t i = 0; i < again.size(); ++i) {
        Answer answer = co_await again[i];
        answers.replies[redirected[i]] = std::move(answer.reply);
    }
    co_return answers;
}

} // namespace lockboard::redis
