// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/topology/slots_reply.h"
#include "engine/redis/wire/connection.h"

#include <map>

namespace lockboard::redis {

//! The connections to the servers that make up one Redis, one to each, and which of them serves
//! which slot. Replicas are not among them.
class Nodes final : public QObject {
    Q_OBJECT

public:
    explicit Nodes(const Container& container);

    //! The connection to this server; made and opened if there is none yet.
    Connection& connection(const Endpoint& endpoint);
    //! Whether another connection to there is no more than a cluster can need.
    [[nodiscard]] bool hasRoomFor(const Endpoint& endpoint) const;
    //! Null: nobody, as far as is known.
    [[nodiscard]] Connection* serving(int slot) const
    {
        return m_slots[static_cast<std::size_t>(slot)];
    }
    //! Those that serve a slot.
    [[nodiscard]] const std::vector<Connection*>& masters() const { return m_masters; }
    //! Each of them with the first slot that it serves.
    [[nodiscard]] std::vector<std::pair<int, Connection*>> firstSlots() const;
    [[nodiscard]] bool isMaster(const Connection& connection) const;
    //! A connection that is ready, another each time if there are several. Null: there is none.
    [[nodiscard]] Connection* anyReady();
    [[nodiscard]] int slotsWithoutNode() const;
    [[nodiscard]] int mastersWithoutReplica() const { return m_withoutReplica; }

    //! Takes a whole map over; all are reached like `like`, but for the address. Gives whether
    //! anything is different now. Lets go of those that serve nothing any more, but for `kept`.
    bool assign(const std::vector<SlotRange>& ranges, const Endpoint& like);
    //! One slot only.
    bool assign(int slot, Connection& connection);
    void letGo(const Connection* kept = nullptr);
    void clear();
    void close();

Q_SIGNALS:
    void ready(lockboard::redis::Connection* connection);
    void unavailable(lockboard::redis::Connection* connection);
    void replaced(const std::string& how); //!< as Connection says it

private:
    void findMasters();

    Container m_container;
    std::map<std::string, std::unique_ptr<Connection>> m_connections; // by name
    std::vector<Connection*> m_slots;
    std::vector<Connection*> m_masters; // in the order of their first slots
    std::string m_lastAsked;
    int m_withoutReplica = 0;
    bool m_closed = false;
};

} // namespace lockboard::redis
