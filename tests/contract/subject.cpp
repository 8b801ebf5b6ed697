// SPDX-License-Identifier: MIT
#include "tests/contract/subject.h"

#include <QSignalSpy>
#include <QTest>

namespace lockboard::test {

bool Subject::passUntil(const std::function<bool()>& holds)
{
    for (Duration passed(0); passed < std::chrono::seconds(10); passed += Duration(10)) {
        if (holds())
            return true;
        pass(Duration(10));
    }
    return holds();
}

LockBatch Subject::locks()
{
    const LiveViewPtr view = await(module().liveView());
    LockBatch all;
    bool complete = false;
    QObject::connect(view.get(), &LiveView::snapshotBatch,
                     [&](const LockBatch& batch) { all += batch; });
    QObject::connect(view.get(), &LiveView::snapshotCompleted, [&] { complete = true; });
    view->start();
    if (!QTest::qWaitFor([&] { return complete; }))
        throw std::runtime_error("the live view gave no snapshot");
    // What is left of a lock that is over is no lock.
    all.removeIf([](const Lock& lock) { return lock.state == LockState::Residue; });
    return all;
}

std::optional<Lock> Subject::find(const std::string& key)
{
    for (const Lock& lock : locks()) {
        if (lock.key == key)
            return lock;
    }
    return {};
}

} // namespace lockboard::test
