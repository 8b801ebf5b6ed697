// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/holder_note.h"

#include <QStringList>

namespace lockboard {

//! A database session in a few words: `10.0.0.7 medusa[4711]`.
[[nodiscard]] QString sessionName(const HolderNote::Fields& session);
//! What else is known of it, line by line.
[[nodiscard]] QStringList sessionLines(const HolderNote::Fields& session, TimePoint now,
                                       const std::vector<std::int64_t>& holders = {});

} // namespace lockboard
