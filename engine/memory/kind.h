// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/kinds.h"

namespace lockboard::memory {

[[nodiscard]] ProviderRegistry::Kind kind();

} // namespace lockboard::memory
