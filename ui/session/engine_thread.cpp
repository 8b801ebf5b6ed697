// SPDX-License-Identifier: MIT
#include "ui/session/engine_thread.h"

#include "engine/async/mailbox.h"

#include <QCoreApplication>
#include <QThread>

#include <future>

namespace lockboard {

class EngineThread::Worker final : public QThread {
public:
    Worker(Config config, LockingModule::Settings settings)
        : m_config(std::move(config))
        , m_settings(std::move(settings))
    {
        setObjectName(QStringLiteral("engine"));
    }

    std::future<LockingModule*> opened() { return m_opened.get_future(); }
    std::future<void> ended() { return m_ended.get_future(); }
    //! Behind every call that is on its way, so that each of them reaches the module still.
    void quitSoon()
    {
        if (!m_box->post([this] { quit(); }))
            quit();
    }

protected:
    void run() override
    {
        m_box = Mailbox::ofThisThread();
        runModule();
        m_ended.set_value();
    }

private:
    void runModule()
    {
        SystemClock clock;
        const Container container(clock);
        std::optional<LockingModule> module;
        try {
            module.emplace(m_config, container, m_settings);
        } catch (...) {
            m_opened.set_exception(std::current_exception());
            return;
        }
        m_opened.set_value(&*module);
        exec();
    }

    const Config m_config;
    const LockingModule::Settings m_settings;
    std::promise<LockingModule*> m_opened;
    std::promise<void> m_ended;
    std::shared_ptr<Mailbox> m_box; // set before the module is opened
};

EngineThread::EngineThread(Config config, LockingModule::Settings settings, QObject* parent)
    : QObject(parent)
    , m_config(std::move(config))
    , m_settings(std::move(settings))
{
}

EngineThread::~EngineThread()
{
    close();
}

LockingModule& EngineThread::open()
{
    m_worker = std::make_unique<Worker>(m_config, m_settings);
    auto opened = m_worker->opened();
    m_worker->start();
    if (opened.wait_for(m_patience) != std::future_status::ready) {
        (void)m_worker.release(); // it runs still, and for ever
        throw Unavailable("The engine did not start within " + std::to_string(m_patience.count())
                          + " ms: the making of a provider does not return.");
    }
    try {
        return *opened.get();
    } catch (...) {
        (void)end();
        throw;
    }
}

bool EngineThread::close()
{
    if (!m_worker)
        return true;
    m_worker->quitSoon();
    const bool ended = end();
    // What has ended comes back as letters to this thread, whose loop may have ended.
    QCoreApplication::sendPostedEvents();
    return ended;
}

bool EngineThread::end()
{
    const bool ended = m_worker->ended().wait_for(m_patience) == std::future_status::ready;
    if (ended)
        m_worker->wait();
    else
        (void)m_worker.release();
    m_worker.reset();
    return ended;
}

} // namespace lockboard
