// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/seen_locks.h"

#include <QString>

namespace lockboard {

// What the questions before a release have in common.

//! Whose they are, those that are held.
[[nodiscard]] QString holdersText(const SeenLocks::Summary& locks);
//! What it means for whoever holds them.
[[nodiscard]] QString warningText();
//! Of locks that are over.
[[nodiscard]] QString residueText(const SeenLocks::Summary& locks);
//! Where they are and how some of them are called: `At shop: “a”, “b” and 7 more.`
[[nodiscard]] QString placeText(const SeenLocks& locks, const SeenLocks::Summary& summary);
//! That there may be more, if there may.
[[nodiscard]] QString loadingText(const SeenLocks& locks);
//! Names in quotes, and how many more there are.
[[nodiscard]] QString namesText(const std::vector<std::string>& names, std::uint64_t count);

} // namespace lockboard
