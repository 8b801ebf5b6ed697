// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/document.h"

namespace lockboard {

//! A configuration whose in-memory provider has workers of its own, which take, renew and release
//! locks as a shop would. They work under the module's door: the operator's audit log and
//! read-only mode are not about them.
[[nodiscard]] Config demoConfig();

} // namespace lockboard
