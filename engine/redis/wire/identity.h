// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace lockboard::redis {

//! The value of a line `name:value` of INFO; empty: there is none.
[[nodiscard]] std::string infoField(std::string_view info, std::string_view name);

//! Which server process one is connected to and which history of writes it has: another one, after
//! a restart or a failover, may not know the locks that were taken before.
class Identity final {
public:
    Identity() = default;
    //! `server` is its name in sentences; the others what it says to INFO, empty where it says
    //! nothing.
    Identity(std::string server, std::string_view infoServer, std::string_view infoReplication);

    //! An access rule may forbid INFO.
    [[nodiscard]] bool isKnown() const { return !m_runId.empty() && !m_replicationId.empty(); }
    [[nodiscard]] bool isReplica() const { return m_replica; }
    [[nodiscard]] bool takesWrites() const { return m_takesWrites; }
    //! What has become of the server that was `before`, as a sentence; empty: nothing. Both known.
    [[nodiscard]] std::string changeSince(const Identity& before) const;

private:
    std::string m_server;
    std::string m_runId;
    std::string m_replicationId;
    bool m_replica = false;
    bool m_takesWrites = true;
};

} // namespace lockboard::redis
