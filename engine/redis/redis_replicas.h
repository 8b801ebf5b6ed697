// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/redis_connection.h"
#include "engine/redis/redis_script.h"
#include "engine/resume.h"
#include "engine/task.h"

namespace lockboard {

//! Waits until replicas have a lock. WAIT holds up everything that comes after it on its
//! connection, so it has one of its own, and calls that come while one is under way share the next:
//! none waits for longer than two of them take.
class RedisReplicas final {
public:
    //! `count`: how many replicas must have a lock; within `timeout` each time.
    RedisReplicas(const RedisEndpoint& endpoint, const Container& container, Resumer& resumer,
                  int count, Duration timeout);
    RedisReplicas(const RedisReplicas&) = delete;
    RedisReplicas& operator=(const RedisReplicas&) = delete;

    //! For good. What waits goes on with Cancelled, by the resumer.
    void close();

    //! Why it can't be said that the replicas have these locks, keys as Redis knows them, all with
    //! this value: a phrase; empty: they have. \throws Unavailable, OutcomeUnknown, Denied,
    //! Cancelled
    Task<std::string> findFault(std::vector<std::string> keys, std::string value);

private:
    class Waiting;

    Task<void> run();
    void sendTouch(RedisCalls& calls, const Waiting& waiting) const;
    [[nodiscard]] std::string judge(const RedisReply& touched, const RedisReply& waited,
                                    const Waiting& waiting) const;

    Resumer& m_resumer;
    int m_count;
    Duration m_timeout;
    RedisScript m_touchScript;
    std::vector<Waiting*> m_waiting; // for the next WAIT
    bool m_running = false;
    RedisConnection m_connection;
};

} // namespace lockboard
