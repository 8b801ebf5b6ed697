// SPDX-License-Identifier: MIT
#pragma once

#include <QCoroTask>

#include <coroutine>
#include <exception>
#include <type_traits>

namespace lockboard {

//! What every call returns. It starts at once and runs on the thread it was called on. Await it:
//! its error is thrown there and nowhere else. A call that nobody needs to wait for is given to
//! letRun().
template <typename T = void>
class [[nodiscard("await it, or say letRun() if nobody waits for it")]] Task final
    : public QCoro::Task<T>
{
public:
    using QCoro::Task<T>::Task;
    Task(QCoro::Task<T> && task) noexcept // NOLINT: a coroutine's return object
        : QCoro::Task<T>(std::move(task))
    {
    }
};

//! Lets a call run on by itself. What it gives or throws in the end, nobody is told.
template <typename T> void letRun(QCoro::Task<T>&& task)
{
    const QCoro::Task<T> dropped = std::move(task);
}

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

namespace detail {

//! gcc before 13 destroys a temporary closure twice if it is made inside a co_await expression.
template <typename Callable>
inline constexpr bool isSafeInAwait =
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
    std::is_lvalue_reference_v<
        Callable> || std::is_trivially_destructible_v<std::remove_cvref_t<Callable>>;
#else
    true;
#endif

} // namespace detail

//! Refuses, where the compiler would free twice what it owns, a callable that is a temporary.
#define LOCKBOARD_REFUSE_OWNING_TEMPORARY(Callable)                                                \
    static_assert(                                                                                 \
        ::lockboard::detail::isSafeInAwait<Callable&&>,                                            \
        "This callable owns something and is a temporary: gcc before 13 destroys such a "          \
        "temporary twice inside a co_await expression. Give it a name first and pass the "         \
        "name: const auto job = [...] {...}; co_await locks.execute(keys, job); one that "         \
        "cannot be copied is passed by std::ref(job) and outlives the call.")

} // namespace lockboard

//! A coroutine of ours is QCoro's but for its name.
template <typename T, typename... Arguments>
struct std::coroutine_traits<lockboard::Task<T>, Arguments...> {
    using promise_type = typename QCoro::Task<T>::promise_type;
};
