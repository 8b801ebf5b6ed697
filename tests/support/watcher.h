// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/provider_fixture.h"

#include <QHash>

#include <map>

namespace lockboard::test {

//! Keeps what a live view says, as a console would.
class Watcher final : public QObject {
public:
    explicit Watcher(const OneProvider& module)
        : Watcher(*module.operator->())
    {
    }
    explicit Watcher(LockingModule& module)
        : view(await(module.liveView()))
    {
        connect(view.get(), &LiveView::snapshotStarted, this, [this] {
            inSnapshot = true;
            fresh.clear();
        });
        connect(view.get(), &LiveView::snapshotBatch, this, [this](const LockBatch& batch) {
            for (const Lock& lock : batch)
                clean &= inSnapshot && fresh.emplace(lock.identity(), lock).second;
        });
        connect(view.get(), &LiveView::snapshotCompleted, this, [this] {
            clean &= inSnapshot;
            inSnapshot = false;
            locks = std::move(fresh);
            ++snapshots;
        });
        connect(view.get(), &LiveView::changed, this, [this](const ChangeBatch& batch) {
            clean &= !inSnapshot;
            for (const LockChange& change : batch)
                apply(change);
        });
        connect(view.get(), &LiveView::stateChanged, this,
                [this](const SourceState& state) { states.append(state); });
        view->start();
    }

    [[nodiscard]] SourceState state() const
    {
        return states.isEmpty() ? SourceState() : states.last();
    }
    [[nodiscard]] bool isLive() const { return state().kind == SourceState::Live; }
    [[nodiscard]] QByteArray kinds(const std::string& key) const { return told.value(key); }
    //! Those of sessions, whatever their identity.
    [[nodiscard]] QList<Lock> ofSessions() const
    {
        QList<Lock> all;
        for (const auto& [identity, lock] : locks) {
            if (lock.isOfSession())
                all.append(lock);
        }
        return all;
    }

    LiveViewPtr view;
    std::map<std::string, Lock> locks; // by identity
    std::map<std::string, Lock> fresh;
    QHash<std::string, QByteArray> told; // a letter for each change of a key: a e o r x
    QList<SourceState> states;
    int snapshots = 0;
    bool inSnapshot = false;
    bool clean = true; // no key twice, no change of what is not there, nothing out of order

private:
    void apply(const LockChange& change)
    {
        const std::string key = change.lock.identity();
        told[change.lock.key] += "aeorx"[static_cast<int>(change.kind)];
        if (change.kind == ChangeKind::Acquired) {
            clean &= locks.emplace(key, change.lock).second;
        } else if (change.kind == ChangeKind::Released || change.kind == ChangeKind::Expired) {
            clean &= locks.erase(key) == 1;
        } else {
            clean &= locks.contains(key);
            locks[key] = change.lock;
        }
    }
};

} // namespace lockboard::test
