// SPDX-License-Identifier: MIT
#include "engine/contract/errors.h"

#include "engine/contract/credentials.h"

#include <new>

namespace lockboard {

LockError::LockError(ErrorCode code, std::string message)
    : m_code(code)
    , m_message(std::move(message))
{
}

std::string messageOf(const std::exception_ptr& error)
{
    constexpr std::size_t most = 300;
    std::string text;
    try {
        std::rethrow_exception(error);
    } catch (const LockError& known) {
        return known.message();
    } catch (const std::bad_alloc&) {
        return "there was not enough memory";
    } catch (const std::exception& other) {
        text = other.what();
    } catch (...) {
        return "it threw something that is no exception";
    }
    const bool isLong = text.size() > most;
    if (isLong)
        text.resize(most);
    // What a stranger's code says may hold anything.
    text = printable(withoutCredentials(text));
    return text.empty() ? "it threw an exception without a text" : text + (isLong ? "…" : "");
}

Conflict::Conflict(std::string key, Owner holder, std::optional<Duration> remaining)
    : LockError(ErrorCode::Conflict, "Failed to acquire lock for key \"" + printable(key) + '"')
    , m_key(std::move(key))
    , m_holder(std::move(holder))
    , m_remaining(remaining)
{
}

TimedOut::TimedOut()
    : LockError(ErrorCode::TimedOut, "Timed-out acquiring lock.")
{
}

Lost::Lost(std::string key, std::exception_ptr jobError)
    : LockError(ErrorCode::Lost,
                "Lost the lock for key \"" + printable(key) + "\" while the job was still running.")
    , m_key(std::move(key))
    , m_jobError(std::move(jobError))
{
}

Lost::Lost(std::string key, std::string why, std::exception_ptr jobError)
    : LockError(ErrorCode::Lost, std::move(why))
    , m_key(std::move(key))
    , m_jobError(std::move(jobError))
{
}

Cancelled::Cancelled(std::string message)
    : LockError(ErrorCode::Cancelled, std::move(message))
{
}

Unavailable::Unavailable(std::string message)
    : LockError(ErrorCode::Unavailable, std::move(message))
{
}

NotTaken::NotTaken(const std::string& whatHappened)
    : Unavailable(whatHappened + "; looked at again, the lock was not taken")
{
}

OutcomeUnknown::OutcomeUnknown(std::string message)
    : LockError(ErrorCode::OutcomeUnknown, std::move(message))
{
}

Denied::Denied(std::string message)
    : LockError(ErrorCode::Denied, std::move(message))
{
}

ReadOnly::ReadOnly(const std::string& verb)
    : LockError(ErrorCode::ReadOnly, "Read-only mode: " + verb + " is not allowed.")
{
}

InvalidArgument::InvalidArgument(std::string message)
    : LockError(ErrorCode::InvalidArgument, std::move(message))
{
}

static std::string unknownProvider(const std::string& id, const std::vector<std::string>& known)
{
    std::string text = "There is no provider \"" + shownWord(id) + "\"; known are";
    for (std::size_t i = 0; i < known.size(); ++i)
        text += (i == 0 ? " \"" : ", \"") + printable(known[i]) + '"';
    return text + '.';
}

NotFound::NotFound(std::string id, const std::vector<std::string>& known)
    : LockError(ErrorCode::NotFound, unknownProvider(id, known))
    , m_id(std::move(id))
{
}

static std::string placed(const std::string& source, const std::string& path, int line,
                          const std::string& problem)
{
    std::string text = shownWord(source); // a URL in the place of a file, say
    if (line > 0)
        text += (text.empty() ? "line " : ":") + std::to_string(line);
    if (!path.empty())
        text += (text.empty() ? "" : ": ") + path;
    return text.empty() ? problem : text + ": " + problem;
}

ConfigError::ConfigError(const std::string& source, std::string path, int line,
                         const std::string& problem)
    : LockError(ErrorCode::ConfigError, placed(source, path, line, problem))
    , m_path(std::move(path))
    , m_line(line)
{
}

} // namespace lockboard
