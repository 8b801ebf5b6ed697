// SPDX-License-Identifier: MIT
#include "engine/redis/kind.h"

#include "engine/redis/locks/provider.h"

namespace lockboard::redis {

ProviderRegistry::Kind kind()
{
    ProviderRegistry::Kind kind;
    kind.identifier = Provider::identifier;
    kind.factory = [](const Container& container, const ProviderSetup& setup) {
        return std::make_unique<Provider>(container, Settings::read(setup));
    };
    kind.medusaNames = {"@medusajs/locking-redis", "@medusajs/medusa/locking-redis"};
    kind.urlSchemes = {"redis", "rediss", "unix", "/"};
    kind.urlOption = "redisUrl";
    return kind;
}

} // namespace lockboard::redis
