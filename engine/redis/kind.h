// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/kinds.h"

namespace lockboard::redis {

[[nodiscard]] ProviderRegistry::Kind kind();

} // namespace lockboard::redis
