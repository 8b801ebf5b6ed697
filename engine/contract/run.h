// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/contract/errors.h"

#include <QEventLoop>

#include <memory>
#include <optional>

namespace lockboard {

namespace detail {

template <typename T> struct RunState {
    QEventLoop loop;
    std::exception_ptr error;
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
    bool ended = false;
};

template <typename T> Task<void> runInto(Task<T> call, std::shared_ptr<RunState<T>> state)
{
    try {
        if constexpr (std::is_void_v<T>)
            co_await call;
        else
            state->result.emplace(co_await call);
    } catch (...) {
        state->error = std::current_exception();
    }
    state->ended = true;
    state->loop.quit();
}

//! \throws InvalidArgument where runToEnd must not be used
void expectNoLoop();

} // namespace detail

//! Runs one call to its end and gives its result, or throws what it throws. For main(), and for the
//! top of a thread of yours: where no event loop runs yet and nothing else is to be done meanwhile.
//! It runs the thread's event loop until then, which timers, sockets and other calls use too.
//!
//! Not for code that an event loop has called: that would be a loop within a loop, in which
//! anything may happen before the call returns. There it refuses with InvalidArgument, as it does
//! before there is a QCoreApplication; co_await the call, or start it with letRun(). If the loop is
//! told to exit before the call has ended, nobody can wait for it any more: OutcomeUnknown.
template <typename T> T runToEnd(Task<T> call)
{
    detail::expectNoLoop();
    const auto state = std::make_shared<detail::RunState<T>>();
    letRun(detail::runInto(std::move(call), state));
    if (!state->ended)
        state->loop.exec();
    if (!state->ended)
        throw OutcomeUnknown("The event loop was told to exit before the call had ended.");
    if (state->error)
        std::rethrow_exception(state->error);
    if constexpr (!std::is_void_v<T>)
        return std::move(*state->result);
}

} // namespace lockboard
