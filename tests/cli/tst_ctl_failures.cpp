// SPDX-License-Identifier: MIT
//! What goes wrong beside a server: it is not there, it refuses, somebody interrupts.
#include "tests/cli/ctl.h"
#include "tests/support/redis_server.h"

#include <QElapsedTimer>
#include <QTcpServer>
#include <QTest>

#include <csignal>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlFailures final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void saysSoonThatNobodyListens_data();
    void saysSoonThatNobodyListens();
    void givesUpOnAServerThatHangs();
    void saysThatTheOutcomeIsUnknown();
    void refusesABadUrl_data();
    void refusesABadUrl();
    void saysThatItIsDenied();
    void neverRepeatsAPassword();
    void holdsNothingAfterAnInterruption_data();
    void holdsNothingAfterAnInterruption();
};

void TestCtlFailures::saysSoonThatNobodyListens_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::newRow("list") << QByteArrayList{"list"};
    QTest::newRow("acquire") << QByteArrayList{"acquire", "k"};
    QTest::newRow("acquire --wait") << QByteArrayList{"acquire", "k", "--wait", "1s"};
    QTest::newRow("release") << QByteArrayList{"release", "k"};
    QTest::newRow("release-all") << QByteArrayList{"release-all", "--yes"};
    QTest::newRow("release-all --dry-run") << QByteArrayList{"release-all", "--dry-run"};
    QTest::newRow("check") << QByteArrayList{"check", "--provider", "redis"};
}

void TestCtlFailures::saysSoonThatNobodyListens()
{
    QFETCH(QByteArrayList, words);
    QTcpServer probe;
    QVERIFY(probe.listen(QHostAddress::LocalHost));
    const QByteArray port = QByteArray::number(probe.serverPort());
    probe.close();
    QElapsedTimer clock;
    clock.start();
    const CtlRun run = Ctl().run(words + QByteArrayList{"--connect", "redis://127.0.0.1:" + port});
    QCOMPARE(run.code, 69);
    QVERIFY(clock.elapsed() < 8000);
    QCOMPARE(run.err.count('\n'), 1);
    QVERIFY2(run.err.startsWith("lockboardctl: "), run.err);
    QVERIFY2((run.err + run.out).contains("127.0.0.1:" + port), run.err + run.out);
}

//! Somebody tried to acquire a lock.
static bool hasTried(const RedisServer& server)
{
    return server.cli({u"INFO"_s, u"commandstats"_s}).contains(u"cmdstat_eval"_s);
}

//! A config with one Redis that is given up soon.
static QByteArray impatientConfig(const Ctl& ctl, const RedisServer& server)
{
    const QByteArray text = R"({"providers": [{"resolve": "redis", "id": "shop", "options": {
        "redisUrl": "%", "redisOptions": {"connectTimeout": 500, "commandTimeout": 500}}}]})";
    return ctl.writeFile(u"c.json"_s, QByteArray(text).replace("%", server.url().toUtf8()))
        .toUtf8();
}

void TestCtlFailures::givesUpOnAServerThatHangs()
{
    RedisServer server;
    server.pause();
    const Ctl ctl;
    for (const QByteArrayList& words : {QByteArrayList{"list"}, {"acquire", "k"}}) {
        const CtlRun run =
            ctl.run(words + QByteArrayList{"--config", impatientConfig(ctl, server)});
        QCOMPARE(run.code, 69);
        QCOMPARE(run.complaint().count('\n'), 0);
        QVERIFY2(run.complaint().contains("can't be reached"), run.err);
    }
}

void TestCtlFailures::saysThatTheOutcomeIsUnknown()
{
    RedisServer server;
    server.cli({u"SET"_s, u"medusa_lock:k"_s, u"bob"_s});
    const Ctl ctl;
    // It has connected and waits; its next try is sent, and never answered.
    const auto waiting =
        ctl.start({"acquire", "k", "--wait", "1h", "--config", impatientConfig(ctl, server)});
    QTRY_VERIFY_WITH_TIMEOUT(hasTried(server), 20'000);
    server.pause();
    const CtlRun run = Ctl::finish(*waiting);
    QCOMPARE(run.code, 69);
    QVERIFY2(run.complaint().contains("outcome is unknown"), run.err);
}

void TestCtlFailures::refusesABadUrl_data()
{
    QTest::addColumn<QByteArray>("url");
    QTest::newRow("scheme") << QByteArray("ftp://secret@127.0.0.1");
    QTest::newRow("no scheme") << QByteArray("secret");
    QTest::newRow("port") << QByteArray("redis://:secret@127.0.0.1:99999");
    QTest::newRow("database") << QByteArray("redis://:secret@127.0.0.1/two");
}

void TestCtlFailures::refusesABadUrl()
{
    QFETCH(QByteArray, url);
    const CtlRun run = Ctl().run({"list", "--connect", url});
    QCOMPARE(run.code, 78);
    QVERIFY2(run.err.startsWith("lockboardctl: --connect: "), run.err);
    QVERIFY2(!run.err.contains("secret") && !run.err.contains("/providers"), run.err);
    QCOMPARE(run.err.count('\n'), 1);
}

void TestCtlFailures::saysThatItIsDenied()
{
    const RedisServer server({u"--requirepass"_s, u"secret"_s});
    Ctl ctl;
    ctl.alwaysWith({"--connect", server.url().toUtf8()});
    for (const QByteArrayList& words :
         {QByteArrayList{"list"}, {"acquire", "k"}, {"release", "k"}, {"release-all", "--yes"}}) {
        const CtlRun run = ctl.run(words);
        QCOMPARE(run.code, 77);
        QCOMPARE(run.err.count('\n'), 1);
        QVERIFY2(run.err.contains("password"), run.err);
    }
    QCOMPARE(ctl.run({"check", "--provider", "redis"}).code, 1);
}

void TestCtlFailures::neverRepeatsAPassword()
{
    const RedisServer server({u"--requirepass"_s, u"verysecret"_s});
    const QByteArray at = "@127.0.0.1:" + QByteArray::number(server.port());
    const Ctl ctl;
    for (const QByteArrayList& words :
         {QByteArrayList{"list"}, {"acquire", "k"}, {"check"}, {"providers"}}) {
        for (const QByteArray& user : {QByteArray(":verysecret"), QByteArray(":wrongsecret")}) {
            const CtlRun run =
                ctl.run(words + QByteArrayList{"--json", "--connect", "redis://" + user + at});
            QVERIFY2(!(run.out + run.err).contains("secret"), run.out + run.err);
        }
    }
    for (const QJsonObject& line : ctl.audit())
        QVERIFY(!line[u"outcome"].toString().contains(u"secret"));
}

void TestCtlFailures::holdsNothingAfterAnInterruption_data()
{
    QTest::addColumn<int>("number");
    QTest::newRow("SIGINT") << SIGINT;
    QTest::newRow("SIGTERM") << SIGTERM;
}

void TestCtlFailures::holdsNothingAfterAnInterruption()
{
    QFETCH(int, number);
    const RedisServer server;
    server.cli({u"SET"_s, u"medusa_lock:b"_s, u"bob"_s});
    Ctl ctl;
    ctl.alwaysWith({"--connect", server.url().toUtf8()});
    const auto waiting = ctl.start({"acquire", "a", "b", "--owner", "eve", "--wait", "1h"});
    QTRY_VERIFY_WITH_TIMEOUT(hasTried(server), 20'000);
    QElapsedTimer clock;
    clock.start();
    ::kill(static_cast<pid_t>(waiting->processId()), number);
    const CtlRun run = Ctl::finish(*waiting);
    QCOMPARE(run.code, 128 + number);
    QVERIFY(clock.elapsed() < 5000);
    QCOMPARE(run.err, "lockboardctl: Interrupted.\n");
    server.cli({u"DEL"_s, u"medusa_lock:b"_s});
    QTest::qWait(300);
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
    QCOMPARE(ctl.audit().last()[u"outcome"].toString(), u"The call was cancelled."_s);
}

QTEST_GUILESS_MAIN(TestCtlFailures)
#include "tst_ctl_failures.moc"
