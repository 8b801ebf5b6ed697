// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/kinds.h"

namespace lockboard::postgres {

[[nodiscard]] ProviderRegistry::Kind kind();

} // namespace lockboard::postgres
