// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace lockboard {

//! What Medusa's package makes of a key to lock it with pg_advisory_xact_lock: over the key's
//! UTF-16 units from last to first, `h = (h * 33) xor unit` from 5381, in 32 bits.
[[nodiscard]] std::uint32_t medusaHash(std::string_view key);

} // namespace lockboard
