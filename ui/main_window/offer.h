// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/seen_locks.h"

namespace lockboard {

//! What the window's actions act on: fixed when they are offered, which is when a menu opens, a
//! button is pressed or a key, and not looked up again when something is chosen.
class Offer final {
public:
    std::string provider;
    SeenLocks selected;
    std::vector<RowId> rows; //!< all that are selected, also those that can't be released
    LockTable table; //!< what those ids mean
    std::optional<Lock> current; //!< the lock that a menu was opened on, or the current one
    Owner owner; //!< whose locks "this owner" means
};

} // namespace lockboard
