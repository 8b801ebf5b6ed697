// SPDX-License-Identifier: MIT
#include "ui/locks/lock_filter.h"

#include <QTest>

using namespace lockboard;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class TestLockFilter final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void matches_data()
    {
        QTest::addColumn<QString>("filter");
        QTest::addColumn<QStringList>("found");
        const QStringList all{u"Cart_A"_s, u"cart b"_s, u"order_1"_s,
                              u"svc:a"_s,  u"\\xff"_s,  u"Ünit"_s};
        QTest::newRow("empty") << u""_s << all;
        QTest::newRow("spaces") << u"   "_s << all;
        QTest::newRow("word, any case") << u"CART"_s << QStringList{u"Cart_A"_s, u"cart b"_s};
        QTest::newRow("word in the owner") << u"host-3"_s << QStringList{u"order_1"_s};
        QTest::newRow("all words") << u"cart a"_s << QStringList{u"Cart_A"_s, u"cart b"_s};
        QTest::newRow("excluded") << u"cart -key:b"_s << QStringList{u"Cart_A"_s};
        QTest::newRow("key only") << u"key:order"_s << QStringList{u"order_1"_s};
        QTest::newRow("owner only")
            << u"OWNER:ann"_s << QStringList{u"Cart_A"_s, u"cart b"_s, u"svc:a"_s};
        QTest::newRow("owner, whole") << u"owner:=ann"_s << QStringList{u"Cart_A"_s, u"cart b"_s};
        QTest::newRow("quotes") << u"\"cart b\""_s << QStringList{u"cart b"_s};
        QTest::newRow("quotes in a field") << u"key:=\"cart b\""_s << QStringList{u"cart b"_s};
        QTest::newRow("unclosed quotes") << u"\"cart b"_s << QStringList{u"cart b"_s};
        QTest::newRow("no field") << u"svc:a"_s << QStringList{u"svc:a"_s};
        QTest::newRow("nothing after a field") << u"owner: key:="_s << all;
        QTest::newRow("lone minus") << u"-"_s << QStringList{u"order_1"_s};
        QTest::newRow("escaped bytes") << u"\\xff"_s << QStringList{u"\\xff"_s};
        QTest::newRow("beyond ASCII, any case") << u"üNIT"_s << QStringList{u"Ünit"_s};
        QTest::newRow("ownerless") << u"state:ownerless"_s << QStringList{u"Ünit"_s};
        QTest::newRow("expiring") << u"state:exp"_s << QStringList{u"cart b"_s};
        QTest::newRow("not held") << u"-state:held"_s << QStringList{u"\\xff"_s};
        QTest::newRow("wrong type") << u"state:wrong"_s << QStringList{u"\\xff"_s};
        QTest::newRow("for ever") << u"state:never"_s
                                  << QStringList{u"order_1"_s, u"svc:a"_s, u"Ünit"_s};
    }

    void matches()
    {
        QFETCH(QString, filter);
        QFETCH(QStringList, found);
        const TimePoint now = std::chrono::steady_clock::now();
        LockStore store;
        store.upsert(Lock("Cart_A", "ann", now + 1min), 1);
        store.upsert(Lock("cart b", "ann", now + 9s), 1);
        store.upsert(Lock("order_1", "host-3"), 1);
        store.upsert(Lock("svc:a", "Anna"), 1);
        store.upsert(Lock("\xff", {}, {}, LockState::WrongType), 1);
        store.upsert(Lock("Ünit", {}), 1);

        const LockFilter parsed = LockFilter::parse(filter);
        LockMatcher matcher(parsed, store.table(), now);
        QStringList keys;
        for (std::size_t i = 0; i < store.slots(); ++i) {
            if (matcher.matches(store.row(RowId(i))))
                keys << QString::fromStdString(printable(store.row(RowId(i)).key));
        }
        QCOMPARE(keys, found);
    }

    void textForAnOwnerFindsExactlyIts()
    {
        for (const std::string name : {"ann", "a b", "owner:x"}) {
            LockStore store;
            store.upsert(Lock("mine", name), 1);
            store.upsert(Lock("other", name + "2"), 1);
            store.upsert(Lock("nobody's", {}), 1);
            const LockFilter filter = LockFilter::parse(LockFilter::textFor(name));
            LockMatcher matcher(filter, store.table(), TimePoint());
            QVERIFY2(matcher.matches(store.row(0)), name.c_str());
            QVERIFY(!matcher.matches(store.row(1)));
            QVERIFY(!matcher.matches(store.row(2)));
        }
    }
};

QTEST_APPLESS_MAIN(TestLockFilter)
#include "test_lock_filter.moc"
