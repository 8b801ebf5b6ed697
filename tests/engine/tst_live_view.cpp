// SPDX-License-Identifier: MIT
#include "engine/contract/live_view.h"

#include <QPointer>
#include <QSignalSpy>
#include <QTest>
#include <QThread>

using namespace lockboard;

namespace {
class View final : public LiveView {
public:
    using LiveView::flush;
    using LiveView::note;
    using LiveView::setState;

protected:
    void doStart() override { }
    void doRefresh() override { }
};
} // namespace

//! Several changes of one key between two batches become one.
class TestLiveViewBatches final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void merging_data();
    void merging();
    void flushesByItself();
    void stateIsSaidOnce();
    void mayOutliveItsThread();
};

void TestLiveViewBatches::merging_data()
{
    using enum ChangeKind;
    QTest::addColumn<QList<int>>("noted"); // kinds; the owner is X until changed to Y
    QTest::addColumn<int>("said"); // -1: nothing
    const auto row = [](const char* name, QList<ChangeKind> noted, int said) {
        QList<int> kinds;
        for (const ChangeKind kind : noted)
            kinds.append(int(kind));
        QTest::newRow(name) << kinds << said;
    };
    row("acquired", {Acquired}, int(Acquired));
    row("acquired, extended", {Acquired, Extended}, int(Acquired));
    row("acquired, owner changed", {Acquired, OwnerChanged}, int(Acquired));
    row("came and went", {Acquired, Released}, -1);
    row("came and expired", {Acquired, Extended, Expired}, -1);
    row("extended twice", {Extended, Extended}, int(Extended));
    row("extended, released", {Extended, Released}, int(Released));
    row("extended, owner changed", {Extended, OwnerChanged}, int(OwnerChanged));
    row("owner changed, extended", {OwnerChanged, Extended}, int(OwnerChanged));
    row("released, acquired by the same", {Released, Acquired}, int(Extended));
    row("released, acquired by another", {Released, OwnerChanged, Acquired}, int(OwnerChanged));
    row("expired, acquired, released", {Expired, Acquired, Released}, int(Released));
}

void TestLiveViewBatches::merging()
{
    QFETCH(QList<int>, noted);
    QFETCH(int, said);
    View view;
    QList<LockChange> changes;
    connect(&view, &LiveView::changed, this, [&](const ChangeBatch& batch) { changes += batch; });
    Owner owner("X");
    for (const int number : noted) {
        const auto kind = ChangeKind(number);
        if (kind == ChangeKind::OwnerChanged)
            owner = "Y";
        if (kind == ChangeKind::OwnerChanged && noted.first() == int(ChangeKind::Released))
            continue; // only to acquire it as another
        view.note(kind, Lock("k", owner));
    }
    view.flush();
    QCOMPARE(changes.size(), said < 0 ? 0 : 1);
    if (said >= 0)
        QCOMPARE(int(changes.first().kind), said);
}

void TestLiveViewBatches::flushesByItself()
{
    View view;
    QSignalSpy spy(&view, &LiveView::changed);
    for (int i = 0; i < 1000; ++i)
        view.note(ChangeKind::Acquired, Lock("k" + std::to_string(i), {}));
    QCOMPARE(spy.count(), 0);
    QTRY_COMPARE(spy.count(), 1);
    QCOMPARE(spy.first().first().value<ChangeBatch>().size(), 1000);
}

void TestLiveViewBatches::stateIsSaidOnce()
{
    View view;
    QSignalSpy spy(&view, &LiveView::stateChanged);
    view.setState(SourceState(SourceState::Connecting));
    view.setState(SourceState(SourceState::Live));
    view.setState(SourceState(SourceState::Live));
    view.setState(SourceState(SourceState::Stale, QStringLiteral("gone")));
    QCOMPARE(spy.count(), 3);
}

void TestLiveViewBatches::mayOutliveItsThread()
{
    QThread home;
    LiveViewPtr view(new View);
    view->moveToThread(&home);
    home.start();
    home.quit();
    QVERIFY(home.wait());
    const QPointer<LiveView> watch(view.get());
    view.reset();
    QVERIFY(!watch);
}

QTEST_GUILESS_MAIN(TestLiveViewBatches)
#include "tst_live_view.moc"
