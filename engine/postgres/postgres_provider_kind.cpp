// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_provider_kind.h"

#include "engine/postgres/postgres_provider.h"

namespace lockboard {

ProviderRegistry::Kind postgresProviderKind()
{
    ProviderRegistry::Kind kind;
    kind.identifier = PostgresProvider::identifier;
    kind.factory = [](const Container& container, const ProviderSetup& setup) {
        return std::make_unique<PostgresProvider>(container, PostgresSettings::read(setup));
    };
    kind.medusaNames = {"@medusajs/locking-postgres", "@medusajs/medusa/locking-postgres"};
    kind.urlSchemes = {"postgres", "postgresql"};
    kind.urlOption = "databaseUrl";
    return kind;
}

} // namespace lockboard
