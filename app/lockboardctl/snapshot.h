// SPDX-License-Identifier: MIT
#pragma once

#include "app/lockboardctl/session.h"

namespace lockboard::ctl {

//! Which locks a verb is about.
class LockQuery final {
public:
    LockQuery() = default;
    explicit LockQuery(const Arguments& arguments);
    //! What release-all would release: whatever is a lock, or was one.
    LockQuery& onlyHeld() { return m_onlyHeld = true, *this; }

    [[nodiscard]] bool matches(const Lock& lock) const;

private:
    Owner m_owner;
    QString m_filter;
    bool m_noOwner = false;
    bool m_onlyHeld = false;
};

//! Reads the locks that there are now, a batch at a time as they come, until the last one or until
//! `consume` gives false. What `consume` throws comes out here. What the provider has to say of the
//! list, a right that is missing say, goes to standard error.
//! \throws Unavailable, Denied, Cancelled
Task<void> readSnapshot(Session& session, std::function<bool(const LockBatch&)> consume);

//! Writes the locks that match, as a table or as JSON lines, and gives their number. `arguments`
//! say which of the two, how many at the most, and by which names to know advisory locks.
//! \throws as above, UsageError
Task<std::uint64_t> printLocks(Session& session, LockQuery query, Arguments arguments);

} // namespace lockboard::ctl
