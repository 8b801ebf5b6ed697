// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

namespace lockboard::ctl {

//! The known word that a misspelt one most likely meant; empty: none is near enough.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string_view>& known);

} // namespace lockboard::ctl
