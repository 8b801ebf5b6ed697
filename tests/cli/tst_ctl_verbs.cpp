// SPDX-License-Identifier: MIT
//! Every verb against a real redis-server.
#include "tests/cli/terminal.h"
#include "tests/support/redis_server.h"

#include <QJsonArray>
#include <QTest>

#include <set>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlVerbs final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();

    void listsWhatOthersHold();
    void listsAsATable();
    void saysWhoHoldsAndByWhichToken();
    void narrowsTheList_data();
    void narrowsTheList();
    void acquiresAndReleases();
    void extendsWhatItHolds();
    void namesKeyAndHolderOfAConflict();
    void claimsOnlyIfAsked();
    void waitsForItsTurn();
    void takesKeysThatAreNotUtf8();
    void saysKeyByKeyWhatWasReleased();
    void releasesExactlyOneOwnersLocks();
    void showsWhatItWouldRelease();
    void leavesWhatIsNoLock();
    void asksOnATerminal_data();
    void asksOnATerminal();
    void listsAHundredThousand();
    void endsQuietlyWhenThePipeCloses();
    void checksTheServer();

private:
    void set(const char* key, const char* owner);
    [[nodiscard]] QString value(const QString& key) const;
    void fill(int count, const char* owner);
    [[nodiscard]] std::set<QString> listedKeys(const QByteArrayList& more = {}) const;

    RedisServer m_server;
    Ctl m_ctl;
};

void TestCtlVerbs::initTestCase()
{
    m_ctl.alwaysWith({"--connect", m_server.url().toUtf8()});
}

void TestCtlVerbs::init()
{
    m_server.cli({u"FLUSHALL"_s});
}

void TestCtlVerbs::set(const char* key, const char* owner)
{
    m_server.cli({u"SET"_s, u"medusa_lock:"_s + QString::fromUtf8(key), QString::fromUtf8(owner)});
}

QString TestCtlVerbs::value(const QString& key) const
{
    return m_server.cli({u"GET"_s, u"medusa_lock:"_s + key});
}

void TestCtlVerbs::fill(int count, const char* owner)
{
    m_server.cli({u"EVAL"_s,
                  u"for i = 1, tonumber(ARGV[1]) do "
                  "redis.call('set', 'medusa_lock:' .. ARGV[2] .. i, ARGV[2]) end"_s,
                  u"0"_s, QString::number(count), QString::fromUtf8(owner)});
}

std::set<QString> TestCtlVerbs::listedKeys(const QByteArrayList& more) const
{
    std::set<QString> keys;
    for (const QJsonObject& lock : m_ctl.run(QByteArrayList{"list", "--json"} + more).json())
        keys.insert(lock[u"key"].toString());
    return keys;
}

void TestCtlVerbs::listsWhatOthersHold()
{
    set("a", "bob");
    set("b", "*");
    m_server.cli({u"SET"_s, u"medusa_lock:c"_s, u"eve"_s, u"PX"_s, u"60000"_s});
    m_server.cli({u"HSET"_s, u"medusa_lock:d"_s, u"f"_s, u"v"_s});
    const CtlRun run = m_ctl.run({"list", "--json"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.err, "");
    QMap<QString, QJsonObject> locks;
    for (const QJsonObject& lock : run.json()) {
        QCOMPARE(lock[u"provider"].toString(), u"redis"_s);
        locks.insert(lock[u"key"].toString(), lock);
    }
    QCOMPARE(locks.size(), 4);
    QCOMPARE(locks[u"a"_s][u"owner"].toString(), u"bob"_s);
    QVERIFY(locks[u"a"_s][u"ttlMs"].isNull());
    QCOMPARE(locks[u"a"_s][u"state"].toString(), u"held"_s);
    QVERIFY(locks[u"b"_s].contains(u"owner"));
    QVERIFY(locks[u"b"_s][u"owner"].isNull());
    const int ttl = locks[u"c"_s][u"ttlMs"].toInt();
    QVERIFY2(ttl > 30'000 && ttl <= 60'000, QByteArray::number(ttl));
    QCOMPARE(locks[u"d"_s][u"state"].toString(), u"wrongType"_s);
    QVERIFY(locks[u"d"_s][u"owner"].isNull());
}

void TestCtlVerbs::listsAsATable()
{
    set("cart:123456789", "bob");
    set("a", "*");
    m_server.cli({u"HSET"_s, u"medusa_lock:d"_s, u"f"_s, u"v"_s});
    const CtlRun run = m_ctl.run({"list"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.out,
             "KEY             OWNER  TTL    STATE\n"
             "a               -      never  held\n"
             "cart:123456789  bob    never  held\n"
             "d               -      never  wrong type (hash)\n");
}

void TestCtlVerbs::saysWhoHoldsAndByWhichToken()
{
    const QString file = m_ctl.writeFile(
        u"noted.json"_s,
        R"({"providers": [{"resolve": "redis", "id": "redis", "is_default": true, "options":
            {"redisUrl": ")"
            + m_server.url().toUtf8() + R"(", "fencing": true, "annotate": true}}]})");
    Ctl noted;
    noted.alwaysWith({"--config", file.toUtf8()});
    m_server.cli({u"SET"_s, u"medusa_lock:b"_s, u"bob"_s});
    const auto process = noted.start({"acquire", "a", "--owner", "me", "--json"});
    const qint64 pid = process->processId();
    const auto acquired = Ctl::finish(*process).json();
    QCOMPARE(acquired.size(), 1);
    const QString token = acquired[0][u"token"].toString();
    QVERIFY(token.toULongLong() > 0);

    QMap<QString, QJsonObject> locks;
    for (const QJsonObject& lock : noted.run({"list", "--json"}).json())
        locks[lock[u"key"].toString()] = lock;
    QCOMPARE(locks.size(), 2);
    QCOMPARE(locks[u"a"_s][u"token"].toString(), token);
    const QJsonObject note = locks[u"a"_s][u"note"].toObject();
    QCOMPARE(note[u"program"].toString(), u"lockboardctl"_s);
    QCOMPARE(note[u"pid"].toInteger(), pid);
    QCOMPARE(note[u"host"].toString(), QSysInfo::machineHostName());
    QVERIFY(note[u"acquiredAt"].toString().endsWith(u'Z'));
    QVERIFY(!note.contains(u"requestId"));
    QVERIFY(!locks[u"b"_s].contains(u"token") && !locks[u"b"_s].contains(u"note"));
    QCOMPARE(noted.run({"release", "a", "--owner", "me"}).code, 0);
}

void TestCtlVerbs::narrowsTheList_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::addColumn<QByteArrayList>("keys");
    QTest::newRow("owner") << QByteArrayList{"--owner", "bob"} << QByteArrayList{"Cart:1", "x"};
    QTest::newRow("no owner") << QByteArrayList{"--no-owner"} << QByteArrayList{"free"};
    QTest::newRow("filter by key")
        << QByteArrayList{"--filter", "cart"} << QByteArrayList{"Cart:1", "cart:2"};
    QTest::newRow("filter by owner")
        << QByteArrayList{"--filter", "BO"} << QByteArrayList{"Cart:1", "x"};
    QTest::newRow("both") << QByteArrayList{"--filter", "cart", "--owner", "bob"}
                          << QByteArrayList{"Cart:1"};
    QTest::newRow("nothing") << QByteArrayList{"--filter", "zz"} << QByteArrayList{};
}

void TestCtlVerbs::narrowsTheList()
{
    QFETCH(QByteArrayList, words);
    QFETCH(QByteArrayList, keys);
    set("Cart:1", "bob");
    set("cart:2", "eve");
    set("x", "bob");
    set("free", "*");
    m_server.cli({u"HSET"_s, u"medusa_lock:hash"_s, u"f"_s, u"v"_s});
    std::set<QString> expected;
    for (const QByteArray& key : keys)
        expected.insert(QString::fromUtf8(key));
    QCOMPARE(listedKeys(words), expected);
    QCOMPARE(m_ctl.run(QByteArrayList{"list"} + words).code, keys.isEmpty() ? 1 : 0);
}

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

    // Who is not named acts as user@host, in both.
    QCOMPARE(m_ctl.run({"acquire", "mine"}).code, 0);
    QCOMPARE(value(u"mine"_s), m_ctl.audit().last()[u"operator"].toString());
    QCOMPARE(m_ctl.run({"release", "mine"}).code, 0);
    // And without owner, likewise.
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

void TestCtlVerbs::releasesExactlyOneOwnersLocks()
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

void TestCtlVerbs::showsWhatItWouldRelease()
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

void TestCtlVerbs::leavesWhatIsNoLock()
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

void TestCtlVerbs::asksOnATerminal_data()
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

void TestCtlVerbs::asksOnATerminal()
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

void TestCtlVerbs::listsAHundredThousand()
{
    fill(100'000, "bob");
    const CtlRun json = m_ctl.run({"list", "--json"});
    QCOMPARE(json.code, 0);
    std::set<QString> keys;
    for (const QJsonObject& lock : json.json())
        keys.insert(lock[u"key"].toString());
    QCOMPARE(keys.size(), 100'000u);
    const CtlRun table = m_ctl.run({"list"});
    QCOMPARE(table.out.count('\n'), 100'001);
    for (const QByteArray limit : {"1", "7", "2500"}) {
        const CtlRun some = m_ctl.run({"list", "--json", "--limit", limit});
        QCOMPARE(some.code, 0);
        QCOMPARE(some.json().size(), limit.toLongLong());
    }
}

void TestCtlVerbs::endsQuietlyWhenThePipeCloses()
{
    fill(20'000, "bob");
    for (const QString& json : {u""_s, u"--json"_s}) {
        QProcess shell;
        shell.start(u"bash"_s,
                    {u"-c"_s,
                     QStringLiteral(LOCKBOARDCTL " list %1 --connect %2 | head -n 1;"
                                                 "exit ${PIPESTATUS[0]}")
                         .arg(json, m_server.url())});
        const CtlRun run = Ctl::finish(shell);
        QCOMPARE(run.code, 0);
        QCOMPARE(run.err, "");
        QCOMPARE(run.out.count('\n'), 1);
    }
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
