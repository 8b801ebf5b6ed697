// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"
#include "engine/async/task.h"
#include "engine/postgres/wire/result.h"

#include <coroutine>
#include <functional>
#include <string>
#include <vector>

namespace lockboard::postgres {

class Connection;

//! A statement that is sent again and again: parsed by the server once in every session. Outlives
//! every connection that it is sent over.
class Statement final {
public:
    Statement(std::string statementName, std::string text)
        : name(std::move(statementName))
        , sql(std::move(text))
    {
    }

    //! What answers it, as Result::hasColumns takes it; `least` to `most` rows.
    Statement& answeredBy(std::string letters, int least, int most)
    {
        columns = std::move(letters);
        fewestRows = least;
        mostRows = most;
        return *this;
    }

    std::string name; //!< empty: parsed each time
    std::string sql;
    std::string columns; //!< empty: its answer is of no interest
    int fewestRows = 0;
    int mostRows = 0;
};

//! A statement's parameters, as text.
class Parameters final {
public:
    Parameters& operator<<(std::optional<std::string> value)
    {
        m_values.push_back(std::move(value));
        return *this;
    }
    Parameters& operator<<(const char* value) { return *this << std::string(value); }
    Parameters& operator<<(bool value) { return *this << (value ? "t" : "f"); }
    [[nodiscard]] const std::vector<std::optional<std::string>>& values() const { return m_values; }

private:
    std::vector<std::optional<std::string>> m_values;
};

//! What PostgreSQL takes for an array of these texts.
class Array final {
public:
    void add(std::string_view text);
    void add(std::int64_t number);
    void addOrNull(const std::optional<std::string>& text);
    [[nodiscard]] std::string text() const { return '{' + m_items + '}'; }

private:
    std::string m_items;
};

//! Whether the connection may say, when it is lost, that nothing has happened.
enum class Effect : std::uint8_t { Reads, Mutates };

//! One short transaction: its statements, sent together, and what each of them gave. Stays where it
//! is made, in a coroutine's frame: the connection knows it by its address. Dropped before its
//! answer came, it lets that pass.
class Call final {
public:
    Call(Connection& connection, Effect effect)
        : m_connection(connection)
        , m_effect(effect)
    {
    }
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    //! Before it is sent. `statement` outlives the call.
    void add(const Statement& statement, Parameters parameters);
    //! One whose result matters only if it is an error.
    void addAside(const Statement& statement, Parameters parameters);
    //! For COPY, over a connection that is Streaming: takes the data line by line.
    void streamTo(std::function<void(std::string_view)> line) { m_onLine = std::move(line); }
    void send();

    // Small and copied, because gcc 12 copies what co_await is given.
    class [[nodiscard]] Awaiter final {
    public:
        explicit Awaiter(Call* call)
            : m_call(call)
        {
        }
        [[nodiscard]] bool await_ready() const noexcept { return m_call->m_done; }
        void await_suspend(std::coroutine_handle<> waiting) noexcept
        {
            m_call->m_waiting = waiting;
        }
        //! The result of the statement that was not added aside, or the first error; with that, the
        //! transaction was rolled back. A result is what its statement is to be answered by:
        //! anything else is refused, with OutcomeUnknown if something may have been changed.
        Result await_resume();

    private:
        Call* m_call;
    };
    //! Awaiting \throws Unavailable, OutcomeUnknown, Denied (to come in at all), Cancelled
    Awaiter result() { return Awaiter(this); }
    //! For a statement that gives a row for each of something.
    void expectRows(std::size_t rows) { m_rows = static_cast<int>(rows); }
    //! When it was given to the socket.
    [[nodiscard]] TimePoint sentAt() const { return m_sentAt; }

private:
    friend class Connection;
    struct Step {
        const Statement* statement;
        Parameters parameters;
        bool aside;
    };

    void requireAnswer() const;

    Connection& m_connection;
    Effect m_effect;
    std::vector<Step> m_steps;
    std::function<void(std::string_view)> m_onLine;
    std::coroutine_handle<> m_waiting;
    Result m_result;
    std::exception_ptr m_error;
    int m_rows = -1; // none are expected in particular
    TimePoint m_sentAt;
    bool m_given = false; // the connection knows it
    bool m_done = false;
};

//! One statement whose result is of no interest, but for whether there was one. The statement
//! outlives it.
Task<bool> sendAside(Connection* connection, const Statement* statement, Parameters parameters);

} // namespace lockboard::postgres
