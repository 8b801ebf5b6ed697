// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/contract/errors.h"

namespace lockboard {

//! Whether a call that failed may have changed something.
enum class CallKind : std::uint8_t { Reading, Changing };

//! What a caller is to see of what a provider threw. A LockError is passed on; anything else, which
//! a provider must not throw, becomes one that names the provider: OutcomeUnknown where it may have
//! changed something, else Unavailable.
[[nodiscard]] std::exception_ptr faultOf(const std::string& provider, const char* verb,
                                         CallKind kind, const std::exception_ptr& error);
//! The same for a provider that gave nothing where it must give something.
[[nodiscard]] std::exception_ptr nothingFrom(const std::string& provider, const char* verb,
                                             CallKind kind);

namespace detail {

enum class TaskState : std::uint8_t { Empty, EndedWell, Other };

template <typename T> TaskState stateOf(const Task<T>& task)
{
    using Awaiter = QCoro::detail::TaskAwaiterBase<typename Task<T>::promise_type>;
    struct Peek final : Awaiter {
        static auto at(Awaiter& awaiter) { return awaiter.*&Peek::mAwaitedCoroutine; }
    };
    auto awaiter = task.operator co_await();
    const auto coroutine = Peek::at(awaiter);
    if (!coroutine)
        return TaskState::Empty;
    if (!coroutine.done())
        return TaskState::Other;
    try {
        coroutine.promise().result();
        return TaskState::EndedWell;
    } catch (...) {
        return TaskState::Other;
    }
}

template <typename T>
Task<T> awaitContained(Task<T> call, std::string provider, const char* verb, CallKind kind)
{
    try {
        co_return co_await call;
    } catch (...) {
        std::rethrow_exception(faultOf(provider, verb, kind, std::current_exception()));
    }
}

} // namespace detail

//! A provider's call, of which nothing but LockErrors comes out. `start` makes it.
template <typename T, typename Start>
Task<T> contained(const std::string& provider, const char* verb, CallKind kind, Start&& start)
{
    try {
        Task<T> call = start();
        switch (detail::stateOf(call)) {
        case detail::TaskState::EndedWell:
            return call; // nothing to contain, and no frame to pay for
        case detail::TaskState::Other:
            return detail::awaitContained(std::move(call), provider, verb, kind);
        case detail::TaskState::Empty:
            break;
        }
        return failed<T>(nothingFrom(provider, verb, kind));
    } catch (...) {
        return failed<T>(faultOf(provider, verb, kind, std::current_exception()));
    }
}

} // namespace lockboard
