// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/topology/client.h"
#include "engine/redis/topology/push.h"

namespace lockboard::redis {

//! What all servers that keep locks push: a Push to each, since a node of a cluster tells of
//! its own keys only. Live only while all are. Follows the cluster's changes.
class PushGroup final : public QObject {
    Q_OBJECT

public:
    PushGroup(Client& client, std::string prefix, const Container& container);

    //! As those of Push.
    void open();
    void close();
    [[nodiscard]] bool isLive() const { return m_live; }
    //! Of the first of them.
    [[nodiscard]] const char* way() const;
    [[nodiscard]] bool isSettled() const;
    [[nodiscard]] std::string why() const;

Q_SIGNALS:
    void troubled();
    void live();
    void lost();
    void changed(const std::vector<std::string>& keys);
    void flushed();

private:
    //! Has one for each server, and no other.
    void arrange();
    void add(const Endpoint& endpoint);
    void update();

    Client& m_client;
    std::string m_prefix;
    Container m_container;
    std::map<std::string, std::unique_ptr<Push>> m_members; // by the server's name
    bool m_open = false;
    bool m_live = false;
};

} // namespace lockboard::redis
