// SPDX-License-Identifier: MIT
#pragma once

#include <QCoroTask>

#include <exception>

namespace lockboard {

//! What every call returns. It starts at once, runs on the thread it was called on, and may be
//! dropped without being awaited.
template <typename T = void> using Task = QCoro::Task<T>;

//! A task that has its result already: the fast path of a call, one small coroutine frame.
template <typename T> Task<T> ready(T value)
{
    co_return std::move(value);
}

//! A task that has failed already, so that a call throws when awaited, never when made.
template <typename T> Task<T> failed(std::exception_ptr error)
{
    std::rethrow_exception(std::move(error));
    co_return T(); // makes it a coroutine
}

template <typename T, typename Error> Task<T> failed(Error error)
{
    return failed<T>(std::make_exception_ptr(std::move(error)));
}

} // namespace lockboard
