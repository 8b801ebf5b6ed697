// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/contract/lock.h"

#include <functional>
#include <optional>
#include <stop_token>
#include <type_traits>

namespace lockboard {

//! The job of an execute without its result: told to stop when its locks are lost, and what it was
//! granted. The grant's lease end is the first one; renewals move it, its token stays.
using LockedJob = std::function<Task<void>(std::stop_token, Grant)>;

namespace detail {

//! What a job gives: `T` of a plain callable, `T` of one that returns Task<T>.
template <typename R> struct JobResult {
    using Type = R;
    static constexpr bool isTask = false;
};
template <typename R> struct JobResult<QCoro::Task<R>> {
    using Type = R;
    static constexpr bool isTask = true;
};
template <typename R> struct JobResult<Task<R>> : JobResult<QCoro::Task<R>> {
};
template <typename Job> decltype(auto) callJob(Job& job, std::stop_token lost, const Grant& grant)
{
    if constexpr (std::is_invocable_v<Job&, std::stop_token, const Grant&>)
        return job(std::move(lost), grant);
    else if constexpr (std::is_invocable_v<Job&, std::stop_token>)
        return job(std::move(lost));
    else
        return job();
}

template <typename Job>
using JobReturn = JobResult<decltype(callJob(std::declval<Job&>(), std::declval<std::stop_token>(),
                                             std::declval<const Grant&>()))>;

// Function parameters live in the coroutine's frame; what a capturing lambda captured does not.
template <typename Job, typename Result>
Task<void> runJob(Job* job, Result* result, std::stop_token lost, Grant grant)
{
    using Return = JobReturn<Job>;
    if constexpr (std::is_void_v<typename Return::Type>) {
        if constexpr (Return::isTask)
            co_await callJob(*job, std::move(lost), grant);
        else
            callJob(*job, std::move(lost), grant);
    } else {
        if constexpr (Return::isTask)
            result->emplace(co_await callJob(*job, std::move(lost), grant));
        else
            result->emplace(callJob(*job, std::move(lost), grant));
    }
    co_return;
}

template <typename R>
using ResultSlot = std::conditional_t<std::is_void_v<R>, std::optional<bool>, std::optional<R>>;

//! Runs a job of any result type through something that runs jobs without: `execute(LockedJob)`.
template <typename Job, typename Execute>
Task<typename JobReturn<Job>::Type> executeTyped(Job job, Execute execute)
{
    ResultSlot<typename JobReturn<Job>::Type> result;
    LockedJob erased = [&job, &result](std::stop_token lost, Grant grant) {
        return runJob(&job, &result, std::move(lost), std::move(grant));
    };
    co_await execute(std::move(erased));
    if constexpr (!std::is_void_v<typename JobReturn<Job>::Type>)
        co_return std::move(*result);
}

} // namespace detail

} // namespace lockboard
