// SPDX-License-Identifier: MIT
#pragma once

#include "engine/module/locking_module.h"

namespace lockboard {

class LockFeed;

//! Watches one provider: asks the module for its live view and brings what that says to the feed.
//! Destroyed, it watches no more. GUI thread.
class LiveSource final : public QObject {
    Q_OBJECT

public:
    LiveSource(LockingModule& module, std::string provider, LockFeed& feed,
               QObject* parent = nullptr);

    void open();
    void refresh();
    [[nodiscard]] const SourceState& state() const { return m_state; }
    [[nodiscard]] const std::string& provider() const { return m_provider; }

Q_SIGNALS:
    void stateChanged(const lockboard::SourceState& state);

private:
    Task<> run();
    void watch(LiveViewPtr view);
    void hearStart();
    void hearBatch(const LockBatch& locks);
    void hearEnd();
    void hearChanges(const ChangeBatch& changes);
    void setState(const SourceState& state);

    LockingModule& m_module;
    std::string m_provider;
    LockFeed& m_feed;
    LiveViewPtr m_view;
    SourceState m_state;
};

} // namespace lockboard
