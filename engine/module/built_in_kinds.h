// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/kinds.h"

namespace lockboard {

//! The kinds of providers that this engine was built with. A program that embeds it may add its own
//! to what it gets.
[[nodiscard]] ProviderRegistry builtInKinds();

} // namespace lockboard
