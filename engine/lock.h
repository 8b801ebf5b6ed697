// SPDX-License-Identifier: MIT
#pragma once

#include "engine/clock.h"

#include <QVarLengthArray>

#include <cstdint>
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
//! Keys are bytes. Whether they are fit for use is judged by the module (validation.h).
class LockKeys final {
public:
    using Storage = QVarLengthArray<std::string, 1>;

    LockKeys() = default;
    LockKeys(std::string key);
    LockKeys(const char* key)
        : LockKeys(std::string(key))
    {
    }
    LockKeys(std::string_view key)
        : LockKeys(std::string(key))
    {
    }
    explicit LockKeys(std::vector<std::string> keys);
    // Variadic rather than an initializer_list: gcc 12 miscompiles those inside a co_await.
    template <typename... More>
    requires(sizeof...(More) > 0) LockKeys(std::string first, More&&... more)
    {
        m_keys.reserve(1 + sizeof...(More));
        m_keys.push_back(std::move(first));
        (m_keys.push_back(std::string(std::forward<More>(more))), ...);
        normalize();
    }

    [[nodiscard]] auto begin() const { return m_keys.cbegin(); }
    [[nodiscard]] auto end() const { return m_keys.cend(); }
    [[nodiscard]] bool isEmpty() const { return m_keys.isEmpty(); }
    [[nodiscard]] qsizetype size() const { return m_keys.size(); }
    [[nodiscard]] const std::string& front() const { return m_keys.front(); }
    [[nodiscard]] const std::string& operator[](qsizetype i) const { return m_keys[i]; }

private:
    void normalize();

    Storage m_keys;
};

//! What acquire gives: until when the keys are held, and the token that fences later holders off.
class Grant final {
public:
    Grant() = default;
    explicit Grant(std::optional<TimePoint> leaseEnd, std::optional<FencingToken> token = {})
        : m_leaseEnd(leaseEnd)
        , m_token(token)
    {
    }

    //! On this process's monotonic clock; none if the lock never expires.
    [[nodiscard]] std::optional<TimePoint> leaseEnd() const { return m_leaseEnd; }
    //! None where the provider has no tokens.
    [[nodiscard]] std::optional<FencingToken> token() const { return m_token; }
    //! The caller held one of the keys before.
    [[nodiscard]] bool isExtension() const { return m_extension; }
    Grant& asExtension(bool extension = true) { return m_extension = extension, *this; }

private:
    std::optional<TimePoint> m_leaseEnd;
    std::optional<FencingToken> m_token;
    bool m_extension = false;
};

enum class LockState : std::uint8_t {
    Held, //!< a lock, with or without owner
    WrongType, //!< something that is no lock lies under the key; shown, never touched
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

    std::string key;
    Owner owner;
    std::optional<TimePoint> leaseEnd; //!< monotonic; none: it never expires
    LockState state = LockState::Held;
    std::optional<FencingToken> token;
    std::string detail; //!< for a state other than Held, what lies there ("hash")
};

enum class ReleaseOutcome : std::uint8_t {
    Released,
    NotHeld, //!< free, or its lease was over
    HeldByOther, //!< untouched
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
    Owner holder; //!< with HeldByOther: who; none if the lock has no owner
};

//! Key by key what a release did; true only if every key was released.
class ReleaseResult final {
public:
    ReleaseResult() = default;
    explicit ReleaseResult(KeyRelease only) { keys.push_back(std::move(only)); }

    [[nodiscard]] bool allReleased() const;

    QVarLengthArray<KeyRelease, 1> keys;
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
    std::vector<std::pair<std::string, std::uint64_t>> reasons; //!< sentence, count
    bool cancelled = false; //!< stopped on request before it had seen every lock
};

//! `bytes` as text for a person: UTF-8 as it is; other bytes and control characters as `\xNN`.
[[nodiscard]] std::string printable(std::string_view bytes);
[[nodiscard]] bool isUtf8(std::string_view bytes);

} // namespace lockboard
