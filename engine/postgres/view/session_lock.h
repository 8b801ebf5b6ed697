// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"
#include "engine/postgres/wire/result.h"

namespace lockboard::postgres {

//! An advisory lock that may be one of Medusa's executes, and the session that holds it or waits
//! for it.
class SessionLock final {
public:
    //! Those before it are not about locks; where it is NULL, there is none.
    static constexpr int firstColumn = 2;

    //! From a row of Statements::lookAround. `serverNow` is its time, `now` ours then.
    SessionLock(const Result& result, int row, double serverNow, TimePoint now);

    //! As it is listed.
    [[nodiscard]] Lock lock(const std::string& key) const;

    std::uint32_t hash;
    bool granted;
    bool hidden; //!< the server tells this user no more than process, application and user
    HolderNote note;
    std::string said; //!< all the server said of it, to tell whether that has changed
};

} // namespace lockboard::postgres
