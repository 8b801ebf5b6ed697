// SPDX-License-Identifier: MIT
#include "ui/session/engine_thread.h"

#include <QCoreApplication>

namespace lockboard {

EngineThread::EngineThread(Config config, LockingModule::Settings settings, QObject* parent)
    : QThread(parent)
    , m_config(std::move(config))
    , m_settings(std::move(settings))
{
    setObjectName(QStringLiteral("engine"));
}

EngineThread::~EngineThread()
{
    close();
}

LockingModule& EngineThread::open()
{
    auto opened = m_opened.get_future();
    start();
    try {
        m_module = opened.get();
    } catch (...) {
        wait();
        throw;
    }
    return *m_module;
}

void EngineThread::close()
{
    if (!m_module)
        return;
    // Behind every call that is on its way, so that each of them reaches the module still.
    QMetaObject::invokeMethod(
        m_module, [this] { quit(); }, Qt::QueuedConnection);
    wait();
    m_module = nullptr;
    // What was cancelled comes back as events to this thread; whose loop may have ended.
    QCoreApplication::sendPostedEvents();
}

void EngineThread::run()
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

} // namespace lockboard
