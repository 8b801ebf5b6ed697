// SPDX-License-Identifier: MIT
#include "engine/redis/wire/identity.h"

#include "engine/contract/lock.h"

#include <QTime>

namespace lockboard::redis {

std::string infoField(std::string_view info, std::string_view name)
{
    const std::string head = '\n' + std::string(name) + ':';
    const auto at = info.find(head);
    if (at == std::string_view::npos)
        return {};
    const auto from = at + head.size();
    constexpr std::size_t most = 100; // none that we ask for is nearly as long
    return printableStart(info.substr(from, info.find_first_of("\r\n", from) - from), most);
}

Identity::Identity(std::string server, std::string_view infoServer,
                   std::string_view infoReplication)
    : m_server(std::move(server))
    , m_runId(infoField(infoServer, "run_id"))
    , m_replicationId(infoField(infoReplication, "master_replid"))
    , m_replica(infoField(infoReplication, "role") == "slave")
    , m_takesWrites(!m_replica || infoField(infoReplication, "slave_read_only") == "0")
{
}

std::string Identity::changeSince(const Identity& before) const
{
    if (m_runId == before.m_runId && m_replicationId == before.m_replicationId)
        return {};
    const std::string when = " at "
        + QTime::currentTime().toString(QStringLiteral("HH:mm")).toStdString()
        + ": locks taken before may be gone.";
    if (m_server != before.m_server)
        return "Redis failed over from " + before.m_server + " to " + m_server + when;
    if (m_runId != before.m_runId)
        return "Redis at " + m_server + " was restarted" + when;
    return "Redis at " + m_server + " goes on from another server's data" + when;
}

} // namespace lockboard::redis
