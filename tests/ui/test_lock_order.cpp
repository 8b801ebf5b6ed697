// SPDX-License-Identifier: MIT
#include "ui/locks/formatting.h"
#include "ui/locks/lock_order.h"

#include <QTest>

using namespace lockboard;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

static std::vector<std::string> arranged(const LockStore& store, LockColumn column, bool descending)
{
    LockOrder order;
    order.column = column;
    order.descending = descending;
    std::vector<std::string> keys;
    for (const RowId id : arrange(store.table(), order, TimePoint()))
        keys.push_back(store.row(id).key);
    return keys;
}

class TestLockOrder final : public QObject {
    Q_OBJECT

    using Keys = std::vector<std::string>;

private Q_SLOTS:
    void sortsByEveryColumn()
    {
        LockStore store;
        store.upsert(Lock("b", "zoe", TimePoint(3s)), 1);
        store.upsert(Lock("common_prefix_2", "ann", TimePoint(1s)), 1);
        store.upsert(Lock("common_prefix_1", "ann"), 1);
        store.upsert(Lock("a", {}, TimePoint(2s), LockState::WrongType), 1);
        store.upsert(Lock("", {}, TimePoint(4s)), 1);

        const Keys byKey{"", "a", "b", "common_prefix_1", "common_prefix_2"};
        QCOMPARE(arranged(store, LockColumn::Key, false), byKey);
        QCOMPARE(arranged(store, LockColumn::Key, true), Keys(byKey.rbegin(), byKey.rend()));
        // Those without owner last, ties by key.
        const Keys byOwner{"common_prefix_1", "common_prefix_2", "b", "", "a"};
        QCOMPARE(arranged(store, LockColumn::Holder, false), byOwner);
        const Keys byTtl{"common_prefix_2", "a", "b", "", "common_prefix_1"};
        QCOMPARE(arranged(store, LockColumn::Ttl, false), byTtl);
        const Keys byState{"", "b", "common_prefix_1", "common_prefix_2", "a"};
        QCOMPARE(arranged(store, LockColumn::State, false), byState);
    }

    void stopsOnRequest()
    {
        LockStore store;
        store.upsert(Lock("a", {}), 1);
        std::stop_source stop;
        stop.request_stop();
        QVERIFY(arrange(store.table(), LockOrder(), TimePoint(), stop.get_token()).empty());
    }

    void formats_data()
    {
        QTest::addColumn<int>("ms");
        QTest::addColumn<QString>("text");
        QTest::newRow("over") << -5 << u"0.0 s"_s;
        QTest::newRow("tenths") << 9'449 << u"9.4 s"_s;
        QTest::newRow("seconds") << 42'900 << u"42 s"_s;
        QTest::newRow("minutes") << 245'000 << u"4 min 05 s"_s;
        QTest::newRow("hours") << 11'220'000 << u"3 h 07 min"_s;
        QTest::newRow("days") << 183'600'000 << u"2 d 03 h"_s;
    }
    void formats()
    {
        QFETCH(int, ms);
        QTEST(durationText(Duration(ms)), "text");
    }

    void barsGrowWithTheLease()
    {
        QCOMPARE(leaseShare(-1s), 0.0);
        QVERIFY(leaseShare(5s) < leaseShare(30s));
        QVERIFY(leaseShare(30s) < leaseShare(10min));
        QCOMPARE(leaseShare(48h), 1.0);
    }

    void countsInPlural()
    {
        QCOMPARE(countText(0, u"lock"_s), u"0 locks"_s);
        QCOMPARE(countText(1, u"lock"_s), u"1 lock"_s);
        QCOMPARE(countText(12'000, u"lock"_s), u"12,000 locks"_s);
    }
};

QTEST_APPLESS_MAIN(TestLockOrder)
#include "test_lock_order.moc"
