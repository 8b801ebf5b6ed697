// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <exception>

namespace lockboard {

enum class ErrorCode : std::uint8_t {
    Conflict,
    TimedOut,
    Lost,
    Cancelled,
    Unavailable,
    OutcomeUnknown,
    Denied,
    ReadOnly,
    InvalidArgument,
    NotFound,
    ConfigError,
};

//! What every call of the engine throws, through co_await. what() is one sentence for a person,
//! UTF-8 and free of secrets; the subclasses have fields for a program.
class LockError : public std::exception {
public:
    LockError(ErrorCode code, std::string message);

    [[nodiscard]] ErrorCode code() const noexcept { return m_code; }
    [[nodiscard]] const char* what() const noexcept override { return m_message.c_str(); }
    [[nodiscard]] const std::string& message() const noexcept { return m_message; }

private:
    ErrorCode m_code;
    std::string m_message;
};

//! The sentence of an error of the engine's; of anything else that was thrown, what it says, a few
//! lines at the most and without a full stop.
[[nodiscard]] std::string messageOf(const std::exception_ptr& error);

//! Someone holds a key. The message is Medusa's own: `Failed to acquire lock for key "KEY"`.
class Conflict final : public LockError {
public:
    //! `remaining` is what is left of the holder's lease; none if it never expires.
    Conflict(std::string key, Owner holder, std::optional<Duration> remaining);

    [[nodiscard]] const std::string& key() const { return m_key; }
    [[nodiscard]] const Owner& holder() const { return m_holder; }
    [[nodiscard]] std::optional<Duration> remaining() const { return m_remaining; }

private:
    std::string m_key;
    Owner m_holder;
    std::optional<Duration> m_remaining;
};

//! `Timed-out acquiring lock.` (Medusa, guide). Nothing is held.
class TimedOut final : public LockError {
public:
    TimedOut();
};

//! The job of an execute ran without exclusivity, at least for a while.
class Lost final : public LockError {
public:
    //! `jobError` is what the job threw, if it did.
    explicit Lost(std::string key, std::exception_ptr jobError = {});
    //! `why` is the whole sentence.
    Lost(std::string key, std::string why, std::exception_ptr jobError);
    [[nodiscard]] const std::string& key() const { return m_key; }
    [[nodiscard]] const std::exception_ptr& jobError() const { return m_jobError; }

private:
    std::string m_key;
    std::exception_ptr m_jobError;
};

//! Stopped by the caller's stop token, or because the provider was closed. Nothing is held.
class Cancelled final : public LockError {
public:
    explicit Cancelled(std::string message = "The call was cancelled.");
};

//! Not sent, or known since to have done nothing: safe to try again.
class Unavailable : public LockError {
public:
    explicit Unavailable(std::string message);
};

//! An acquire that was sent, and whose connection died: looked at again, its owner does not hold
//! the keys.
class NotTaken final : public Unavailable {
public:
    explicit NotTaken(const std::string& whatHappened);
};

//! Sent, and the connection died before the answer: never repeated silently, look again instead.
//! From acquire it means that looking again could not tell, or was not possible in time.
class OutcomeUnknown final : public LockError {
public:
    explicit OutcomeUnknown(std::string message);
};

//! The server's access rules forbid it.
class Denied final : public LockError {
public:
    explicit Denied(std::string message);
};

//! The module was opened read-only.
class ReadOnly final : public LockError {
public:
    explicit ReadOnly(const std::string& verb);
};

class InvalidArgument final : public LockError {
public:
    explicit InvalidArgument(std::string message);
};

//! There is no such provider.
class NotFound final : public LockError {
public:
    NotFound(std::string id, const std::vector<std::string>& known);
    [[nodiscard]] const std::string& id() const { return m_id; }

private:
    std::string m_id;
};

//! A mistake in the configuration, with the place: JSON pointer and line (1-based, 0: unknown).
class ConfigError final : public LockError {
public:
    ConfigError(const std::string& source, std::string path, int line, const std::string& problem);
    [[nodiscard]] const std::string& path() const { return m_path; }
    [[nodiscard]] int line() const { return m_line; }

private:
    std::string m_path;
    int m_line;
};

} // namespace lockboard
