// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/resume.h"
#include "engine/async/task.h"
#include "engine/redis/wire/connection.h"
#include "engine/redis/wire/script.h"

namespace lockboard::redis {

//! Waits until replicas have a lock. WAIT holds up everything that comes after it on its
//! connection, so it has one of its own, and calls that come while one is under way share the next:
//! none waits for longer than two of them take.
class Replicas final {
public:
    //! `count`: how many replicas must have a lock; within `timeout` each time.
    Replicas(const Endpoint& endpoint, const Container& container, Resumer& resumer, int count,
             Duration timeout);
    Replicas(const Replicas&) = delete;
    Replicas& operator=(const Replicas&) = delete;

    //! For good. What waits goes on with Cancelled, by the resumer.
    void close();

    //! Why it can't be said that the replicas have these locks, keys as Redis knows them, all with
    //! this value: a phrase; empty: they have. \throws Unavailable, OutcomeUnknown, Denied,
    //! Cancelled
    Task<std::string> findFault(std::vector<std::string> keys, std::string value);

private:
    class Waiting;

    Task<void> run();
    void sendTouch(Calls& calls, const Waiting& waiting) const;
    [[nodiscard]] std::string judge(const Reply& touched, const Reply& waited,
                                    const Waiting& waiting) const;

    Resumer& m_resumer;
    int m_count;
    Duration m_timeout;
    Script m_touchScript;
    std::vector<Waiting*> m_waiting; // for the next WAIT
    bool m_running = false;
    Connection m_connection;
};

} // namespace lockboard::redis
