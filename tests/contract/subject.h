// SPDX-License-Identifier: MIT
#pragma once

#include "engine/module/locking_module.h"
#include "tests/support/await.h"

#include <memory>

namespace lockboard::test {

//! A provider under test: a module whose default it is, and time that can be made to pass.
class Subject {
public:
    Subject() = default;
    virtual ~Subject() = default;
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    [[nodiscard]] virtual LockingModule& module() = 0;
    [[nodiscard]] virtual Clock& clock() = 0;
    //! Lets time pass, and everything happen that falls due in it.
    virtual void pass(Duration time) = 0;
    //! Lets time pass until it holds, ten seconds at the most.
    [[nodiscard]] bool passUntil(const std::function<bool()>& holds);
    //! Keys are bytes where the store takes them; else those that are not UTF-8 are refused.
    [[nodiscard]] virtual bool storesBytes() const { return true; }
    //! What is over after this much time is surely seen to be over: zero where time is injected.
    [[nodiscard]] virtual Duration tolerance() const = 0;

    //! The lock of a key as the live view shows it; none: free.
    [[nodiscard]] std::optional<Lock> find(const std::string& key);
    [[nodiscard]] LockBatch locks();
};

//! Defined once in each of the suite's programs.
std::unique_ptr<Subject> makeSubject(Ownerless policy);

//! Awaited, goes on when the clock says so.
class SleepFor final {
public:
    SleepFor(Clock& clock, Duration time)
        : m_clock(clock)
        , m_time(time)
    {
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const
    {
        m_clock.callAfter(m_time, [waiting] { waiting.resume(); });
    }
    void await_resume() const noexcept { }

private:
    Clock& m_clock;
    Duration m_time;
};

//! A call that runs while the test does other things.
template <typename T> class Pending final {
public:
    explicit Pending(Task<T> task)
        : m_state(std::make_shared<State>())
    {
        letRun(watch(std::move(task), m_state));
    }

    [[nodiscard]] bool isDone() const { return m_state->done; }
    [[nodiscard]] bool hasResult() const { return m_state->done && !m_state->error; }
    //! The code of the LockError it threw; none: it threw none.
    [[nodiscard]] std::optional<ErrorCode> errorCode() const
    {
        try {
            if (m_state->error)
                std::rethrow_exception(m_state->error);
        } catch (const LockError& error) {
            return error.code();
        }
        return {};
    }
    [[nodiscard]] const T& result() const
    {
        if (m_state->error)
            std::rethrow_exception(m_state->error);
        return *m_state->result;
    }

private:
    struct State {
        std::optional<T> result;
        std::exception_ptr error;
        bool done = false;
    };
    static Task<> watch(Task<T> task, std::shared_ptr<State> state)
    {
        try {
            state->result.emplace(co_await task);
        } catch (...) {
            state->error = std::current_exception();
        }
        state->done = true;
    }

    std::shared_ptr<State> m_state;
};

//! The LockError's code if the call throws one; none: it did not throw.
template <typename T> std::optional<ErrorCode> errorOf(Task<T> task)
{
    try {
        await(std::move(task));
    } catch (const LockError& error) {
        return error.code();
    }
    return {};
}

} // namespace lockboard::test
