// SPDX-License-Identifier: MIT
//! What is listed, and how, against a real redis-server.
#include "tests/cli/redis_ctl.h"

#include <QTest>

#include <set>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlList final : public QObject, private RedisCtl {
    Q_OBJECT

private Q_SLOTS:
    void init() { flush(); }

    void listsWhatOthersHold();
    void listsAsATable();
    void saysWhoHoldsAndByWhichToken();
    void narrowsTheList_data();
    void narrowsTheList();
    void listsAHundredThousand();
    void endsQuietlyWhenThePipeCloses();

private:
    [[nodiscard]] std::set<QString> listedKeys(const QByteArrayList& more = {}) const;
};

std::set<QString> TestCtlList::listedKeys(const QByteArrayList& more) const
{
    std::set<QString> keys;
    for (const QJsonObject& lock : m_ctl.run(QByteArrayList{"list", "--json"} + more).json())
        keys.insert(lock[u"key"].toString());
    return keys;
}

void TestCtlList::listsWhatOthersHold()
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

void TestCtlList::listsAsATable()
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

void TestCtlList::saysWhoHoldsAndByWhichToken()
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

void TestCtlList::narrowsTheList_data()
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

void TestCtlList::narrowsTheList()
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

void TestCtlList::listsAHundredThousand()
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

void TestCtlList::endsQuietlyWhenThePipeCloses()
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

QTEST_GUILESS_MAIN(TestCtlList)
#include "tst_ctl_list.moc"
