// SPDX-License-Identifier: MIT
#pragma once

#include "app/lockboardctl/session.h"

namespace lockboard::ctl {

//! There is somebody to ask.
[[nodiscard]] bool canAsk();
//! Asks on the terminal; anything but a yes is a no. The event loop goes on meanwhile, so that a
//! connection stays alive. \throws Cancelled
Task<bool> ask(Session& session, std::string question);

} // namespace lockboard::ctl
