// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"
#include "engine/async/task.h"
#include "engine/contract/live_view.h"

#include <QPointer>

#include <functional>
#include <unordered_map>

namespace lockboard {

//! A live view of a store that can only be asked for all of its locks: it asks once a second, and
//! once a lease must have ended, and tells what differs from what it knew. A look that takes long
//! makes the next one come later, so that a slow store is not kept busy by being watched. A store
//! that fails is asked again, ever more rarely down to once in half a minute; meanwhile what was
//! listed before stands, marked Stale.
//!
//! On the thread of its provider, which calls abandon() when it goes.
class PollingView final : public LiveView {
    Q_OBJECT

public:
    //! Gives all locks, each key once. What it throws becomes the view's state.
    using List = std::function<Task<LockBatch>()>;

    //! `clock` is used until abandon().
    PollingView(Clock& clock, List list);
    ~PollingView() override;

    //! The provider is going away: says so, and asks no more.
    void abandon();

protected:
    void doStart() override;
    void doRefresh() override;

private:
    using Locks = std::unordered_map<std::string, Lock>; // by identity

    static Task<void> look(QPointer<PollingView> self);
    void take(const LockBatch& locks, TimePoint asked);
    void tellAll(const LockBatch& locks);
    void tellDifferences(const LockBatch& locks);
    void tellOne(Locks& before, const Lock& lock);
    void fail(const std::exception_ptr& problem);
    void lookAt(TimePoint when);

    Clock* m_clock; // null: the provider is gone
    List m_list;
    Locks m_locks; // as they were told
    Clock::TimerId m_timer = 0;
    int m_failures = 0;
    bool m_isComplete = false; // they were told once
    bool m_isLooking = false;
    bool m_isWanted = false; // another look, right after this one
};

} // namespace lockboard
