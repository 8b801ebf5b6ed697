// SPDX-License-Identifier: MIT
#include "engine/redis/topology/slots_reply.h"

#include "engine/contract/errors.h"
#include "engine/redis/wire/shape.h"
#include "engine/redis/wire/slot.h"

#include <charconv>
#include <set>

namespace lockboard::redis {

static std::string hostOf(const Reply& node, const Endpoint& asked)
{
    const std::string_view preferred = node.at(0).text();
    // "?": it prefers to be called by a name, and has been given none.
    if (preferred == "?") {
        const Reply more = node.at(3);
        for (std::size_t i = 0; i + 1 < more.size(); i += 2) {
            if (more.at(i).text() == "ip" && !more.at(i + 1).text().empty())
                return std::string(more.at(i + 1).text());
        }
    }
    return preferred.empty() || preferred == "?" ? asked.host : std::string(preferred);
}

std::vector<SlotRange> readSlots(const Reply& reply, const Endpoint& asked)
{
    const std::string who = "Redis at " + asked.name();
    if (!reply.isArray())
        throw Unavailable(who + " answered CLUSTER SLOTS with " + reply.description()
                          + ", which is no map of slots.");
    std::vector<SlotRange> ranges;
    std::set<std::pair<std::string, int>> nodes;
    for (std::size_t i = 0; i < reply.size(); ++i) {
        const Reply entry = reply.at(i);
        const std::int64_t first = entry.at(0).integer();
        const std::int64_t last = entry.at(1).integer();
        const std::int64_t port = entry.at(2).at(1).integer();
        const std::string host = hostOf(entry.at(2), asked);
        if (entry.size() < 3 || !shape::isHost(host) || first < 0 || last < first
            || last >= slot::count || port < 1 || port > 65535)
            continue;
        SlotRange range;
        range.first = static_cast<int>(first);
        range.last = static_cast<int>(last);
        range.host = host;
        range.port = static_cast<int>(port);
        range.replicas = static_cast<int>(entry.size()) - 3;
        nodes.emplace(range.host, range.port);
        if (nodes.size() > mostRedisNodes || ranges.size() == slot::count)
            throw Unavailable(who + " answered CLUSTER SLOTS with more than a cluster has: over "
                              + std::to_string(nodes.size() - 1) + " nodes in "
                              + std::to_string(ranges.size()) + " ranges of slots.");
        ranges.push_back(std::move(range));
    }
    return ranges;
}

Endpoint readAddress(std::string_view text, const Endpoint& asked)
{
    Endpoint there = asked;
    there.port = 0;
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return there;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    if (!host.empty() && host != "?") {
        if (!shape::isHost(host))
            return there;
        there.host = host;
    }
    int port = 0;
    const auto [end, error] =
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    if (error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65535)
        there.port = port;
    return there;
}

} // namespace lockboard::redis
