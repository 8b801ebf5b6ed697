// SPDX-License-Identifier: MIT
#pragma once

#include "tests/redis/redis_fixture.h"

#include <map>

namespace lockboard::test {

//! What a console would show.
class Shown final : public QObject {
public:
    explicit Shown(const RedisModule& module)
        : view(await(module->liveView()))
    {
        connect(view.get(), &LiveView::snapshotStarted, this, [this] { locks.clear(); });
        connect(view.get(), &LiveView::snapshotBatch, this, [this](const LockBatch& batch) {
            for (const Lock& lock : batch)
                locks.insert_or_assign(lock.key, lock);
        });
        connect(view.get(), &LiveView::changed, this, [this](const ChangeBatch& batch) {
            for (const LockChange& change : batch) {
                locks.insert_or_assign(change.lock.key, change.lock);
                if (change.kind == ChangeKind::Released || change.kind == ChangeKind::Expired)
                    locks.erase(change.lock.key);
            }
        });
        connect(view.get(), &LiveView::stateChanged, this, [this](const SourceState& now) {
            state = now;
            isLive = state.kind == SourceState::Live;
        });
        view->start();
    }

    LiveViewPtr view;
    std::map<std::string, Lock> locks;
    SourceState state;
    bool isLive = false;
};

} // namespace lockboard::test
