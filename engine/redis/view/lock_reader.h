// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/topology/client.h"
#include "engine/redis/wire/note.h"

namespace lockboard::redis {

//! What lies under one key.
class Entry final {
public:
    enum Kind : std::uint8_t { Absent, Lock, OtherType, TooLong, Denied };

    Entry() = default;

    Kind kind = Absent;
    std::string key; //!< as Redis knows it
    std::string value; //!< of a lock the owner or `*`; else what it is ("hash")
    std::optional<Duration> left; //!< of the lease; none: for ever
    Note note; //!< if notes were asked for
};

//! A page of keys as they are now: GET and PTTL of each, in one go. The server looked at them
//! between `asked` and `answered`.
class Page final {
public:
    Page() = default; // no aggregate: gcc 12 destroys those twice in a co_await

    //! Its entries that are no strings, for nameTypes().
    [[nodiscard]] Page otherTypes() const;

    std::vector<Entry> entries;
    TimePoint asked;
    TimePoint answered;
};

//! `withNotes`: what lies beside each lock is read too.
//! Those that are no strings come as OtherType with an empty value: nameTypes() asks further.
//! \throws Unavailable, Denied, Cancelled
Task<Page> readLocks(Client* client, const Clock* clock, std::vector<std::string> keys,
                     bool withNotes);

//! These entries, which are of other types, with the names of those.
Task<Page> nameTypes(Client* client, const Clock* clock, Page page);

} // namespace lockboard::redis
