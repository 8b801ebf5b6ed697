// SPDX-License-Identifier: MIT
#include "ui/locks/lock_table_model.h"
#include "ui/locks/lock_table_view.h"

#include <QAbstractItemModelTester>
#include <QHeaderView>
#include <QSignalSpy>
#include <QTest>

using namespace lockboard;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

static const TimePoint now = TimePoint(1h);

class TestLockTableModel final : public QObject {
    Q_OBJECT

    LockTableModel* m_model = nullptr;
    QAbstractItemModelTester* m_tester = nullptr;

    void fill(int count)
    {
        m_model->beginSnapshot();
        for (int i = 0; i < count; ++i) {
            const std::string number = std::to_string(100'000 + i);
            m_model->upsert(Lock("key_" + number, "owner_" + std::to_string(i % 7),
                                 now + std::chrono::seconds(count - i)));
        }
        m_model->commit();
        QTRY_COMPARE(m_model->rowCount(), count);
    }
    [[nodiscard]] static Lock noted(const std::string& key, const std::string& host, int pid)
    {
        Lock lock(key, "ann", now + 42s);
        HolderNote::Fields& note = lock.note.edit();
        note.host = host;
        note.program = "shop";
        note.pid = pid;
        note.acquiredAt = "2026-01-02T03:04:05.678Z";
        return lock;
    }
    [[nodiscard]] QString at(int row, LockColumn column = LockColumn::Key) const
    {
        return m_model->index(row, int(column)).data().toString();
    }

private Q_SLOTS:
    void init()
    {
        m_model = new LockTableModel(this, [] { return now; });
        m_tester = new QAbstractItemModelTester(
            m_model, QAbstractItemModelTester::FailureReportingMode::QtTest, m_model);
    }
    void cleanup() { delete m_model; }

    void saysItInWords()
    {
        m_model->upsert(Lock("a", "ann", now + 42s));
        m_model->upsert(Lock("b", {}));
        Lock hash("c", {}, {}, LockState::WrongType);
        hash.detail = "hash";
        m_model->upsert(hash);
        m_model->upsert(Lock("d\xff", "bob", now + 9400ms));
        m_model->commit();
        const auto row = [&](int r) {
            QStringList cells;
            for (int column = 0; column < lockColumns; ++column)
                cells << at(r, LockColumn(column));
            return cells;
        };
        QCOMPARE(row(0), QStringList({u"a"_s, u"ann"_s, u""_s, u"42 s"_s, u"Held"_s}));
        QCOMPARE(row(1),
                 QStringList({u"b"_s, u"no owner"_s, u""_s, u"never expires"_s, u"Held"_s}));
        QCOMPARE(row(2),
                 QStringList({u"c"_s, u"–"_s, u""_s, u"never expires"_s, u"Not a lock (hash)"_s}));
        QCOMPARE(row(3), QStringList({u"d\\xff"_s, u"bob"_s, u""_s, u"9.4 s"_s, u"Expiring"_s}));
        QCOMPARE(m_model->index(0, 0).data(Qt::AccessibleTextRole).toString(),
                 u"Lock a, held by ann, 42 s left"_s);
        QCOMPARE(m_model->lockAt(3).key, std::string("d\xff"));
    }

    void saysWhoHoldsALock()
    {
        QVERIFY(!m_model->hasNotes());
        m_model->upsert(noted("a", "web-2", 7));
        m_model->upsert(noted("b", "web-1", 12));
        m_model->upsert(noted("c", "web-1", 7));
        m_model->upsert(Lock("d", "ann"));
        Lock odd = noted("<b>e</b>", "<i>\n", 1);
        odd.token = 42;
        odd.note.edit().requestId = "req_1";
        m_model->upsert(odd);
        m_model->commit();
        QVERIFY(m_model->hasNotes());
        QCOMPARE(at(1, LockColumn::HeldBy), u"web-2 shop[7]"_s);
        m_model->sort(int(LockColumn::HeldBy), Qt::AscendingOrder);
        QStringList order;
        for (int row = 0; row < 5; ++row)
            order << at(row);
        QCOMPARE(order, QStringList({u"<b>e</b>"_s, u"c"_s, u"b"_s, u"a"_s, u"d"_s}));

        const auto tip = [&](int row, LockColumn column) {
            return m_model->index(row, int(column)).data(Qt::ToolTipRole).toString();
        };
        QCOMPARE(tip(1, LockColumn::Key),
                 u"c\nHeld by shop, process 7 on web-1\n"
                 "Acquired 2026-01-02T03:04:05.678Z, by that host's clock"_s);
        QVERIFY(tip(1, LockColumn::HeldBy).startsWith(u"Lock c, held by ann"_s));
        QCOMPARE(tip(4, LockColumn::Key), u"d"_s);
        // What others wrote is shown, not obeyed.
        QVERIFY(tip(0, LockColumn::Key).contains(u"&lt;b&gt;e&lt;/b&gt;\n"_s));
        QVERIFY(tip(0, LockColumn::Key).contains(u"on &lt;i&gt;\\x0a\n"_s));
        QVERIFY(tip(0, LockColumn::Key).contains(u"Request req_1\nFencing token 42<"_s));

        // Another note, or none, with the lock as it was.
        m_model->upsert(noted("a", "web-3", 7));
        m_model->upsert(Lock("b", "ann"));
        m_model->commit();
        m_model->sort(int(LockColumn::Key), Qt::AscendingOrder);
        QCOMPARE(at(1, LockColumn::HeldBy), u"web-3 shop[7]"_s);
        QCOMPARE(at(2, LockColumn::HeldBy), QString());
        m_model->clear();
        QVERIFY(!m_model->hasNotes());
    }

    void theColumnOfHoldersComesWithTheFirstNote()
    {
        LockTableView view(*m_model);
        view.resize(800, 300);
        view.show();
        const auto column = int(LockColumn::HeldBy);
        m_model->upsert(Lock("a", "ann"));
        m_model->commit();
        QVERIFY(view.isColumnHidden(column));
        m_model->upsert(noted("b", "web-1", 7));
        m_model->commit();
        QVERIFY(!view.isColumnHidden(column));
        QVERIFY(view.columnWidth(column) > 100);
        QVERIFY(view.columnState().isEmpty()); // nobody has arranged them
        m_model->remove("b");
        m_model->commit();
        QVERIFY(!view.isColumnHidden(column)); // it doesn't flicker
        m_model->clear();
        QVERIFY(view.isColumnHidden(column));
        view.horizontalHeader()->resizeSection(0, 111);
        LockTableView other(*m_model);
        other.restoreColumns(view.columnState());
        QVERIFY(other.isColumnHidden(column));
        m_model->upsert(noted("b", "web-1", 7));
        m_model->commit();
        QVERIFY(!other.isColumnHidden(column));
        QVERIFY(other.columnWidth(column) > 20);
        QCOMPARE(other.columnWidth(0), 111);
    }

    void rearranges_data()
    {
        QTest::addColumn<int>("count");
        QTest::newRow("small, at once") << 500;
        QTest::newRow("large, by the worker") << 6000;
    }
    void rearranges()
    {
        QFETCH(int, count);
        fill(count);
        QCOMPARE(at(0), u"key_100000"_s);
        m_model->sort(int(LockColumn::Ttl), Qt::AscendingOrder);
        QTRY_COMPARE(at(0), u"key_%1"_s.arg(100'000 + count - 1));
        m_model->setFilter(LockFilter::parse(u"owner:=owner_3"_s));
        QTRY_COMPARE(m_model->rowCount(), (count + 3) / 7);
        m_model->setFilter({});
        QTRY_COMPARE(m_model->rowCount(), count);
        // Gone, changed and new in one go.
        for (int i = 0; i < count; i += 2)
            m_model->remove("key_" + std::to_string(100'000 + i));
        m_model->upsert(Lock("key_100001", "zoe", now + 1ms));
        m_model->upsert(Lock("new", "zoe", now + 2ms));
        m_model->commit();
        QTRY_COMPARE(m_model->rowCount(), count / 2 + 1);
        QTRY_COMPARE(at(0), u"key_100001"_s);
        QCOMPARE(at(1), u"new"_s);
        QCOMPARE(m_model->total(), std::size_t(count / 2 + 1));
    }

    void theLastFilterWins()
    {
        fill(20'000);
        for (const auto& text : {u"owner_1"_s, u"owner_2"_s, u"key_100777"_s})
            m_model->setFilter(LockFilter::parse(text));
        QTRY_COMPARE(m_model->rowCount(), 1);
        QTest::qWait(50); // whatever came late has come
        QCOMPARE(at(0), u"key_100777"_s);
    }

    void idsOfRowsGoneAreNotMixedUpWhileTheWorkerIsBusy()
    {
        fill(20'000);
        for (int round = 0; round < 30; ++round) {
            m_model->sort(int(LockColumn::Key),
                          round % 2 ? Qt::AscendingOrder : Qt::DescendingOrder);
            for (int i = 0; i < 50; ++i)
                m_model->remove("key_" + std::to_string(100'000 + round * 50 + i));
            for (int i = 0; i < 50; ++i)
                m_model->upsert(Lock("late_" + std::to_string(round * 50 + i), {}));
            m_model->commit();
            QTest::qWait(3);
        }
        QTRY_COMPARE(m_model->rowCount(), 20'000);
        m_model->setFilter(LockFilter::parse(u"late_"_s));
        QTRY_COMPARE(m_model->rowCount(), 1500);
        QSet<QString> keys;
        for (int row = 0; row < 1500; ++row)
            keys << at(row);
        QCOMPARE(keys.size(), 1500);
    }

    void aSnapshotSweepsWhatItDidNotMention()
    {
        fill(100);
        m_model->beginSnapshot();
        m_model->upsert(Lock("key_100042", "owner_0"));
        m_model->commit();
        QCOMPARE(m_model->rowCount(), 100); // until it is complete, what was shown stands
        while (!m_model->sweep(16)) { }
        m_model->commit();
        QCOMPARE(m_model->rowCount(), 1);
        m_model->clear();
        QCOMPARE(m_model->rowCount(), 0);
    }

    void keepsCurrentAndSelectionByIdentity()
    {
        fill(50);
        LockTableView view(*m_model);
        const auto select = [&](int row) {
            view.selectionModel()->select(m_model->index(row, 0),
                                          QItemSelectionModel::Select | QItemSelectionModel::Rows);
        };
        view.setCurrentIndex(m_model->index(10, 0));
        view.clearSelection();
        select(10);
        select(11);
        select(12);
        m_model->remove("key_100011");
        m_model->upsert(Lock("a_new_one", {}));
        m_model->upsert(Lock("key_100010_and_a_half", {}));
        m_model->commit();
        std::vector<std::string> keys;
        for (const Lock& lock : view.selectedLocks())
            keys.push_back(lock.key);
        QCOMPARE(keys, std::vector<std::string>({"key_100010", "key_100012"}));
        QCOMPARE(view.currentLock()->key, std::string("key_100010"));
    }

    void selectingAllDoesNotSelectWhatComesLater()
    {
        fill(2000); // Qt treats "all of many" on its own terms
        LockTableView view(*m_model);
        view.selectAll();
        QCOMPARE(view.selectedCount(), 2000U);
        m_model->upsert(Lock("key_100500_later", {}));
        m_model->remove("key_100000");
        m_model->commit();
        QCOMPARE(m_model->rowCount(), 2000);
        QCOMPARE(view.selectedCount(), 1999U);
        for (const Lock& lock : view.selectedLocks())
            QVERIFY(lock.key != "key_100500_later");
    }

    void aShownTableAlwaysHasACurrentRow()
    {
        LockTableView view(*m_model);
        view.show();
        fill(3);
        QVERIFY(view.currentIndex().isValid());
        QCOMPARE(view.selectedCount(), 0U);
        m_model->remove("key_100000");
        m_model->commit();
        QVERIFY(view.currentIndex().isValid());
    }
};

QTEST_MAIN(TestLockTableModel)
#include "test_lock_table_model.moc"
