// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/container.h"

#include <QPointer>

namespace lockboard {

//! Notices when the engine's thread gets no turn while a job runs on it: then nothing is renewed,
//! and the job's lease may end under it. Says so in the log, once a job. On the engine's thread.
class BlockedWatch final {
public:
    //! `container` is used for as long as `owner` lives.
    BlockedWatch(const QObject& owner, const Container& container, std::string key, Duration lease);
    ~BlockedWatch();
    BlockedWatch(const BlockedWatch&) = delete;
    BlockedWatch& operator=(const BlockedWatch&) = delete;

    //! The job starts.
    void begin();
    //! It has ended.
    void end();

private:
    void look();
    void expectNextTurn();

    const QPointer<const QObject> m_owner;
    const QPointer<Clock> m_clock; // may end between the owner and a job that outlives it
    const Container& m_container;
    const std::string m_key;
    const Duration m_lease;
    std::optional<TimePoint> m_due;
    Clock::TimerId m_timer = 0;
    bool m_said = false;
};

} // namespace lockboard
