// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

//! How a Redis Cluster spreads its keys: by a checksum of the key, or of what stands in its first
//! `{braces}`, into 16384 slots, each of which one master serves.
namespace lockboard::redis::slot {

inline constexpr int count = 16384;

//! The slot of a key as Redis knows it.
[[nodiscard]] int of(std::string_view key);

//! A short text that hashes to this slot: `{` + tag + `}` in a key puts it there.
[[nodiscard]] const std::string& tag(int slot);

} // namespace lockboard::redis::slot
