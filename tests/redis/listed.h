// SPDX-License-Identifier: MIT
#pragma once

#include "tests/redis/redis_fixture.h"

namespace lockboard::test {

//! The locks as a live view of its own lists them, by key.
inline std::map<std::string, Lock> listed(const RedisModule& module)
{
    const LiveViewPtr view = await(module->liveView());
    std::map<std::string, Lock> locks;
    bool complete = false;
    QObject::connect(view.get(), &LiveView::snapshotBatch, [&](const LockBatch& batch) {
        for (const Lock& lock : batch)
            locks[lock.key] = lock;
    });
    QObject::connect(view.get(), &LiveView::snapshotCompleted, [&] { complete = true; });
    view->start();
    if (!QTest::qWaitFor([&] { return complete; }, 20'000))
        throw std::runtime_error("the live view gave no snapshot");
    return locks;
}

} // namespace lockboard::test
