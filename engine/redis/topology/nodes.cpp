// SPDX-License-Identifier: MIT
#include "engine/redis/topology/nodes.h"

#include "engine/contract/errors.h"
#include "engine/redis/wire/slot.h"

#include <algorithm>
#include <set>

namespace lockboard::redis {

Nodes::Nodes(const Container& container)
    : m_container(container)
    , m_slots(slot::count)
{
}

Connection& Nodes::connection(const Endpoint& endpoint)
{
    std::unique_ptr<Connection>& place = m_connections[endpoint.name()];
    if (place)
        return *place;
    place = std::make_unique<Connection>(endpoint, m_container);
    Connection* const made = place.get();
    connect(made, &Connection::ready, this, [this, made] { Q_EMIT ready(made); });
    connect(made, &Connection::unavailable, this, [this, made] { Q_EMIT unavailable(made); });
    connect(made, &Connection::replaced, this, &Nodes::replaced);
    if (m_closed)
        made->close();
    else
        made->open();
    return *made;
}

bool Nodes::hasRoomFor(const Endpoint& endpoint) const
{
    return m_connections.size() < mostRedisNodes || m_connections.contains(endpoint.name());
}

std::vector<std::pair<int, Connection*>> Nodes::firstSlots() const
{
    std::vector<std::pair<int, Connection*>> all;
    for (Connection* const master : m_masters) {
        const auto first = std::find(m_slots.begin(), m_slots.end(), master);
        all.emplace_back(static_cast<int>(first - m_slots.begin()), master);
    }
    return all;
}

bool Nodes::isMaster(const Connection& connection) const
{
    return std::find(m_masters.begin(), m_masters.end(), &connection) != m_masters.end();
}

Connection* Nodes::anyReady()
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

int Nodes::slotsWithoutNode() const
{
    return static_cast<int>(std::count(m_slots.begin(), m_slots.end(), nullptr));
}

bool Nodes::assign(const std::vector<SlotRange>& ranges, const Endpoint& like)
{
    std::vector<Connection*> slots(m_slots.size());
    std::set<Connection*> withoutReplica;
    for (const SlotRange& range : ranges) {
        Endpoint endpoint = like;
        endpoint.path.clear();
        endpoint.host = range.host;
        endpoint.port = range.port;
        Connection* const node = &connection(endpoint);
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

bool Nodes::assign(int slot, Connection& connection)
{
    Connection*& place = m_slots[static_cast<std::size_t>(slot)];
    if (place == &connection)
        return false;
    place = &connection;
    findMasters();
    return true;
}

void Nodes::findMasters()
{
    m_masters.clear();
    for (Connection* const node : m_slots) {
        if (node && (m_masters.empty() || m_masters.back() != node) && !isMaster(*node))
            m_masters.push_back(node);
    }
}

void Nodes::letGo(const Connection* kept)
{
    std::vector<std::unique_ptr<Connection>> gone;
    for (auto it = m_connections.begin(); it != m_connections.end();) {
        Connection& node = *it->second;
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
    for (std::unique_ptr<Connection>& node : gone) {
        node->disconnect(this);
        node->close(std::make_exception_ptr(Unavailable(
            "Redis at " + node->endpoint().name() + " serves no part of its cluster any more.")));
        node->setParent(this);
        node.release()->deleteLater(); // we may be called from within it
    }
}

void Nodes::clear()
{
    std::fill(m_slots.begin(), m_slots.end(), nullptr);
    findMasters();
}

void Nodes::close()
{
    m_closed = true;
    std::vector<Connection*> all;
    for (const auto& [name, node] : m_connections)
        all.push_back(node.get());
    for (Connection* const node : all)
        node->close();
}

} // namespace lockboard::redis
