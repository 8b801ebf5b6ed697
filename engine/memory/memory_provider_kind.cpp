// SPDX-License-Identifier: MIT
#include "engine/memory/memory_provider_kind.h"

#include "engine/memory/memory_provider.h"

namespace lockboard {

ProviderRegistry::Kind memoryProviderKind()
{
    ProviderRegistry::Kind kind;
    kind.identifier = MemoryProvider::identifier;
    kind.factory = [](const Container& container, const ProviderSetup& setup) {
        return std::make_unique<MemoryProvider>(container, setup.ownerless());
    };
    return kind;
}

} // namespace lockboard
