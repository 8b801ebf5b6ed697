// SPDX-License-Identifier: MIT
#include "engine/redis/topology/push_group.h"

#include <algorithm>
#include <set>

namespace lockboard::redis {

PushGroup::PushGroup(Client& client, std::string prefix, const Container& container)
    : m_client(client)
    , m_prefix(std::move(prefix))
    , m_container(container)
{
    connect(&client, &Client::topologyChanged, this, &PushGroup::arrange);
}

void PushGroup::open()
{
    if (m_open)
        return;
    m_open = true;
    arrange();
}

void PushGroup::close()
{
    disconnect(&m_client, nullptr, this, nullptr);
    m_open = true;
    for (const auto& [name, member] : m_members)
        member->close();
}

const char* PushGroup::way() const
{
    return m_members.empty() ? "" : m_members.begin()->second->way();
}

bool PushGroup::isSettled() const
{
    return !m_members.empty()
        && std::all_of(m_members.begin(), m_members.end(),
                       [](const auto& member) { return member.second->isSettled(); });
}

std::string PushGroup::why() const
{
    for (const auto& [name, member] : m_members) {
        if (!member->isLive() && !member->why().empty())
            return member->why();
    }
    return {};
}

void PushGroup::arrange()
{
    if (!m_open)
        return;
    std::set<std::string> wanted;
    for (Connection* const server : m_client.masters()) {
        wanted.insert(server->endpoint().name());
        add(server->endpoint());
    }
    for (auto it = m_members.begin(); it != m_members.end();) {
        if (wanted.contains(it->first)) {
            ++it;
            continue;
        }
        Push* const gone = it->second.release();
        it = m_members.erase(it);
        gone->disconnect(this);
        gone->close();
        gone->setParent(this);
        gone->deleteLater();
    }
    update();
}

void PushGroup::add(const Endpoint& endpoint)
{
    std::unique_ptr<Push>& place = m_members[endpoint.name()];
    if (place)
        return;
    place = std::make_unique<Push>(endpoint, m_prefix, m_container);
    connect(place.get(), &Push::live, this, &PushGroup::update);
    connect(place.get(), &Push::lost, this, [this] {
        m_live = false;
        m_client.refreshSoon(); // its heartbeat notices first that a node is gone
        Q_EMIT lost();
    });
    connect(place.get(), &Push::troubled, this, &PushGroup::troubled);
    connect(place.get(), &Push::changed, this, &PushGroup::changed);
    connect(place.get(), &Push::flushed, this, &PushGroup::flushed);
    place->open();
}

void PushGroup::update()
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

} // namespace lockboard::redis
