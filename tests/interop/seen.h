// SPDX-License-Identifier: MIT
#pragma once

#include "engine/locking_module.h"
#include "tests/support/await.h"

#include <map>

namespace lockboard::test {

//! The locks of a live view as they are now.
class Seen final : public QObject {
public:
    explicit Seen(LockingModule& module)
        : view(await(module.liveView()))
    {
        connect(view.get(), &LiveView::snapshotBatch, this, [this](const LockBatch& batch) {
            for (const Lock& lock : batch)
                locks[lock.key] = lock;
        });
        connect(view.get(), &LiveView::snapshotCompleted, this, [this] { complete = true; });
        connect(view.get(), &LiveView::changed, this, [this](const ChangeBatch& batch) {
            for (const auto& [kind, lock] : batch) {
                if (kind == ChangeKind::Released || kind == ChangeKind::Expired)
                    locks.erase(lock.key);
                else
                    locks[lock.key] = lock;
            }
        });
        view->start();
    }
    [[nodiscard]] bool has(const std::string& key, const Owner& owner) const
    {
        const auto found = locks.find(key);
        return found != locks.end() && found->second.owner == owner;
    }
    [[nodiscard]] std::chrono::duration<double> lease(const std::string& key) const
    {
        return locks.at(key).leaseEnd.value() - std::chrono::steady_clock::now();
    }

    LiveViewPtr view;
    std::map<std::string, Lock> locks;
    bool complete = false;
};

} // namespace lockboard::test
