// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/mailbox.h"
#include "engine/module/locking_module.h"

#include <QThread>

#include <future>

namespace lockboard::test {

//! A module in a thread of its own, as the console has it; its calls come from other threads.
class EngineRoom final : public QThread {
public:
    explicit EngineRoom(Config config = {})
        : m_config(std::move(config))
    {
        auto made = m_made.get_future();
        start();
        module = made.get();
    }
    ~EngineRoom() override { close(); }

    LockingModule* operator->() const { return module; }
    //! Destroys the module and waits until its thread has ended.
    void close()
    {
        quit();
        wait();
    }
    //! Keeps the thread from everything else until the promise is kept.
    void blockUntil(const std::shared_future<void>& released) const
    {
        (void)m_box->post([released] { released.wait(); });
    }

    LockingModule* module = nullptr;

protected:
    void run() override
    {
        SystemClock clock;
        const Container container(clock, [](LogLevel, const std::string&) {});
        LockingModule locks(m_config, container);
        m_box = Mailbox::ofThisThread();
        m_made.set_value(&locks);
        exec();
    }

private:
    Config m_config;
    std::promise<LockingModule*> m_made;
    std::shared_ptr<Mailbox> m_box;
};

} // namespace lockboard::test
