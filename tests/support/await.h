// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"

#include <QElapsedTimer>
#include <QEventLoop>
#include <QTimer>

#include <optional>
#include <stdexcept>

namespace lockboard::test {

namespace detail {
template <typename T, typename Slot>
Task<> runInto(Task<T>& task, Slot& result, std::exception_ptr& error, bool& done, QEventLoop& loop)
{
    try {
        if constexpr (std::is_void_v<T>)
            co_await task;
        else
            result.emplace(co_await task);
    } catch (...) {
        error = std::current_exception();
    }
    done = true;
    loop.quit();
}
} // namespace detail

//! Runs the event loop until the task is done; gives its result or throws what it threw. (QCoro's
//! waitFor never returns if the task throws.) A task that isn't done in time is a failed test.
template <typename T>
T await(Task<T> task, std::chrono::milliseconds within = std::chrono::seconds(20))
{
    QEventLoop loop;
    std::exception_ptr error;
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
    bool done = false;
    letRun(detail::runInto(task, result, error, done, loop));
    if (!done) {
        QTimer::singleShot(within, &loop, &QEventLoop::quit);
        loop.exec();
    }
    if (!done)
        qFatal("a call did not return in time"); // its frame refers to this one
    if (error)
        std::rethrow_exception(error);
    if constexpr (!std::is_void_v<T>)
        return std::move(*result);
}

} // namespace lockboard::test
