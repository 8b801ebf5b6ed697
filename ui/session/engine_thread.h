// SPDX-License-Identifier: MIT
#pragma once

#include "engine/module/locking_module.h"

namespace lockboard {

//! The engine in a thread of its own: clock, container and module are made, used and destroyed
//! there. Everything here is called from the thread that made it.
//!
//! It waits for that thread, but not for ever: a provider's call that never returns (a plugin's,
//! say) must not keep the window from opening or the program from ending. A thread that is stuck is
//! left behind, and then the process must end without more ado (std::_Exit).
class EngineThread final : public QObject {
    Q_OBJECT

public:
    static constexpr Duration usualPatience = std::chrono::seconds(10);

    EngineThread(Config config, LockingModule::Settings settings, QObject* parent = nullptr);
    ~EngineThread() override;

    //! For how long it waits for the thread.
    void setPatience(Duration patience) { m_patience = patience; }

    //! Starts it and waits until the module is made, which contacts nobody. \throws ConfigError;
    //! Unavailable: the thread is stuck
    LockingModule& open();
    //! Ends it: the calls that are under way end, back on the threads they were made on, as
    //! LockingModule says. False: the thread is stuck, and its calls never end.
    bool close();

private:
    class Worker;

    [[nodiscard]] bool end();

    Config m_config;
    LockingModule::Settings m_settings;
    Duration m_patience = usualPatience;
    std::unique_ptr<Worker> m_worker;
};

} // namespace lockboard
