// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/contract/context.h"
#include "engine/contract/seen_session.h"

//! What only some kinds of providers can do. A provider that can gives itself, or a part of it that
//! lives as long (LockProvider::sessionControl and its like); consoles ask ProviderFeatures. Every
//! call gives one sentence that says what was done, and throws as the calls of the contract do.

namespace lockboard {

//! Ends the database sessions that hold locks beside the provider's own.
class SessionControl {
public:
    virtual ~SessionControl() = default;
    //! Leaves it alone if it is not what was seen. \throws InvalidArgument: then nothing was done
    virtual Task<std::string> endSession(SeenSession seen, SessionEnd how,
                                         SharedContext context) = 0;
};

//! Has the store itself tell of every change of a lock, whoever makes it.
class ChangeNotices {
public:
    virtual ~ChangeNotices() = default;
    //! Once more is no mistake, of both.
    virtual Task<std::string> installNotices(SharedContext context) = 0;
    virtual Task<std::string> removeNotices(SharedContext context) = 0;
};

} // namespace lockboard
