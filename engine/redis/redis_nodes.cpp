// SPDX-License-Identifier: MIT
#include "engine/redis/redis_nodes.h"

#include "engine/errors.h"
#include "engine/redis/redis_slot.h"

#include <algorithm>
#include <set>

namespace lockboard {

RedisNodes::RedisNodes(const Container& container)
    : m_container(container)
    , m_slots(redis_slot::count)
{
}

RedisConnection& RedisNodes::connection(const RedisEndpoint& endpoint)
{
    std::unique_ptr<RedisConnection>& place = m_connections[endpoint.name()];
    if (place)
        return *place;
    place = std::make_unique<RedisConnection>(endpoint, m_container);
    RedisConnection* const made = place.get();
    connect(made, &RedisConnection::ready, this, [this, made] { Q_EMIT ready(made); });
    connect(made, &RedisConnection::unavailable, this, [this, made] { Q_EMIT unavailable(made); });
    connect(made, &RedisConnection::replaced, this, &RedisNodes::replaced);
    if (m_closed)
        made->close();
    else
        made->open();
    return *made;
}

bool RedisNodes::hasRoomFor(const RedisEndpoint& endpoint) const
{
    return m_connections.size() < mostRedisNodes || m_connections.contains(endpoint.name());
}

std::vector<std::pair<int, RedisConnection*>> RedisNodes::firstSlots() const
{
    std::vector<std::pair<int, RedisConnection*>> all;
    for (RedisConnection* const master : m_masters) {
        const auto first = std::find(m_slots.begin(), m_slots.end(), master);
        all.emplace_back(static_cast<int>(first - m_slots.begin()), master);
    }
    return all;
}

bool RedisNodes::isMaster(const RedisConnection& connection) const
{
    return std::find(m_masters.begin(), m_masters.end(), &connection) != m_masters.end();
}

RedisConnection* RedisNodes::anyReady()
{
    // From where it stopped the last time, round to there.
    auto it = m_connections.upper_bound(m_lastAsked);
    for (std::size_t i = 0; i < m_connections.size(); ++i, ++it) {
        if (it == m_connections.end())
            it = m_connections.begin();
        if (it->second->isReady()) {
            m_lastAsked = it->first;
            return it->second.get();
        }
    }
    return nullptr;
}

int RedisNodes::slotsWithoutNode() const
{
    return static_cast<int>(std::count(m_slots.begin(), m_slots.end(), nullptr));
}

bool RedisNodes::assign(const std::vector<RedisSlotRange>& ranges, const RedisEndpoint& like)
{
    std::vector<RedisConnection*> slots(m_slots.size());
    std::set<RedisConnection*> withoutReplica;
    for (const RedisSlotRange& range : ranges) {
        RedisEndpoint endpoint = like;
        endpoint.path.clear();
        endpoint.host = range.host;
        endpoint.port = range.port;
        RedisConnection* const node = &connection(endpoint);
        std::fill(slots.begin() + range.first, slots.begin() + range.last + 1, node);
        if (range.replicas == 0)
            withoutReplica.insert(node);
    }
    m_withoutReplica = static_cast<int>(withoutReplica.size());
    if (slots == m_slots)
        return false;
    m_slots = std::move(slots);
    findMasters();
    return true;
}

bool RedisNodes::assign(int slot, RedisConnection& connection)
{
    RedisConnection*& place = m_slots[static_cast<std::size_t>(slot)];
    if (place == &connection)
        return false;
    place = &connection;
    findMasters();
    return true;
}

void RedisNodes::findMasters()
{
    m_masters.clear();
    for (RedisConnection* const node : m_slots) {
        if (node && (m_masters.empty() || m_masters.back() != node) && !isMaster(*node))
            m_masters.push_back(node);
    }
}

void RedisNodes::letGo(const RedisConnection* kept)
{
    std::vector<std::unique_ptr<RedisConnection>> gone;
    for (auto it = m_connections.begin(); it != m_connections.end();) {
        RedisConnection& node = *it->second;
        // What it was sent, it shall answer.
        const bool stays = &node == kept || isMaster(node) || (node.isReady() && !node.isIdle());
        if (stays) {
            ++it;
            continue;
        }
        gone.push_back(std::move(it->second));
        it = m_connections.erase(it);
    }
    // Closing resumes those who wait, and they may come back here.
    for (std::unique_ptr<RedisConnection>& node : gone) {
        node->disconnect(this);
        node->close(std::make_exception_ptr(Unavailable(
            "Redis at " + node->endpoint().name() + " serves no part of its cluster any more.")));
        node->setParent(this);
        node.release()->deleteLater(); // we may be called from within it
    }
}

void RedisNodes::clear()
{
    std::fill(m_slots.begin(), m_slots.end(), nullptr);
    findMasters();
}

void RedisNodes::close()
{
    m_closed = true;
    std::vector<RedisConnection*> all;
    for (const auto& [name, node] : m_connections)
        all.push_back(node.get());
    for (RedisConnection* const node : all)
        node->close();
}

} // namespace lockboard
