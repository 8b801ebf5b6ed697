// SPDX-License-Identifier: MIT
#include "engine/async/resume.h"

#include "engine/async/mailbox.h"

#include <QPointer>

namespace lockboard {

Resumer::Resumer(Clock& clock)
    : m_clock(clock)
{
}

Resumer::~Resumer() = default;

void Resumer::resumeSoon(std::coroutine_handle<> coroutine)
{
    m_ready.push_back(coroutine);
    post();
}

void Resumer::post()
{
    if (m_posted)
        return;
    m_posted = true;
    QMetaObject::invokeMethod(this, &Resumer::runSlice, Qt::QueuedConnection);
}

void Resumer::runSlice()
{
    // What is resumed makes others ready; the loop gets its turn now and then all the same.
    constexpr int most = 256;
    const QPointer<Resumer> self(this);
    for (int i = 0; i < most && !m_ready.empty(); ++i) {
        const auto coroutine = m_ready.front();
        m_ready.pop_front();
        coroutine.resume();
        if (!self)
            return; // what was resumed has no more use for us
    }
    m_posted = false;
    if (!m_ready.empty())
        post();
}

void Resumer::drain()
{
    while (!m_ready.empty()) {
        const auto coroutine = m_ready.front();
        m_ready.pop_front();
        coroutine.resume();
    }
}

//! What a stop callback, on whatever thread, may hold on to: the signal, for as long as it lives.
struct Signal::Remote {
    explicit Remote(Signal* s)
        : signal(s)
    {
    }
    Signal* signal; // its own thread only
    std::optional<std::stop_callback<std::function<void()>>> callback;
};

Signal::Signal(Resumer& resumer)
    : m_resumer(resumer)
{
}

Signal::~Signal()
{
    m_resumer.clock().cancel(m_timer);
    if (!m_remote)
        return;
    m_remote->callback.reset();
    m_remote->signal = nullptr;
}

void Signal::raise(WakeReason reason)
{
    if (m_raised)
        return;
    m_raised = reason;
    if (const auto waiting = std::exchange(m_waiting, {}))
        m_resumer.resumeSoon(waiting);
}

Signal::Awaiter Signal::wait(std::optional<TimePoint> deadline, const std::stop_token& stop)
{
    if (stop.stop_requested())
        raise(WakeReason::Cancelled);
    if (!m_raised && deadline)
        m_timer = m_resumer.clock().callAt(*deadline, [this] { raise(WakeReason::TimedOut); });
    if (!m_raised && stop.stop_possible()) {
        if (!m_remote)
            m_remote = std::make_shared<Remote>(this);
        std::function<void()> onStop = [remote = m_remote, box = Mailbox::ofThisThread()] {
            // A thread that has ended has nothing left that could be stopped.
            (void)box->post([remote] {
                if (remote->signal)
                    remote->signal->raise(WakeReason::Cancelled);
            });
        };
        m_remote->callback.emplace(stop, std::move(onStop));
    }
    return Awaiter(*this);
}

WakeReason Signal::Awaiter::await_resume() noexcept
{
    m_signal.m_resumer.clock().cancel(m_signal.m_timer);
    m_signal.m_timer = 0;
    if (m_signal.m_remote)
        m_signal.m_remote->callback.reset();
    return *m_signal.m_raised;
}

void ResumeOn::await_suspend(std::coroutine_handle<> waiting) const
{
    QMetaObject::invokeMethod(
        m_context, [waiting] { waiting.resume(); }, Qt::QueuedConnection);
}

} // namespace lockboard
