// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"
#include "engine/redis/wire/decoder.h"

#include <QPointer>
#include <QVarLengthArray>

#include <coroutine>
#include <exception>
#include <string>
#include <vector>

namespace lockboard::redis {

class Connection;

//! One command: its name and arguments, as views of what the caller keeps until it is sent.
class Command final {
public:
    explicit Command(std::string_view name) { *this << name; }
    Command& operator<<(std::string_view argument)
    {
        m_parts.push_back(argument);
        return *this;
    }
    //! Appends it to `out` as it goes over the wire.
    void writeTo(std::string& out) const;

private:
    QVarLengthArray<std::string_view, 12> m_parts;
};

//! What matches this text and nothing else where Redis takes a pattern.
[[nodiscard]] std::string escapedForGlob(const std::string& text);

//! Whether the connection may say, when it is lost, that nothing has happened.
enum class Effect : std::uint8_t { Reads, Mutates };

//! What waits for answers. Stays where it is made, in a coroutine's frame: the connection knows it
//! by its address. Dropped before its answers came, it lets them pass.
class Pending {
public:
    Pending(Connection& connection, Effect effect);
    ~Pending();
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    //! When it was written to the socket, once it is answered.
    [[nodiscard]] TimePoint sentAt() const { return m_sentAt; }
    //! \throws Denied, Unavailable if this answer is an error
    void check(const Reply& reply) const;
    //! The same, and unless it is `right`: a server whose answers can't be answers to what it was
    //! asked is not believed, and the connection to it given up, since what it says next may as
    //! well belong to another question. \throws Unavailable; of what mutates, OutcomeUnknown
    void check(const Reply& reply, bool right, const std::string& command) const
    {
        if (!right)
            refuse(reply, command);
    }
    //! Of the server, in sentences; it may be gone by now.
    [[nodiscard]] std::string server() const;

protected:
    Connection& m_connection; // only while m_alive
    QPointer<QObject> m_alive;
    Decoder::Limits m_limits; // of each answer, and
    std::size_t m_budget = std::size_t(-1); // what all of them may have of strings, in bytes
    std::coroutine_handle<> m_waiting;
    std::exception_ptr m_error;
    Reply m_reply; // the one answer, or
    std::vector<Reply>* m_replies = nullptr; // all of them
    TimePoint m_sentAt;
    std::uint32_t m_due = 0; // answers still to come
    Effect m_effect;

private:
    friend class Connection;
    void refuse(const Reply& reply, const std::string& command) const;
    [[nodiscard]] Decoder::Limits nextLimits() const;
};

//! One command, sent when made: `co_await call.answer()`. An error reply is an answer like any
//! other. Awaiting \throws Unavailable, OutcomeUnknown, Denied (by the handshake), Cancelled
class Call final : public Pending {
public:
    Call(Connection& connection, const Command& command, Effect effect,
         const Decoder::Limits& limits = {});

    // Small and copied, because gcc 12 copies what co_await is given.
    class [[nodiscard]] Awaiter final {
    public:
        explicit Awaiter(Call* call)
            : m_call(call)
        {
        }
        [[nodiscard]] bool await_ready() const noexcept { return m_call->m_due == 0; }
        void await_suspend(std::coroutine_handle<> waiting) noexcept
        {
            m_call->m_waiting = waiting;
        }
        Reply await_resume();

    private:
        Call* m_call;
    };
    Awaiter answer() { return Awaiter(this); }
};

//! Many commands; `co_await calls.answers()` gives the answers in their order, or throws as
//! Call does.
class Calls final : public Pending {
public:
    Calls(Connection& connection, Effect effect)
        : Pending(connection, effect)
    {
        m_replies = &m_list;
    }
    //! Before they are sent: of each answer, and the bytes of strings that all may have together.
    //! What exceeds either comes as Reply::isTooLong().
    void limit(const Decoder::Limits& limits, std::size_t budget)
    {
        m_limits = limits;
        m_budget = budget;
    }
    //! Before they are awaited.
    void send(const Command& command);

    class [[nodiscard]] Awaiter final {
    public:
        explicit Awaiter(Calls* calls)
            : m_calls(calls)
        {
        }
        [[nodiscard]] bool await_ready() const noexcept { return m_calls->m_due == 0; }
        void await_suspend(std::coroutine_handle<> waiting) noexcept
        {
            m_calls->m_waiting = waiting;
        }
        std::vector<Reply> await_resume();

    private:
        Calls* m_calls;
    };
    Awaiter answers() { return Awaiter(this); }

private:
    std::vector<Reply> m_list;
};

} // namespace lockboard::redis
