// SPDX-License-Identifier: MIT
#pragma once

#include "engine/provider_registry.h"

namespace lockboard {

[[nodiscard]] ProviderRegistry::Kind postgresProviderKind();

} // namespace lockboard
