// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/redis_client.h"
#include "engine/redis/redis_note.h"

namespace lockboard {

//! What lies under one key.
class RedisEntry final {
public:
    enum Kind : std::uint8_t { Absent, Lock, OtherType, TooLong, Denied };

    RedisEntry() = default;

    Kind kind = Absent;
    std::string key; //!< as Redis knows it
    std::string value; //!< of a lock the owner or `*`; else what it is ("hash")
    std::optional<Duration> left; //!< of the lease; none: for ever
    RedisNote note; //!< if notes were asked for
};

//! A page of keys as they are now: GET and PTTL of each, in one go. The server looked at them
//! between `asked` and `answered`.
class RedisPage final {
public:
    RedisPage() = default; // no aggregate: gcc 12 destroys those twice in a co_await

    //! Its entries that are no strings, for nameTypes().
    [[nodiscard]] RedisPage otherTypes() const;

    std::vector<RedisEntry> entries;
    TimePoint asked;
    TimePoint answered;
};

//! `withNotes`: what lies beside each lock is read too.
//! Those that are no strings come as OtherType with an empty value: nameTypes() asks further.
//! \throws Unavailable, Denied, Cancelled
Task<RedisPage> readLocks(RedisClient* client, const Clock* clock, std::vector<std::string> keys,
                          bool withNotes);

//! These entries, which are of other types, with the names of those.
Task<RedisPage> nameTypes(RedisClient* client, const Clock* clock, RedisPage page);

} // namespace lockboard
