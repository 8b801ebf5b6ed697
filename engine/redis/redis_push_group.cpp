// SPDX-License-Identifier: MIT
#include "engine/redis/redis_push_group.h"

#include <algorithm>
#include <set>

namespace lockboard {

RedisPushGroup::RedisPushGroup(RedisClient& client, std::string prefix, const Container& container)
    : m_client(client)
    , m_prefix(std::move(prefix))
    , m_container(container)
{
    connect(&client, &RedisClient::topologyChanged, this, &RedisPushGroup::arrange);
}

void RedisPushGroup::open()
{
    if (m_open)
        return;
    m_open = true;
    arrange();
}

void RedisPushGroup::close()
{
    disconnect(&m_client, nullptr, this, nullptr);
    m_open = true;
    for (const auto& [name, member] : m_members)
        member->close();
}

const char* RedisPushGroup::way() const
{
    return m_members.empty() ? "" : m_members.begin()->second->way();
}

bool RedisPushGroup::isSettled() const
{
    return !m_members.empty()
        && std::all_of(m_members.begin(), m_members.end(),
                       [](const auto& member) { return member.second->isSettled(); });
}

std::string RedisPushGroup::why() const
{
    for (const auto& [name, member] : m_members) {
        if (!member->isLive() && !member->why().empty())
            return member->why();
    }
    return {};
}

void RedisPushGroup::arrange()
{
    if (!m_open)
        return;
    std::set<std::string> wanted;
    for (RedisConnection* const server : m_client.masters()) {
        wanted.insert(server->endpoint().name());
        add(server->endpoint());
    }
    for (auto it = m_members.begin(); it != m_members.end();) {
        if (wanted.contains(it->first)) {
            ++it;
            continue;
        }
        RedisPush* const gone = it->second.release();
        it = m_members.erase(it);
        gone->disconnect(this);
        gone->close();
        gone->setParent(this);
        gone->deleteLater();
    }
    update();
}

void RedisPushGroup::add(const RedisEndpoint& endpoint)
{
    std::unique_ptr<RedisPush>& place = m_members[endpoint.name()];
    if (place)
        return;
    place = std::make_unique<RedisPush>(endpoint, m_prefix, m_container);
    connect(place.get(), &RedisPush::live, this, &RedisPushGroup::update);
    connect(place.get(), &RedisPush::lost, this, [this] {
        m_live = false;
        m_client.refreshSoon(); // its heartbeat notices first that a node is gone
        Q_EMIT lost();
    });
    connect(place.get(), &RedisPush::troubled, this, &RedisPushGroup::troubled);
    connect(place.get(), &RedisPush::changed, this, &RedisPushGroup::changed);
    connect(place.get(), &RedisPush::flushed, this, &RedisPushGroup::flushed);
    place->open();
}

void RedisPushGroup::update()
{
    const bool was = m_live;
    m_live = !m_members.empty()
        && std::all_of(m_members.begin(), m_members.end(),
                       [](const auto& member) { return member.second->isLive(); });
    if (m_live && !was)
        Q_EMIT live();
    else if (was && !m_live)
        Q_EMIT lost();
}

} // namespace lockboard
