// SPDX-License-Identifier: MIT
//! Many locks at once, and what is asked before, against a real redis-server.
#include "tests/cli/redis_ctl.h"
#include "tests/cli/terminal.h"

#include <QTest>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlReleaseAll final : public QObject, private RedisCtl {
    Q_OBJECT

private Q_SLOTS:
    void init() { flush(); }

    void releasesExactlyOneOwnersLocks();
    void showsWhatItWouldRelease();
    void leavesWhatIsNoLock();
    void asksOnATerminal_data();
    void asksOnATerminal();
    void releasesOnlyWhatItHasShown_data();
    void releasesOnlyWhatItHasShown();
    void releasesWhatItHasShownInPages();
};

void TestCtlReleaseAll::releasesExactlyOneOwnersLocks()
{
    fill(3000, "bob");
    fill(2000, "eve");
    set("free", "*");
    const CtlRun run = m_ctl.run({"release-all", "--owner", "bob", "--yes"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.out, "Released 3000 locks.\n");
    QCOMPARE(run.err, "");
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"2001"_s);
    QCOMPARE(m_ctl.run({"list", "--owner", "bob"}).code, 1);
    QCOMPARE(m_ctl.audit().last()[u"owner"].toString(), u"bob"_s);
    QCOMPARE(m_ctl.audit().last()[u"outcome"].toString(), u"released 3000, left 0"_s);
    QCOMPARE(m_ctl.run({"release-all", "--owner", "bob", "--yes"}).code, 1);

    const auto json = m_ctl.run({"release-all", "--yes", "--json"}).json();
    QCOMPARE(json.size(), 1);
    QCOMPARE(json[0][u"released"].toInt(), 2001);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"0"_s);
}

void TestCtlReleaseAll::showsWhatItWouldRelease()
{
    set("a", "bob");
    set("b", "eve");
    m_server.cli({u"HSET"_s, u"medusa_lock:hash"_s, u"f"_s, u"v"_s});
    const CtlRun run = m_ctl.run({"release-all", "--owner", "bob", "--dry-run"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.out, m_ctl.run({"list", "--owner", "bob"}).out);
    const CtlRun all = m_ctl.run({"release-all", "--dry-run", "--yes"});
    QCOMPARE(all.out.count('\n'), 3); // a head and two locks; a hash is none
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"3"_s);
}

void TestCtlReleaseAll::leavesWhatIsNoLock()
{
    set("a", "bob");
    m_server.cli({u"HSET"_s, u"medusa_lock:hash"_s, u"f"_s, u"v"_s});
    const CtlRun run = m_ctl.run({"release-all", "--yes"});
    QCOMPARE(run.code, 0);
    QVERIFY2(run.out.startsWith("Released 1 lock.\nLeft 1: "), run.out);
    QCOMPARE(m_server.cli({u"HGET"_s, u"medusa_lock:hash"_s, u"f"_s}), u"v"_s);
    for (const QByteArray verb : {"acquire", "release"}) {
        const CtlRun refused = m_ctl.run({verb, "hash"});
        QCOMPARE(refused.code, 64);
        QCOMPARE(refused.err, "lockboardctl: The key \"hash\" holds a hash, not a lock.\n");
    }
    QCOMPARE(m_server.cli({u"HGET"_s, u"medusa_lock:hash"_s, u"f"_s}), u"v"_s);
}

void TestCtlReleaseAll::asksOnATerminal_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<QByteArray>("question");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("left");
    const QByteArray all = "Release all 3 locks at provider \"redis\"? [y/N] ";
    QTest::newRow("yes") << QByteArrayList{} << QByteArray("y\n") << all << 0 << u"0"_s;
    QTest::newRow("Enter is no") << QByteArrayList{} << QByteArray("\n") << all << 1 << u"3"_s;
    QTest::newRow("no") << QByteArrayList{} << QByteArray("n\n") << all << 1 << u"3"_s;
    QTest::newRow("end of input") << QByteArrayList{} << QByteArray("\x04") << all << 1 << u"3"_s;
    QTest::newRow("Ctrl-C") << QByteArrayList{} << QByteArray("\x03") << all << 130 << u"3"_s;
    QTest::newRow("of one owner") << QByteArrayList{"--owner", "bob"} << QByteArray("yes\n")
                                  << QByteArray(
                                         "Release 1 lock of \"bob\" at provider \"redis\"? [y/N] ")
                                  << 0 << u"2"_s;
}

void TestCtlReleaseAll::asksOnATerminal()
{
    QFETCH(QByteArrayList, words);
    QFETCH(QByteArray, answer);
    QFETCH(QByteArray, question);
    QFETCH(int, code);
    QFETCH(QString, left);
    set("a", "bob");
    set("b", "eve");
    set("c", "*");
    TerminalRun terminal(m_ctl, QByteArrayList{"release-all"} + words);
    QCOMPARE(terminal.question(), question);
    terminal.type(answer);
    const CtlRun run = terminal.finish();
    QCOMPARE(run.code, code);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), left);
}

void TestCtlReleaseAll::releasesOnlyWhatItHasShown_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::newRow("all") << QByteArrayList{};
    QTest::newRow("of one owner") << QByteArrayList{"--owner", "bob"};
}

void TestCtlReleaseAll::releasesOnlyWhatItHasShown()
{
    QFETCH(QByteArrayList, words);
    const auto setFor = [this](const char* key, const char* owner, int lease) {
        m_server.cli({u"SET"_s, u"medusa_lock:"_s + QString::fromUtf8(key),
                      QString::fromUtf8(owner), u"PX"_s, QString::number(lease)});
    };
    set("a", "bob");
    set("b", "bob");
    set("c", "bob");
    setFor("d", "*", 600'000);
    setFor("e", "*", 600'000);
    TerminalRun terminal(m_ctl, QByteArrayList{"release-all"} + words);
    terminal.question();
    // Meanwhile one changes hands, one without owner is taken anew, two are new, one has gone.
    set("b", "eve");
    setFor("e", "*", 900'000);
    set("f", "bob");
    set("g", "eve");
    m_server.cli({u"DEL"_s, u"medusa_lock:c"_s});
    terminal.type("y\n");
    const CtlRun run = terminal.finish();
    QCOMPARE(run.code, 0);
    const bool ofOne = !words.isEmpty();
    QVERIFY2(run.out.startsWith(ofOne ? "Released 1 lock.\n" : "Released 2 locks.\n"), run.out);
    QVERIFY2(run.out.contains(ofOne ? "Left 1: taken anew" : "Left 2: taken anew"), run.out);
    QVERIFY2(run.out.contains(ofOne ? "Left 1: new" : "Left 2: new"), run.out);
    QCOMPARE(value(u"a"_s), QString());
    QCOMPARE(value(u"b"_s), u"eve"_s);
    QCOMPARE(value(u"d"_s), ofOne ? u"*"_s : QString());
    QCOMPARE(value(u"e"_s), u"*"_s);
    QCOMPARE(value(u"f"_s), u"bob"_s);
    QCOMPARE(value(u"g"_s), u"eve"_s);
}

void TestCtlReleaseAll::releasesWhatItHasShownInPages()
{
    fill(3500, "bob");
    fill(10, "eve");
    TerminalRun terminal(m_ctl, {"release-all", "--owner", "bob"});
    QVERIFY(terminal.question().contains("Release 3500 locks"));
    terminal.type("y\n");
    const CtlRun run = terminal.finish();
    QCOMPARE(run.code, 0);
    QCOMPARE(run.out, "Released 3500 locks.\n");
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"10"_s);
}

QTEST_GUILESS_MAIN(TestCtlReleaseAll)
#include "tst_ctl_release_all.moc"
