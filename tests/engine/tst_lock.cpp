// SPDX-License-Identifier: MIT
#include "engine/contract/errors.h"

#include <QTest>

using namespace lockboard;

class TestLock final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keysAreSortedAndUnique();
    void printable_data();
    void printable();
    void releaseResultNamesEveryKey();
    void leftBehindIsCountedByReason();
    void messages();
};

void TestLock::keysAreSortedAndUnique()
{
    const LockKeys keys("b", "a", std::string("b"), "c");
    QCOMPARE(std::vector<std::string>(keys.begin(), keys.end()),
             (std::vector<std::string>{"a", "b", "c"}));
    QCOMPARE(LockKeys("a", "a").size(), 1u);
    QCOMPARE(LockKeys("only").front(), std::string("only"));
    QVERIFY(LockKeys().isEmpty());
    QVERIFY(!LockKeys("").isEmpty()); // a key, if an empty one: the module refuses it by name
    LockKeys moved = LockKeys("x", "y");
    const LockKeys to = std::move(moved);
    QCOMPARE(to[1], std::string("y"));
}

void TestLock::printable_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("plain") << QByteArray("cart_01") << QByteArray("cart_01");
    QTest::newRow("UTF-8") << QByteArray("b\xc3\xb6se") << QByteArray("b\xc3\xb6se");
    QTest::newRow("not UTF-8") << QByteArray("a\xff\xc3") << QByteArray("a\\xff\\xc3");
    QTest::newRow("truncated UTF-8") << QByteArray("ab\xc3") << QByteArray("ab\\xc3");
    QTest::newRow("control") << QByteArray("a\nb\x7f\x1b") << QByteArray("a\\x0ab\\x7f\\x1b");
    QTest::newRow("C1 control") << QByteArray("a\xc2\x9b\x33m") << QByteArray("a\\xc2\\x9b3m");
    QTest::newRow("right to left") << QByteArray("a\xe2\x80\xae") << QByteArray("a\\xe2\\x80\\xae");
    QTest::newRow("byte order mark")
        << QByteArray("\xef\xbb\xbfk") << QByteArray("\\xef\\xbb\\xbfk");
    QTest::newRow("emoji") << QByteArray("\xf0\x9f\x94\x92") << QByteArray("\xf0\x9f\x94\x92");
    QTest::newRow("NUL") << QByteArray("a\0b", 3) << QByteArray("a\\x00b");
}

void TestLock::printable()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QByteArray, text);
    QCOMPARE(QByteArray::fromStdString(lockboard::printable(bytes.toStdString())), text);
}

void TestLock::releaseResultNamesEveryKey()
{
    std::vector<KeyRelease> left;
    left.emplace_back("b", ReleaseOutcome::HeldByOther, "X");
    const ReleaseResult result(left);
    QVERIFY(!result.allReleased());
    QCOMPARE(result.of("a").outcome, ReleaseOutcome::Released);
    QCOMPARE(result.of("b").holder, Owner("X"));
    const auto all = result.outcomes(LockKeys("c", "b", "a"));
    QCOMPARE(all.size(), 3u);
    QCOMPARE(all[0].outcome, ReleaseOutcome::Released);
    QCOMPARE(all[1].outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(all[2].key, std::string("c"));
}

void TestLock::leftBehindIsCountedByReason()
{
    ReleaseAllResult result(3);
    result.leave("no lock");
    result.leave("taken meanwhile");
    result.leave("no lock", 2);
    QCOMPARE(result.left(), 4u);
    QCOMPARE(result.reasons.size(), 2u);
    QCOMPARE(result.reasons.front().second, 3u);
}

void TestLock::messages()
{
    QCOMPARE(Conflict("k\xff", "X", {}).what(), "Failed to acquire lock for key \"k\\xff\"");
    QCOMPARE(TimedOut().what(), "Timed-out acquiring lock.");
    QCOMPARE(NotFound("x", {"a", "b"}).what(),
             "There is no provider \"x\"; known are \"a\", \"b\".");
    QCOMPARE(ConfigError("file.json", "/providers/1", 7, "has no \"id\"").what(),
             "file.json:7: /providers/1: has no \"id\"");
    QCOMPARE(ConfigError("file.json", "", 0, "can't be read").what(), "file.json: can't be read");
}

QTEST_GUILESS_MAIN(TestLock)
#include "tst_lock.moc"
