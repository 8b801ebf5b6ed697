// SPDX-License-Identifier: MIT
#include "engine/memory/kind.h"

#include "engine/memory/provider.h"

namespace lockboard::memory {

ProviderRegistry::Kind kind()
{
    ProviderRegistry::Kind kind;
    kind.identifier = Provider::identifier;
    kind.factory = [](const Container& container, const ProviderSetup& setup) {
        return std::make_unique<Provider>(container, setup.ownerless());
    };
    return kind;
}

} // namespace lockboard::memory
