// SPDX-License-Identifier: MIT
#include "engine/contract/errors.h"
#include "engine/redis/topology/client.h"

#include <QPointer>
#include <QTime>

#include <algorithm>

// Which servers there are: found out at connect, and again when there is a sign of change.

namespace lockboard::redis {

using namespace std::chrono_literals;

static constexpr Duration refreshPause = 200ms; // between two, when there are many signs
static constexpr Duration refreshInTrouble = 1s;
static constexpr Duration seedPause = 500ms; // after none of the seeds could be reached

//! Awaited, goes on when it is known whether there is one server or a cluster, or when the attempt
//! to find out has failed.
class Client::Learned final {
public:
    explicit Learned(Client* client)
        : m_client(client)
    {
    }
    [[nodiscard]] bool await_ready() const noexcept
    {
        return m_client->m_closed || m_client->m_kind != Kind::Unknown;
    }
    void await_suspend(std::coroutine_handle<> waiting) { m_client->m_learning.push_back(waiting); }
    void await_resume() const
    {
        if (m_client->m_closed)
            throw Cancelled("The provider was closed.");
        if (m_client->m_kind == Kind::Unknown)
            std::rethrow_exception(m_client->m_problem);
    }

private:
    Client* m_client;
};

Client::Client(const Settings& settings, const Container& container)
    : m_clock(*container.clock)
    , m_seeds(settings.seeds)
    , m_mustBeCluster(!settings.seeds.empty())
    , m_nodes(container)
{
    if (m_seeds.empty())
        m_seeds.push_back(settings.endpoint);
    connect(&m_nodes, &Nodes::ready, this, &Client::onReady);
    connect(&m_nodes, &Nodes::unavailable, this, &Client::onUnavailable);
    connect(&m_nodes, &Nodes::replaced, this, &Client::replaced);
}

Client::~Client()
{
    close();
}

void Client::open()
{
    if (!m_seed && !m_closed)
        openSeed();
}

void Client::close()
{
    if (m_closed)
        return;
    m_closed = true;
    m_isReady = false;
    m_clock.cancel(m_refreshTimer);
    m_clock.cancel(m_seedTimer);
    m_nodes.close();
    resumeLearners();
    while (!m_resting.empty()) {
        const auto rested = m_resting.extract(m_resting.begin());
        m_clock.cancel(rested.key());
        rested.mapped().resume();
    }
}

std::exception_ptr Client::problem() const
{
    if (m_kind == Kind::One)
        return m_seed->problem();
    for (const Connection* const node : masters()) {
        if (!node->isReady() && node->problem())
            return node->problem();
    }
    return m_problem;
}

std::vector<Connection*> Client::masters() const
{
    std::vector<Connection*> all = m_nodes.masters();
    const bool counts = !isCluster() || m_mapForbidden;
    if (m_seed && counts && !m_nodes.isMaster(*m_seed))
        all.push_back(m_seed);
    return all;
}

void Client::openSeed()
{
    m_seed = &m_nodes.connection(m_seeds[m_seedIndex]);
    tidySoon();
    if (m_seed->isReady())
        letRun(probe(m_seed));
}

void Client::openSeedAfter(Duration pause)
{
    m_clock.cancel(m_seedTimer);
    m_seedTimer = m_clock.callAfter(pause, [this] { openSeed(); });
}

void Client::onReady(Connection* connection)
{
    if (connection == m_seed)
        letRun(probe(connection));
    else
        updateReady();
}

void Client::onUnavailable(Connection* connection)
{
    if (m_closed)
        return;
    if (connection == m_seed) {
        failSeed(connection->problem());
    } else if (m_nodes.isMaster(*connection)) {
        m_isReady = false;
        refreshSoon();
        Q_EMIT unavailable();
    } else {
        tidySoon(); // we were only sent there once
    }
}

//! Tries the next one; that this one has failed is news only if all have.
void Client::failSeed(std::exception_ptr problem)
{
    m_isReady = false;
    m_problem = std::move(problem);
    m_seedIndex = (m_seedIndex + 1) % m_seeds.size();
    const bool all = ++m_seedsFailed % m_seeds.size() == 0;
    if (m_seeds.size() > 1 || m_seed->isReady()) // else the connection itself tries again
        openSeedAfter(all ? seedPause : 0ms);
    if (!all)
        return;
    const QPointer<Client> self(this);
    Q_EMIT unavailable();
    if (self)
        resumeLearners();
}

Task<void> Client::probe(Connection* connection)
{
    const Endpoint asked = connection->endpoint();
    Reply reply;
    bool isOfCluster = false;
    try {
        Call call(*connection, Command("CLUSTER") << "SLOTS", Effect::Reads);
        reply = co_await call.answer();
        if (reply.isError("NOPERM"))
            isOfCluster = co_await saysCluster(connection);
    } catch (const LockError&) {
        co_return; // the connection says so itself, and comes back
    }
    if (m_closed || connection != m_seed)
        co_return;
    m_seedsFailed = 0;
    if (!reply.isError()) {
        takeMap(reply, asked);
    } else if (isOfCluster) {
        m_mapForbidden = true;
        becomeKnown(Kind::Cluster);
    } else if (m_mustBeCluster && !reply.isError("NOPERM")) {
        failSeed(std::make_exception_ptr(Unavailable(
            "Redis at " + asked.name() + " belongs to no cluster, though the options say so.")));
    } else {
        if (reply.isError("BUSY"))
            openSeedAfter(seedPause); // it may yet turn out to be a cluster
        beOne();
    }
}

//! For a user who may not ask for the map.
Task<bool> Client::saysCluster(Connection* connection)
{
    Call call(*connection, Command("HELLO") << "2", Effect::Reads);
    const Reply reply = co_await call.answer();
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
        if (reply.at(i).text() == "mode")
            co_return reply.at(i + 1).text() == "cluster";
    }
    co_return false;
}

void Client::takeMap(const Reply& reply, const Endpoint& asked)
{
    std::vector<SlotRange> ranges;
    try {
        ranges = readSlots(reply, asked);
    } catch (const LockError&) {
        m_problem = std::current_exception();
        if (m_kind == Kind::Unknown)
            failSeed(m_problem);
        return; // else what was known stands
    }
    m_mapForbidden = false;
    if (ranges.empty()) {
        // A node that was reset says so of itself only.
        if (m_nodes.masters().empty())
            m_problem = std::make_exception_ptr(Unavailable(
                "The cluster of Redis at " + asked.name() + " serves no slot, and so no key."));
        becomeKnown(Kind::Cluster);
        return;
    }
    dropSeed();
    m_problem = nullptr;
    const std::vector<std::pair<int, Connection*>> before = m_nodes.firstSlots();
    if (m_nodes.assign(ranges, m_seeds.front())) {
        noteTopology();
        sayFailovers(before);
    }
    becomeKnown(Kind::Cluster);
}

//! The masters are known, and can be asked instead.
void Client::dropSeed()
{
    m_seed = nullptr;
    m_clock.cancel(m_seedTimer);
    tidySoon();
}

//! Of masters that serve nothing any more: their successors may not know all their locks.
void Client::sayFailovers(const std::vector<std::pair<int, Connection*>>& before)
{
    for (const auto& [slot, old] : before) {
        const Connection* const successor = m_nodes.serving(slot);
        if (m_nodes.isMaster(*old) || !successor)
            continue;
        std::string how; // it may as well have handed over all it had
        if (!old->isReady()) {
            how = "Redis failed over from " + old->endpoint().name() + " to "
                + successor->endpoint().name() + " at "
                + QTime::currentTime().toString(QStringLiteral("HH:mm")).toStdString()
                + ": locks taken before may be gone.";
        }
        Q_EMIT replaced(how);
    }
}

void Client::beOne()
{
    m_mapForbidden = false;
    m_problem = nullptr;
    if (isCluster())
        noteTopology();
    m_nodes.clear();
    tidySoon();
    becomeKnown(Kind::One);
}

//! A server sends us to another, though it has not told us of a cluster.
void Client::beClusterUnseen()
{
    m_mapForbidden = true; // unless a map comes
    noteTopology();
    becomeKnown(Kind::Cluster);
}

void Client::becomeKnown(Kind kind)
{
    m_kind = kind;
    const QPointer<Client> self(this);
    updateReady();
    if (self)
        resumeLearners();
}

void Client::resumeLearners()
{
    for (const auto waiting : std::exchange(m_learning, {}))
        waiting.resume();
}

void Client::updateReady()
{
    const std::vector<Connection*> all = masters();
    const bool was = m_isReady;
    m_isReady = m_kind != Kind::Unknown && !m_closed && !all.empty()
        && std::all_of(all.begin(), all.end(), [](const auto* node) { return node->isReady(); });
    if (m_isReady && isCluster() && !m_mapForbidden)
        dropSeed();
    else if (!m_isReady && isCluster())
        refreshAt(m_clock.now() + refreshInTrouble);
    if (m_isReady && !was)
        Q_EMIT ready();
    else if (all.empty() && m_problem)
        Q_EMIT unavailable();
}

void Client::noteTopology()
{
    ++m_topologyNumber;
    if (std::exchange(m_topologyPosted, true))
        return;
    const auto say = [this] {
        m_topologyPosted = false;
        if (!m_closed)
            Q_EMIT topologyChanged();
    };
    QMetaObject::invokeMethod(this, say, Qt::QueuedConnection);
}

//! Later, when no connection is in the midst of telling its callers what has happened.
void Client::tidySoon()
{
    QMetaObject::invokeMethod(
        this, [this] { m_nodes.letGo(m_seed); }, Qt::QueuedConnection);
}

Task<void> Client::learn()
{
    co_await Learned(this);
}

Task<void> Client::refresh()
{
    if (!isCluster() || m_closed)
        co_return;
    m_lastRefresh = m_clock.now();
    const std::uint64_t number = ++m_refreshNumber;
    Connection* const node = m_nodes.anyReady();
    if (!node) {
        if (!m_seed)
            openSeed();
        updateReady();
        co_return;
    }
    const Endpoint asked = node->endpoint();
    Reply reply;
    try {
        Call call(*node, Command("CLUSTER") << "SLOTS", Effect::Reads);
        reply = co_await call.answer();
    } catch (const LockError&) {
        co_return; // the connection says so itself
    }
    if (m_closed || !isCluster() || number <= m_refreshTaken)
        co_return; // a younger answer was quicker
    m_refreshTaken = number;
    if (!reply.isError()) {
        takeMap(reply, asked);
        co_return;
    }
    m_mapForbidden = m_mapForbidden || reply.isError("NOPERM");
    updateReady();
}

void Client::refreshSoon()
{
    refreshAt(std::max(m_clock.now(), m_lastRefresh + refreshPause));
}

void Client::refreshAt(TimePoint when)
{
    if (m_closed || !isCluster() || (m_refreshTimer != 0 && m_refreshDue <= when))
        return;
    m_clock.cancel(m_refreshTimer);
    m_refreshDue = when;
    m_refreshTimer = m_clock.callAt(when, [this] {
        m_refreshTimer = 0;
        letRun(refresh());
    });
}

} // namespace lockboard::redis
