// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/redis_connection.h"
#include "engine/redis/redis_slots_reply.h"

#include <map>

namespace lockboard {

//! The connections to the servers that make up one Redis, one to each, and which of them serves
//! which slot. Replicas are not among them.
class RedisNodes final : public QObject {
    Q_OBJECT

public:
    explicit RedisNodes(const Container& container);

    //! The connection to this server; made and opened if there is none yet.
    RedisConnection& connection(const RedisEndpoint& endpoint);
    //! Whether another connection to there is no more than a cluster can need.
    [[nodiscard]] bool hasRoomFor(const RedisEndpoint& endpoint) const;
    //! Null: nobody, as far as is known.
    [[nodiscard]] RedisConnection* serving(int slot) const
    {
        return m_slots[static_cast<std::size_t>(slot)];
    }
    //! Those that serve a slot.
    [[nodiscard]] const std::vector<RedisConnection*>& masters() const { return m_masters; }
    //! Each of them with the first slot that it serves.
    [[nodiscard]] std::vector<std::pair<int, RedisConnection*>> firstSlots() const;
    [[nodiscard]] bool isMaster(const RedisConnection& connection) const;
    //! A connection that is ready, another each time if there are several. Null: there is none.
    [[nodiscard]] RedisConnection* anyReady();
    [[nodiscard]] int slotsWithoutNode() const;
    [[nodiscard]] int mastersWithoutReplica() const { return m_withoutReplica; }

    //! Takes a whole map over; all are reached like `like`, but for the address. Gives whether
    //! anything is different now. Lets go of those that serve nothing any more, but for `kept`.
    bool assign(const std::vector<RedisSlotRange>& ranges, const RedisEndpoint& like);
    //! One slot only.
    bool assign(int slot, RedisConnection& connection);
    void letGo(const RedisConnection* kept = nullptr);
    void clear();
    void close();

Q_SIGNALS:
    void ready(lockboard::RedisConnection* connection);
    void unavailable(lockboard::RedisConnection* connection);
    void replaced(const std::string& how); //!< as RedisConnection says it

private:
    void findMasters();

    Container m_container;
    std::map<std::string, std::unique_ptr<RedisConnection>> m_connections; // by name
    std::vector<RedisConnection*> m_slots;
    std::vector<RedisConnection*> m_masters; // in the order of their first slots
    std::string m_lastAsked;
    int m_withoutReplica = 0;
    bool m_closed = false;
};

} // namespace lockboard
