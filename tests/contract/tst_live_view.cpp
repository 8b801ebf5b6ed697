// SPDX-License-Identifier: MIT
#include "tests/contract/subject.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

//! What a console is shown: a snapshot, then changes (engine/contract/live_view.h).
class TestLiveView final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void snapshotThenChanges();
    void snapshotComesInBatches();
    void expiredIsSaid();
    void comesAndGoesUnseen();
    void viewMayOutliveItsModule();
};

namespace {

//! What a view has said so far, put together.
class Watcher final {
public:
    explicit Watcher(LockingModule& module)
        : m_view(await(module.liveView()))
    {
        QObject::connect(m_view.get(), &LiveView::snapshotBatch, [this](const LockBatch& batch) {
            for (const Lock& lock : batch)
                locks[lock.key] = lock;
        });
        QObject::connect(m_view.get(), &LiveView::snapshotStarted, [this] { locks.clear(); });
        QObject::connect(m_view.get(), &LiveView::snapshotCompleted, [this] { ++snapshots; });
        QObject::connect(m_view.get(), &LiveView::stateChanged,
                         [this](const SourceState& s) { state = s; });
        QObject::connect(m_view.get(), &LiveView::changed, [this](const ChangeBatch& batch) {
            for (const LockChange& change : batch) {
                // What is left of a lock that is over is no lock.
                if (change.kind == ChangeKind::Acquired && change.lock.state == LockState::Residue)
                    continue;
                last[change.lock.key] = change.kind;
                if (change.kind == ChangeKind::Released || change.kind == ChangeKind::Expired)
                    locks.erase(change.lock.key);
                else
                    locks[change.lock.key] = change.lock;
            }
        });
        m_view->start();
    }

    std::map<std::string, Lock> locks;
    std::map<std::string, ChangeKind> last;
    SourceState state;
    int snapshots = 0;

private:
    LiveViewPtr m_view;
};

} // namespace

void TestLiveView::snapshotThenChanges()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    LockingModule& locks = subject->module();
    await(locks.acquire("a", AcquireOptions().ownedBy("X").expiringIn(30s)));
    await(locks.acquire("b"));
    Watcher watcher(locks);
    QTRY_COMPARE(watcher.snapshots, 1);
    QTRY_COMPARE(watcher.state.kind, SourceState::Live);
    QCOMPARE(watcher.locks.size(), 2u);
    QCOMPARE(watcher.locks["a"].owner, Owner("X"));
    QVERIFY(*watcher.locks["a"].leaseEnd > subject->clock().now() + 25s);
    QVERIFY(!watcher.locks["b"].owner);
    QVERIFY(!watcher.locks["b"].leaseEnd);

    await(locks.acquire("c", AcquireOptions().ownedBy("Z")));
    QTRY_VERIFY(watcher.last.contains("c"));
    QCOMPARE(watcher.last["c"], ChangeKind::Acquired);
    await(locks.acquire("a", AcquireOptions().ownedBy("X").expiringIn(60s)));
    QTRY_VERIFY(watcher.last.contains("a"));
    QCOMPARE(watcher.last["a"], ChangeKind::Extended);
    QVERIFY(*watcher.locks["a"].leaseEnd > subject->clock().now() + 50s);
    await(locks.acquire("b", AcquireOptions().ownedBy("Y")));
    QTRY_VERIFY(watcher.last.contains("b"));
    QCOMPARE(watcher.last["b"], ChangeKind::OwnerChanged);
    QCOMPARE(watcher.locks["b"].owner, Owner("Y"));
    await(locks.release("c", ReleaseOptions().ownedBy("Z")));
    QTRY_COMPARE(watcher.last["c"], ChangeKind::Released);
    QCOMPARE(watcher.locks.size(), 2u);
}

void TestLiveView::snapshotComesInBatches()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    std::vector<std::string> keys;
    for (int i = 0; i < 10'000; ++i)
        keys.push_back("key" + std::to_string(i));
    await(subject->module().acquire(LockKeys(keys), AcquireOptions().ownedBy("X")));
    for (std::string& key : keys)
        key += "-more";
    await(subject->module().acquire(LockKeys(keys), AcquireOptions().ownedBy("Y")));
    const LiveViewPtr view = await(subject->module().liveView());
    qsizetype count = 0;
    int batches = 0;
    bool complete = false;
    connect(view.get(), &LiveView::snapshotBatch, this, [&](const LockBatch& batch) {
        count += batch.size();
        ++batches;
    });
    connect(view.get(), &LiveView::snapshotCompleted, this, [&] { complete = true; });
    view->start();
    QTRY_VERIFY(complete);
    QCOMPARE(count, 20'000);
    QVERIFY(batches > 1);
}

void TestLiveView::expiredIsSaid()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    await(subject->module().acquire("k", AcquireOptions().ownedBy("X").expiringIn(300ms)));
    Watcher watcher(subject->module());
    QTRY_COMPARE(watcher.snapshots, 1);
    QCOMPARE(watcher.locks.size(), 1u);
    subject->pass(300ms + subject->tolerance());
    QTRY_VERIFY(watcher.last.contains("k"));
    QCOMPARE(watcher.last["k"], ChangeKind::Expired);
    QVERIFY(watcher.locks.empty());
}

void TestLiveView::comesAndGoesUnseen()
{
    const auto subject = makeSubject(Ownerless::Claimable);
    Watcher watcher(subject->module());
    QTRY_COMPARE(watcher.snapshots, 1);
    await(subject->module().acquire("k"));
    await(subject->module().release("k"));
    await(subject->module().acquire("later"));
    QTRY_VERIFY(watcher.last.contains("later"));
    QVERIFY(!watcher.locks.contains("k"));
}

void TestLiveView::viewMayOutliveItsModule()
{
    auto subject = makeSubject(Ownerless::Claimable);
    Watcher watcher(subject->module());
    QTRY_COMPARE(watcher.snapshots, 1);
    subject.reset();
    QTest::qWait(50);
    QVERIFY(watcher.state.kind != SourceState::Live);
}

QTEST_GUILESS_MAIN(TestLiveView)
#include "tst_live_view.moc"
