// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"

#include <coroutine>
#include <deque>
#include <memory>
#include <stop_token>

namespace lockboard {

class Signal;

//! Resumes coroutines from the event loop, one after another, so that a hand-over never runs
//! inside the release that caused it and a thousand waiters don't nest. Belongs to one thread.
class Resumer final : public QObject {
    Q_OBJECT

public:
    explicit Resumer(Clock& clock);
    ~Resumer() override;

    [[nodiscard]] Clock& clock() const { return m_clock; }
    void resumeSoon(std::coroutine_handle<> coroutine);

    class [[nodiscard]] Turn final {
    public:
        explicit Turn(Resumer& resumer)
            : m_resumer(resumer)
        {
        }
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> waiting) const { m_resumer.resumeSoon(waiting); }
        void await_resume() const noexcept { }

    private:
        Resumer& m_resumer;
    };
    //! Awaited, goes on once whatever is to be resumed already has been.
    Turn turn() { return Turn(*this); }
    //! Resumes at once whatever is ready: for the end of a provider's life.
    void drain();

private:
    void runSlice();
    void post();

    Clock& m_clock;
    std::deque<std::coroutine_handle<>> m_ready;
    bool m_posted = false;
};

//! Why a coroutine that waited on a Signal goes on.
enum class WakeReason : std::uint8_t { Signalled, TimedOut, Cancelled };

//! Something one coroutine waits for: to be signalled, a deadline, or its stop token, whichever
//! comes first. A signal that comes before the wait is kept. Lives on the engine's thread; the
//! stop may be requested from any.
class Signal final {
public:
    explicit Signal(Resumer& resumer);
    ~Signal();
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    void raise(WakeReason reason = WakeReason::Signalled);
    [[nodiscard]] bool isRaised() const { return m_raised.has_value(); }
    //! To use it once more after it has been raised and waited for.
    void reset() { m_raised.reset(); }

    class [[nodiscard]] Awaiter final {
    public:
        explicit Awaiter(Signal& signal)
            : m_signal(signal)
        {
        }
        [[nodiscard]] bool await_ready() const noexcept { return m_signal.m_raised.has_value(); }
        void await_suspend(std::coroutine_handle<> waiting) noexcept
        {
            m_signal.m_waiting = waiting;
        }
        WakeReason await_resume() noexcept;

    private:
        Signal& m_signal;
    };

    Awaiter wait(std::optional<TimePoint> deadline, const std::stop_token& stop);

private:
    struct Remote;

    Resumer& m_resumer;
    std::coroutine_handle<> m_waiting;
    std::optional<WakeReason> m_raised;
    Clock::TimerId m_timer = 0;
    std::shared_ptr<Remote> m_remote;
};

//! Awaited, goes on in the thread that `context` lives in, from its event loop. The context must
//! outlive the wait: with it gone, the coroutine never goes on.
class [[nodiscard]] ResumeOn final {
public:
    explicit ResumeOn(QObject* context)
        : m_context(context)
    {
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const;
    void await_resume() const noexcept { }

private:
    QObject* m_context;
};

} // namespace lockboard
