// SPDX-License-Identifier: MIT
#pragma once

#include "app/lockboardctl/arguments.h"

#include "engine/async/resume.h"
#include "engine/module/locking_module.h"

namespace lockboard::ctl {

//! What a verb works with: the module as the command line asks for it. Everything in it lives on
//! the main thread.
class Session final {
public:
    //! `audited`: the verb changes locks. \throws ConfigError, NotFound
    Session(const Arguments& arguments, bool audited, std::stop_token stop);

    [[nodiscard]] LockingModule& module() { return m_module; }
    [[nodiscard]] Resumer& resumer() { return m_resumer; }
    [[nodiscard]] TimePoint now() const { return m_clock.now(); }
    //! Requested by Ctrl-C.
    [[nodiscard]] const std::stop_token& stop() const { return m_stop; }
    //! The one that was named, else the default one.
    [[nodiscard]] const ProviderInfo& provider() const { return *m_provider; }

private:
    SystemClock m_clock;
    Resumer m_resumer;
    std::stop_token m_stop;
    LockingModule m_module;
    const ProviderInfo* m_provider;
};

} // namespace lockboard::ctl
