// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"
#include "engine/postgres/wire/call.h"

namespace lockboard::postgres {

class Settings;

//! A name as one writes it in SQL.
[[nodiscard]] std::string quotedName(const std::string& name);

//! The provider's SQL, for one table. Only the database's clock counts in it.
class Statements final {
public:
    explicit Statements(const Settings& settings);

    //! What is further away counts as this.
    static constexpr Duration longestSeenLease = std::chrono::hours(500'000);

    // Fragments for qualified(), where `l` is a row of pg_locks and `a` one of pg_stat_activity.
    //! An advisory lock that may be one of Medusa's executes.
    static const char* const advisoryLock;
    //! What tells a session from a later one of the same process.
    static const char* const sessionName;

    //! As written in SQL: quoted, with its schema.
    std::string table;
    //! Where Lockboards tell each other what was freed.
    std::string channel;

    //! $1: places, numbers that stand for keys. Whoever takes or changes keys waits here for
    //! whoever is at it, before the transaction gets its number: so a later holder has a higher
    //! one, which is the fencing token; and nobody waits for rows in another order.
    Statement queue;
    //! The short way, of a key that is free: $1: key, $2: owner or NULL, $3: lease in ms or NULL,
    //! $4: its place. The token; no row: it is not free, or so it seems.
    Statement takeFree;
    //! The same with the key's hash as $5, which is locked for the session. One row: the token or
    //! NULL, the backend, and whether the hash was locked if it was tried.
    Statement takeFreeForSession;
    //! What one owner holds becomes another's: $1: key, $2: the other, $3: lease in ms, $4: its
    //! place, $5: the owner. The token; no row: it is not the owner's.
    Statement handOver;
    //! The short way, of a key that is held by who asks: $1: key, $2: owner or NULL, $3: whether an
    //! owner may release a lock without owner, $4: place, $5: what to tell those who wait, $6: or
    //! everybody. Its owner, and something if somebody was told; no row: it is not so.
    Statement releaseHeld;
    //! $1: keys, sorted; $2: owner or NULL; $3: lease in ms or NULL; $4: whether a lock without
    //! owner may be claimed; $5: whether the owner may re-enter. One row: number of keys taken,
    //! token, least lease left in ms or NULL, whether some were held before; the first key in the
    //! way, its owner, its lease left in ms.
    //! Where some were held before, last: of each key, in order and with commas in between, `h` if
    //! it was or `n`, and its lease left in ms or nothing.
    Statement acquire;
    //! As acquire; $6: hashes, which are locked as Medusa's execute does, but for the session.
    //! The row says last which was not to be had or NULL, and by which backend.
    Statement acquireForSession;
    //! $1: hash, $2: ms. Locks it for the session; waits for that in the server's queue, for so
    //! long.
    Statement wait;
    //! $1: keys, $2: how many. Fails if this transaction has taken some of them but not all.
    Statement allOrNone;
    //! $1: keys, $2: owner, $3: lease in ms. One row: how many are held, least lease left in ms or
    //! NULL, a key that is not held.
    Statement extend;
    //! The same without a lease: only looks.
    Statement look;
    //! $1: keys, $2: owner or NULL, $3: whether an owner may release a lock without owner, $4:
    //! places, $5: what to tell those who wait, $6: or everybody, $7: leave those alone that are
    //! not over. A row a key: whether it was
    //! released, whether one is left, its owner, something if somebody was told, whether a row was
    //! deleted, and whether somebody else was quicker to change it, so that another look is due.
    //! What was over already goes too, and is neither released nor left.
    Statement release;
    //! $1: keys; what was seen of each: $2: owners, $3: ms left of its lease or NULL, at the most
    //! longestSeenLease, $4: false: it is known to be another grant by now; $5: what to tell those
    //! who wait. A row a key, as of release; the last column says whether the owner is still the
    //! same.
    Statement releaseExpected;
    //! $1: hashes, $2: how often each of them. Frees Medusa's locks in this session.
    Statement unlock;
    //! $1: key after which to go on or NULL, $2: how many. A row for each that was found, in the
    //! order of their keys: key, owner, whether its lease lasted, whether it was released. What
    //! somebody has locked is not waited for: holding so many rows, that would be a deadlock.
    Statement releasePage;
    //! $1: owner, $2: how many. The same for those that were released.
    Statement releaseOwned;
    //! $1: owner. Some of its keys, and how many there are.
    Statement ownedKeys;
    //! $1: key, $2: the owner that was seen, $3: what to tell those who wait. Whether its lease
    //! lasted; no row: it is not so any more.
    Statement releaseSeen;
    //! $1: places: says that somebody waits there, so that who frees a key tells.
    Statement advertise;
    Statement withdraw;
    Statement listen;

    // For the live view, each for a connection that is Streaming. Times are seconds since 1970 by
    // the server's clock.
    //! Every row: key, owner, when its lease ends.
    Statement readAll;
    //! $1: keys. The same of those that are there, and the time now; a row without key is there
    //! for that alone.
    Statement readSome;
    //! The time now, and whether the trigger is there; then, a row each, all advisory locks that
    //! may be Medusa's, whose columns postgres_session_lock.cpp tells. A single row without any.
    Statement lookAround;

    Statement create;
};

} // namespace lockboard::postgres
