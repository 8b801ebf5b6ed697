// SPDX-License-Identifier: MIT
#pragma once

#include "engine/locking_module.h"

#include <QThread>

#include <future>

namespace lockboard {

//! The engine in a thread of its own: clock, container and module are made, used and destroyed
//! there. Everything here is called from the thread that made it.
class EngineThread final : public QThread {
    Q_OBJECT

public:
    EngineThread(Config config, LockingModule::Settings settings, QObject* parent = nullptr);
    ~EngineThread() override;

    //! Starts it and waits until the module is made, which contacts nobody. \throws ConfigError
    LockingModule& open();
    //! Ends it: what still waits ends with Cancelled, back on the threads it was called from.
    void close();

protected:
    void run() override;

private:
    Config m_config;
    LockingModule::Settings m_settings;
    std::promise<LockingModule*> m_opened;
    LockingModule* m_module = nullptr;
};

} // namespace lockboard
