// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace lockboard {
class ConfigValue;
}

namespace lockboard::redis {

class Tls;

//! Whom to ask where the master is: ioredis's names, in `redisOptions`.
class SentinelSettings final {
public:
    struct Address {
        std::string host = "127.0.0.1";
        int port = 26379;
    };

    std::vector<Address> sentinels; //!< none: the server does not move
    std::string master; //!< the option `name`
    std::string username; //!< `sentinelUsername`
    std::string password; //!< `sentinelPassword`
    std::shared_ptr<const Tls> tls; //!< `sentinelTLS`; none: unencrypted

    //! \throws ConfigError
    [[nodiscard]] static SentinelSettings read(const ConfigValue& redisOptions);
};

} // namespace lockboard::redis
