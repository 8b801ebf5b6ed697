// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"

#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockboard::test {

//! What a provider must not do, and where it does it: "acquire:int". Of the ways,
//! - exception, int, memory: a task that ends with that
//! - thrown: an exception that comes out of the call itself
//! - nothing: no task, no view, no provider
//! - never: a task that never ends
//! - block: a call that never returns
class Misbehaviour final {
public:
    explicit Misbehaviour(const std::string& word)
        : m_where(word.substr(0, word.find(':')))
        , m_how(word.substr(std::min(word.size(), word.find(':') + 1)))
    {
    }

    [[nodiscard]] bool isAt(const char* where) const { return m_where == where; }

    //! Where there is no task to misbehave in.
    void at(const char* where) const
    {
        if (!isAt(where))
            return;
        if (m_how == "exception" || m_how == "thrown")
            throw std::runtime_error("boom");
        if (m_how == "int")
            throw 42;
        if (m_how == "memory")
            throw std::bad_alloc();
        if (m_how == "block")
            block();
    }

    template <typename T> [[nodiscard]] Task<T> instead() const
    {
        if (m_how == "thrown")
            throw std::runtime_error("boom");
        if (m_how == "nothing")
            return Task<T>();
        if (m_how == "block")
            block();
        if (m_how == "never")
            return end<T>({});
        if (m_how == "int")
            return end<T>(std::make_exception_ptr(42));
        if (m_how == "memory")
            return end<T>(std::make_exception_ptr(std::bad_alloc()));
        return end<T>(std::make_exception_ptr(std::runtime_error("boom")));
    }

private:
    //! So that a test knows when it has come so far.
    static void say() { std::fputs("misbehaving\n", stderr); }
    [[noreturn]] static void block()
    {
        say();
        for (;;)
            std::this_thread::sleep_for(std::chrono::hours(1));
    }

    struct Never {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiting) const
        {
            // Known to somebody, so that a leak detector does not take it for a mistake.
            static auto* const all = new std::vector<std::coroutine_handle<>>();
            all->push_back(waiting);
        }
        void await_resume() const noexcept { }
    };
    //! With the error, or never.
    template <typename T> static Task<T> end(std::exception_ptr error)
    {
        if (error)
            std::rethrow_exception(error);
        say();
        co_await Never();
        throw std::logic_error("never");
    }

    std::string m_where;
    std::string m_how;
};

} // namespace lockboard::test
