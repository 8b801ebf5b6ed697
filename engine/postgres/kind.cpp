// SPDX-License-Identifier: MIT
#include "engine/postgres/kind.h"

#include "engine/postgres/locks/provider.h"

namespace lockboard::postgres {

ProviderRegistry::Kind kind()
{
    ProviderRegistry::Kind kind;
    kind.identifier = Provider::identifier;
    kind.factory = [](const Container& container, const ProviderSetup& setup) {
        return std::make_unique<Provider>(container, Settings::read(setup));
    };
    kind.medusaNames = {"@medusajs/locking-postgres", "@medusajs/medusa/locking-postgres"};
    kind.urlSchemes = {"postgres", "postgresql"};
    kind.urlOption = "databaseUrl";
    return kind;
}

} // namespace lockboard::postgres
