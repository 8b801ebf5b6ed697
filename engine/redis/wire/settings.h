// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/options.h"
#include "engine/redis/wire/sentinel_settings.h"

#include <memory>
#include <string>
#include <vector>

namespace lockboard {
class ProviderSetup;
}

namespace lockboard::redis {

class Tls;

//! Where a Redis server is and how to come in.
class Endpoint final {
public:
    std::string host = "127.0.0.1";
    int port = 6379;
    std::string path; //!< of a Unix socket; rather than host and port, if not empty
    std::shared_ptr<const Tls> tls; //!< none: unencrypted
    std::string username;
    std::string password;
    SentinelSettings sentinel; //!< if it has any, they say host and port
    int database = 0;
    std::string clientName = "lockboard";
    Duration connectTimeout = std::chrono::seconds(10);
    //! Connected but silent for so long while an answer is due: the connection is given up.
    Duration commandTimeout = std::chrono::seconds(10);

    //! `127.0.0.1:6379` or the socket's path: for sentences, free of secrets.
    [[nodiscard]] std::string name() const;
    //! What is unsafe about it: sentences, free of secrets.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    [[nodiscard]] bool isHere() const;
};

//! A Redis provider's options: Medusa's names, those of `redisOptions` are ioredis's.
class Settings final {
public:
    Endpoint endpoint;
    //! Of a cluster, where to ask for its nodes (option `cluster`); empty: not said to be one.
    std::vector<Endpoint> seeds;
    std::string keyspace = "medusa_lock:"; //!< the option `namespace`
    Ownerless ownerless = Ownerless::Claimable;
    Duration executeTimeout = ExecuteOptions::defaultTimeout; //!< `waitLockingTimeout`
    Duration firstRetry = std::chrono::milliseconds(20); //!< `defaultRetryInterval`
    Duration longestRetry = std::chrono::seconds(1); //!< `maximumRetryInterval`
    double backoffFactor = 2;
    bool fencing = false; //!< every grant has a token
    bool annotate = false; //!< who took a lock is written beside it
    int waitReplicas = 0; //!< a lock counts when so many replicas have it
    Duration waitReplicasTimeout = std::chrono::seconds(1);

    //! \throws ConfigError; it never repeats a URL, which may hold a password
    [[nodiscard]] static Settings read(const ProviderSetup& setup);
};

} // namespace lockboard::redis
