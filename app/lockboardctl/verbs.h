// SPDX-License-Identifier: MIT
#pragma once

#include "app/lockboardctl/session.h"

#include <span>

namespace lockboard::ctl {

//! One thing the program can do. Gives the exit code; throws LockError or UsageError.
class Verb final {
public:
    const char* name;
    const char* operands; //!< what stands after it, for the help; "" if nothing may
    const char* summary;
    const char* details; //!< the rest of its help
    Task<int> (*run)(Session& session, Arguments arguments);
    bool changesLocks = false;
    bool usesLocks = true; //!< not only the configuration
    bool looksAtAll = false; //!< at every provider, unless one is named
};

[[nodiscard]] std::span<const Verb> verbs();
[[nodiscard]] const Verb* findVerb(std::string_view name);

// Each in a file of its own.
Task<int> runProviders(Session& session, Arguments arguments);
Task<int> runList(Session& session, Arguments arguments);
Task<int> runAcquire(Session& session, Arguments arguments);
Task<int> runRelease(Session& session, Arguments arguments);
Task<int> runReleaseAll(Session& session, Arguments arguments);
Task<int> runPostgres(Session& session, Arguments arguments);
Task<int> runCheck(Session& session, Arguments arguments);

} // namespace lockboard::ctl
