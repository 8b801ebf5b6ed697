// SPDX-License-Identifier: MIT
#pragma once

#include "app/lockboardctl/session.h"

namespace lockboard::ctl {

//! Who holds the keys. It is asked by a release that expects an owner whom nobody has, so nothing
//! is released; what is left of a lock that was over may be removed.
[[nodiscard]] Task<std::vector<KeyRelease>> findHolders(Session& session, LockKeys keys);

//! After an acquire that was given up: whether nothing of it is on its way any more. The provider
//! is asked twice, which it answers in turn: by the first answer it knows what became of the
//! acquire, and by the second what it had to give back has gone out. It is asked for the holders of
//! the keys, which is a change to the audit log; without keys, to look at its server. A second
//! without an answer is a no.
[[nodiscard]] Task<bool> isSettled(Session& session, LockKeys keys);

} // namespace lockboard::ctl
