// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/resume.h"
#include "engine/contract/lock.h"

#include <list>
#include <unordered_map>

namespace lockboard {

//! First come, first served, for calls that want several keys at once: a call stands in the queue
//! of each of its keys and leads when it is first in all of them. Whoever came first leads in all
//! of his queues, so somebody always does. Joining, leaving and looking are O(number of keys).
class WaitQueue final {
public:
    //! A holder of this process, who is known to stand in the way.
    struct Holder {
        std::optional<std::string> owner;
        std::optional<TimePoint> leaseEnd;
    };
    //! A call's place; leaves the queue when it ends, however it does.
    class Ticket {
    public:
        Ticket(const LockKeys& wanted, Resumer& resumer)
            : keys(wanted)
            , signal(resumer)
        {
        }
        ~Ticket()
        {
            if (m_queue)
                m_queue->leave(*this);
        }
        Ticket(const Ticket&) = delete;
        Ticket& operator=(const Ticket&) = delete;

        const LockKeys& keys;
        Signal signal;
        bool woken = false; //!< a key came free, perhaps while a try was under way
        bool inFlight = false; //!< the store has been asked, and has not answered yet
        std::optional<Holder> blocker; //!< took a key just now: a try is of no use yet
        TimePoint notBefore; //!< others first
        //! Till then one hint of a change tells no more than the last try did.
        TimePoint knownUntil;

    private:
        friend class WaitQueue;
        WaitQueue* m_queue = nullptr; // null: in none
        std::vector<std::list<Ticket*>::iterator> m_places;
    };

    [[nodiscard]] bool isEmpty() const { return m_queues.empty(); }
    [[nodiscard]] bool hasWaiters(const LockKeys& keys) const;
    void join(Ticket& ticket);
    //! A ticket that is in no queue is left alone.
    void leave(Ticket& ticket);
    [[nodiscard]] bool leads(const Ticket& ticket) const;
    [[nodiscard]] Ticket* front(const std::string& key) const;
    //! Everyone who waits, each once.
    [[nodiscard]] std::vector<Ticket*> all() const;
    //! Who comes first, queue by queue: one who waits for several keys may be there several times.
    [[nodiscard]] std::vector<Ticket*> fronts() const;

private:
    std::unordered_map<std::string, std::list<Ticket*>> m_queues;
};

} // namespace lockboard
