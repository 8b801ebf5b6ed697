// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/redis_client.h"
#include "engine/redis/redis_push.h"

namespace lockboard {

//! What all servers that keep locks push: a RedisPush to each, since a node of a cluster tells of
//! its own keys only. Live only while all are. Follows the cluster's changes.
class RedisPushGroup final : public QObject {
    Q_OBJECT

public:
    RedisPushGroup(RedisClient& client, std::string prefix, const Container& container);

    //! As those of RedisPush.
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
    void add(const RedisEndpoint& endpoint);
    void update();

    RedisClient& m_client;
    std::string m_prefix;
    Container m_container;
    std::map<std::string, std::unique_ptr<RedisPush>> m_members; // by the server's name
    bool m_open = false;
    bool m_live = false;
};

} // namespace lockboard
