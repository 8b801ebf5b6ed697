// SPDX-License-Identifier: MIT
#include "engine/redis/redis_provider_kind.h"

#include "engine/redis/redis_provider.h"

namespace lockboard {

ProviderRegistry::Kind redisProviderKind()
{
    ProviderRegistry::Kind kind;
    kind.identifier = RedisProvider::identifier;
    kind.factory = [](const Container& container, const ProviderSetup& setup) {
        return std::make_unique<RedisProvider>(container, RedisSettings::read(setup));
    };
    kind.medusaNames = {"@medusajs/locking-redis", "@medusajs/medusa/locking-redis"};
    kind.urlSchemes = {"redis", "rediss", "unix", "/"};
    kind.urlOption = "redisUrl";
    return kind;
}

} // namespace lockboard
