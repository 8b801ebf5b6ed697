// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"
#include "engine/postgres/wire/call.h"

#include <cstdint>
#include <map>

//! What a call's keys are in the provider's statements.

namespace lockboard::postgres {

//! PostgreSQL stores text, not bytes. \throws InvalidArgument
void requireText(const LockKeys& keys, const Owner& owner);
[[nodiscard]] std::string arrayOf(const LockKeys& keys);
[[nodiscard]] std::vector<std::uint32_t> hashesOf(const LockKeys& keys);
//! Where Lockboards queue and wait for each other, keys share a few hundred places: the server has
//! room for some thousand locks.
[[nodiscard]] int placeOf(std::uint32_t hash);
//! In one order for everyone.
[[nodiscard]] std::string placesOf(const std::vector<std::uint32_t>& hashes);
//! Of the statement `unlock`: hashes, and how often each of them.
[[nodiscard]] Parameters unlockParameters(const std::map<std::uint32_t, int>& locks);
[[nodiscard]] std::optional<std::string> msText(std::optional<Duration> lease);

// What a notification begins with; the key follows, unless it is too long.
inline constexpr char freed = 'f';
[[nodiscard]] std::string freedPayload(const std::string& key);

} // namespace lockboard::postgres
