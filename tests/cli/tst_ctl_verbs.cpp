// SPDX-License-Identifier: MIT
//! One lock at a time: acquire and release, and check, against a real redis-server.
#include "tests/cli/redis_ctl.h"

#include <QTest>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlVerbs final : public QObject, private RedisCtl {
    Q_OBJECT

private Q_SLOTS:
    void init() { flush(); }

    void acquiresAndReleases();
    void extendsWhatItHolds();
    void namesKeyAndHolderOfAConflict();
    void claimsOnlyIfAsked();
    void waitsForItsTurn();
    void takesKeysThatAreNotUtf8();
    void saysKeyByKeyWhatWasReleased();
    void checksTheServer();
};

void TestCtlVerbs::acquiresAndReleases()
{
    const CtlRun taken = m_ctl.run({"acquire", "a", "b", "--owner", "bob", "--expire", "1h"});
    QCOMPARE(taken.code, 0);
    QCOMPARE(taken.err, "");
    QVERIFY2(taken.out.startsWith("Acquired \"a\" for \"bob\": expires in "), taken.out);
    QCOMPARE(value(u"a"_s), u"bob"_s);
    QCOMPARE(value(u"b"_s), u"bob"_s);
    const qint64 left = m_server.cli({u"PTTL"_s, u"medusa_lock:a"_s}).toLongLong();
    QVERIFY(left > 3'500'000 && left <= 3'600'000);

    const CtlRun released = m_ctl.run({"release", "a", "b", "--owner", "bob"});
    QCOMPARE(released.code, 0);
    QCOMPARE(released.out, "Released \"a\".\nReleased \"b\".\n");
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"0"_s);
    const auto audit = m_ctl.audit();
    QCOMPARE(audit.last()[u"verb"].toString(), u"release"_s);
    QCOMPARE(audit.last()[u"outcome"].toString(), u"released"_s);
    QCOMPARE(audit.last()[u"provider"].toString(), u"redis"_s);

    // And without owner, likewise, if that is said.
    QCOMPARE(m_ctl.run({"acquire", "free", "--no-owner"}).code, 0);
    QCOMPARE(value(u"free"_s), u"*"_s);
    QCOMPARE(m_ctl.run({"release", "free", "--no-owner"}).code, 0);
}

void TestCtlVerbs::extendsWhatItHolds()
{
    QCOMPARE(m_ctl.run({"acquire", "a", "--owner", "bob", "--expire", "10"}).code, 0);
    const CtlRun again = m_ctl.run({"acquire", "a", "--owner", "bob", "--expire", "1h"});
    QCOMPARE(again.code, 0);
    QVERIFY(m_server.cli({u"PTTL"_s, u"medusa_lock:a"_s}).toLongLong() > 3'500'000);
}

void TestCtlVerbs::namesKeyAndHolderOfAConflict()
{
    m_server.cli({u"SET"_s, u"medusa_lock:b"_s, u"bob"_s, u"PX"_s, u"90000"_s});
    const CtlRun run = m_ctl.run({"acquire", "a", "b", "--owner", "eve"});
    QCOMPARE(run.code, 75);
    QCOMPARE(run.out, "");
    QVERIFY2(run.err.startsWith(
                 "lockboardctl: Failed to acquire lock for key \"b\": held by \"bob\", 1m "),
             run.err);
    QVERIFY2(run.err.endsWith("s left\n"), run.err);
    QCOMPARE(m_server.cli({u"EXISTS"_s, u"medusa_lock:a"_s}), u"0"_s);
    QVERIFY(m_ctl.audit().last()[u"outcome"].toString().contains(u"\"b\""));

    set("c", "*");
    const CtlRun ownerless = m_ctl.run({"acquire", "c", "--no-owner"});
    QCOMPARE(ownerless.code, 75);
    QCOMPARE(ownerless.err,
             "lockboardctl: Failed to acquire lock for key \"c\": held without owner, never "
             "expires\n");
}

void TestCtlVerbs::claimsOnlyIfAsked()
{
    set("a", "*");
    QCOMPARE(m_ctl.run({"acquire", "a", "--owner", "bob"}).code, 75);
    QCOMPARE(value(u"a"_s), u"*"_s);
    QCOMPARE(m_ctl.run({"acquire", "a", "--owner", "bob", "--claim"}).code, 0);
    QCOMPARE(value(u"a"_s), u"bob"_s);
}

void TestCtlVerbs::waitsForItsTurn()
{
    m_server.cli({u"SET"_s, u"medusa_lock:a"_s, u"bob"_s, u"PX"_s, u"60000"_s});
    const CtlRun late = m_ctl.run({"acquire", "a", "--owner", "eve", "--wait", "200ms"});
    QCOMPARE(late.code, 75);
    QCOMPARE(late.err, "lockboardctl: Timed-out acquiring lock.\n");
    QCOMPARE(value(u"a"_s), u"bob"_s);

    m_server.cli({u"CONFIG"_s, u"RESETSTAT"_s});
    const auto waiting = m_ctl.start({"acquire", "a", "--owner", "eve", "--wait", "30s"});
    QTRY_VERIFY_WITH_TIMEOUT(
        m_server.cli({u"INFO"_s, u"commandstats"_s}).contains(u"cmdstat_eval"_s), 20'000);
    QTest::qWait(100);
    QCOMPARE(waiting->state(), QProcess::Running);
    QCOMPARE(m_ctl.run({"release", "a", "--owner", "bob"}).code, 0);
    QCOMPARE(Ctl::finish(*waiting).code, 0);
    QCOMPARE(value(u"a"_s), u"eve"_s);
}

void TestCtlVerbs::takesKeysThatAreNotUtf8()
{
    const QByteArray key("k\xff\x01z");
    QCOMPARE(m_ctl.run({"acquire", key, "--owner", QByteArray("o\xfe")}).code, 0);
    const auto locks = m_ctl.run({"list", "--json"}).json();
    QCOMPARE(locks.size(), 1);
    QCOMPARE(locks[0][u"key"].toString(), u"k\\xff\\x01z"_s);
    const QByteArray base64 = locks[0][u"keyBase64"].toString().toLatin1();
    QCOMPARE(QByteArray::fromBase64(base64), key);
    QCOMPARE(QByteArray::fromBase64(locks[0][u"ownerBase64"].toString().toLatin1()), "o\xfe");
    const CtlRun released =
        m_ctl.run({"release", "--base64", base64, "--json", "--owner", QByteArray("o\xfe")});
    QCOMPARE(released.code, 0);
    QCOMPARE(released.json()[0][u"keyBase64"].toString().toLatin1(), base64);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"0"_s);
    // Text needs no base64, wherever it comes from.
    QCOMPARE(m_ctl.run({"acquire", "--base64", QByteArray("ключ").toBase64()}).code, 0);
    const auto text = m_ctl.run({"list", "--json"}).json();
    QCOMPARE(text[0][u"key"].toString(), u"ключ"_s);
    QVERIFY(!text[0].contains(u"keyBase64"));
}

void TestCtlVerbs::saysKeyByKeyWhatWasReleased()
{
    set("a", "me");
    set("b", "bob");
    const CtlRun run = m_ctl.run({"release", "a", "b", "c", "--owner", "me"});
    QCOMPARE(run.code, 1);
    QCOMPARE(run.out,
             "Released \"a\".\n"
             "Not released: \"b\" is held by \"bob\".\n"
             "Not held: \"c\".\n");
    QVERIFY(run.err.contains("--owner"));
    QCOMPARE(value(u"b"_s), u"bob"_s);
    const auto json = m_ctl.run({"release", "b", "c", "--owner", "me", "--json"}).json();
    QCOMPARE(json[0][u"outcome"].toString(), u"heldByOther"_s);
    QCOMPARE(json[0][u"holder"].toString(), u"bob"_s);
    QCOMPARE(json[1][u"outcome"].toString(), u"notHeld"_s);
    QVERIFY(json[1][u"holder"].isNull());
}

void TestCtlVerbs::checksTheServer()
{
    const CtlRun run = m_ctl.run({"check"});
    QCOMPARE(run.code, 0);
    QVERIFY2(run.out.startsWith("redis: reachable\n"), run.out);
    QVERIFY(run.out.contains("\nin-memory: reachable\n"));
    const auto one = m_ctl.run({"check", "--json", "--provider", "redis"}).json();
    QCOMPARE(one.size(), 1);
    QCOMPARE(one[0][u"provider"].toString(), u"redis"_s);
}

QTEST_GUILESS_MAIN(TestCtlVerbs)
#include "tst_ctl_verbs.moc"
