// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"
#include "engine/contract/holder_note.h"

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockboard {

//! Who holds a lock; `std::nullopt` is a lock (or a caller) without owner. Bytes, usually UTF-8.
using Owner = std::optional<std::string>;

//! Strictly greater than every token granted before for the same key.
using FencingToken = std::uint64_t;

//! The keys of one call: sorted and free of duplicates, so that opposite orders cannot deadlock.
//! Keys are bytes. Whether they are fit for use is judged by the module
//! (engine/module/validation.h).
class LockKeys final {
public:
    LockKeys() = default;
    LockKeys(std::string key)
        : m_only(std::move(key))
        , m_size(1)
    {
    }
    LockKeys(const char* key)
        : m_only(key)
        , m_size(1)
    {
    }
    LockKeys(std::string_view key)
        : m_only(key)
        , m_size(1)
    {
    }
    explicit LockKeys(std::vector<std::string> keys);
    // Variadic rather than an initializer_list: gcc 12 miscompiles those inside a co_await.
    template <typename... More>
    requires(sizeof...(More) > 0) LockKeys(std::string first, More&&... more)
        : LockKeys(
            std::vector<std::string>{std::move(first), std::string(std::forward<More>(more))...})
    {
    }

    [[nodiscard]] const std::string* begin() const { return m_size == 1 ? &m_only : m_many.data(); }
    [[nodiscard]] const std::string* end() const { return begin() + m_size; }
    [[nodiscard]] bool isEmpty() const { return m_size == 0; }
    [[nodiscard]] std::size_t size() const { return m_size; }
    [[nodiscard]] const std::string& front() const { return *begin(); }
    [[nodiscard]] const std::string& operator[](std::size_t i) const { return begin()[i]; }

private:
    // One key is what nearly every call has, and needs no allocation.
    std::string m_only;
    std::vector<std::string> m_many;
    std::size_t m_size = 0;
};

//! What an acquire did for one key.
class KeyGrant final {
public:
    KeyGrant() = default;
    KeyGrant(std::string k, std::optional<TimePoint> end, bool wasHeld)
        : key(std::move(k))
        , leaseEnd(end)
        , extended(wasHeld)
    {
    }
    bool operator==(const KeyGrant&) const = default;

    std::string key;
    std::optional<TimePoint> leaseEnd; //!< monotonic; none: it never expires
    bool extended = false; //!< the caller, or nobody by name, held it before; else it was free
};

//! What acquire gives: until when the keys are held, and the token that fences later holders off.
//!
//! The lease is counted from before the request was sent, so a grant can arrive when its lease is
//! over: then nothing is held for sure, and whoever called acquire must ask again, as the same
//! owner, before it relies on the lock (isOver). execute does so by itself.
class Grant final {
public:
    Grant() = default;
    explicit Grant(std::optional<TimePoint> leaseEnd, std::optional<FencingToken> token = {})
        : m_leaseEnd(leaseEnd)
        , m_token(token)
    {
    }

    //! The earliest of all keys, on this process's monotonic clock; none if none of them expires.
    [[nodiscard]] std::optional<TimePoint> leaseEnd() const { return m_leaseEnd; }
    //! The lease has passed by `now` (Clock::now()): somebody else may hold the keys.
    [[nodiscard]] bool isOver(TimePoint now) const { return m_leaseEnd && *m_leaseEnd <= now; }
    //! None where the provider has no tokens.
    [[nodiscard]] std::optional<FencingToken> token() const { return m_token; }
    //! At least one of the keys was held by the caller before, or by nobody by name.
    [[nodiscard]] bool isExtension() const { return m_extension; }
    Grant& asExtension(bool extension = true) { return m_extension = extension, *this; }

    //! Says what each key got where they differ, in the order of the call's LockKeys. A provider
    //! calls it only then: without it every key has the whole grant's lease end and extension.
    //! Sets leaseEnd() and isExtension() accordingly.
    Grant& withKeys(std::vector<KeyGrant> keys);
    //! What one of the call's keys got.
    [[nodiscard]] KeyGrant of(const std::string& key) const;
    //! The same for all of them, in their order.
    [[nodiscard]] std::vector<KeyGrant> outcomes(const LockKeys& keys) const;

private:
    std::optional<TimePoint> m_leaseEnd;
    std::optional<FencingToken> m_token;
    std::vector<KeyGrant> m_keys; // empty: they are all alike
    bool m_extension = false;
};

enum class LockState : std::uint8_t {
    Held, //!< a lock, with or without owner
    WrongType, //!< something that is no lock lies under the key; shown, never touched
    Residue, //!< its lease is over, and it lies there still, in the way of some
    Advisory, //!< held by a database session, outside the table of locks
    Waiting, //!< a database session waits for an advisory lock
};

//! One live lock, as a console shows it.
class Lock final {
public:
    Lock() = default;
    Lock(std::string lockKey, Owner lockOwner, std::optional<TimePoint> end = {},
         LockState lockState = LockState::Held)
        : key(std::move(lockKey))
        , owner(std::move(lockOwner))
        , leaseEnd(end)
        , state(lockState)
    {
    }
    bool operator==(const Lock&) const = default;

    //! A session's, which only the end of its transaction or of the session frees.
    [[nodiscard]] bool isOfSession() const
    {
        return state == LockState::Advisory || state == LockState::Waiting;
    }
    //! What tells it from all others that are listed: the key; several sessions may have one key.
    [[nodiscard]] std::string identity() const { return identityOf(key, state, note); }
    [[nodiscard]] static std::string identityOf(const std::string& key, LockState state,
                                                const HolderNote& note);

    std::string key;
    Owner owner;
    std::optional<TimePoint> leaseEnd; //!< monotonic; none: it never expires
    LockState state = LockState::Held;
    std::optional<FencingToken> token;
    HolderNote note; //!< where the provider keeps such
    std::string detail; //!< for a state other than Held, what lies there ("hash")
};

//! A lock as somebody saw it. A release that expects it (ReleaseOptions::expecting) takes away this
//! very grant and nothing that came after it.
class SeenLock final {
public:
    //! How far two readings of one lease end may lie apart: the time that a reading takes.
    static constexpr Duration tolerance = std::chrono::milliseconds(500);

    SeenLock() = default;
    explicit SeenLock(const Lock& lock)
        : key(lock.key)
        , owner(lock.owner)
        , leaseEnd(lock.leaseEnd)
        , token(lock.token)
    {
    }

    //! Whether what is there now is what was seen: the same holder; the same token, where both are
    //! known; and where there is neither owner nor token to tell grants apart, the same lease end.
    [[nodiscard]] bool isStill(const Owner& holder, std::optional<TimePoint> end,
                               std::optional<FencingToken> current) const;

    std::string key;
    Owner owner;
    std::optional<TimePoint> leaseEnd; //!< monotonic; none: it never expires
    std::optional<FencingToken> token; //!< none: not known
};

enum class ReleaseOutcome : std::uint8_t {
    Released,
    NotHeld, //!< free, or its lease was over
    HeldByOther, //!< untouched
    Changed, //!< untouched: the holder's name is as expected, and yet it is another grant
    Unknown, //!< sent, and the connection died before the answer
};

//! What became of one key of a release.
class KeyRelease final {
public:
    KeyRelease() = default;
    KeyRelease(std::string k, ReleaseOutcome o, Owner h = {})
        : key(std::move(k))
        , outcome(o)
        , holder(std::move(h))
    {
    }

    std::string key;
    ReleaseOutcome outcome = ReleaseOutcome::NotHeld;
    Owner holder; //!< with HeldByOther and Changed: who; none if the lock has no owner
    bool cleared = false; //!< with NotHeld: it was over, and what was left of it is removed now
};

//! What a release did: every key is released but those that it names.
class ReleaseResult final {
public:
    ReleaseResult() = default;
    explicit ReleaseResult(std::vector<KeyRelease> left)
        : m_left(std::move(left))
    {
    }

    [[nodiscard]] bool allReleased() const { return m_left.empty(); }
    //! The keys that were not released, and why, in the order of the call's LockKeys.
    [[nodiscard]] const std::vector<KeyRelease>& left() const { return m_left; }
    //! What became of one of the call's keys.
    [[nodiscard]] KeyRelease of(const std::string& key) const;
    //! The same for all of them, in their order.
    [[nodiscard]] std::vector<KeyRelease> outcomes(const LockKeys& keys) const;

private:
    std::vector<KeyRelease> m_left;
};

//! What a releaseAll did: how many were released, how many were left, and why.
class ReleaseAllResult final {
public:
    ReleaseAllResult() = default;
    explicit ReleaseAllResult(std::uint64_t releasedCount)
        : released(releasedCount)
    {
    }
    //! Counts one lock as left behind for this reason.
    void leave(const std::string& reason, std::uint64_t count = 1);
    [[nodiscard]] std::uint64_t left() const;

    std::uint64_t released = 0;
    std::uint64_t cleared = 0; //!< were over already; what was left of them is removed
    std::vector<std::pair<std::string, std::uint64_t>> reasons; //!< sentence, count
    bool cancelled = false; //!< stopped on request before it had seen every lock
    std::exception_ptr interruption; //!< the LockError that ended it before that, if one did
};

//! `bytes` as text for a person: UTF-8 as it is, but for characters that a terminal would obey or
//! that turn the text around; those and all that is not UTF-8 as `\xNN`.
[[nodiscard]] std::string printable(std::string_view bytes);
//! The same of what may be long: cut after about `most` bytes, with its true size.
[[nodiscard]] std::string printableStart(std::string_view bytes, std::size_t most = 500);
[[nodiscard]] bool isUtf8(std::string_view bytes);

} // namespace lockboard
