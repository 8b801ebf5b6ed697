// SPDX-License-Identifier: MIT
//! A wait that ends while a server is silent: what it is asked for may be granted yet.
#include "tests/cli/ctl.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

#include <QTest>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlLateGrants final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void leavesNothingOnItsWay_data();
    void leavesNothingOnItsWay();
    void leavesNothingOnItsWayToPostgres_data();
    void leavesNothingOnItsWayToPostgres();
};

//! The next try of who waits lies there unread, and would be granted: bob's lease ends meanwhile.
template <typename Server>
static CtlRun finishInSilence(QProcess& waiting, Server& server, bool comesBack)
{
    server.pause();
    if (comesBack) {
        QTest::qWait(7600);
        server.resume();
    }
    CtlRun run = Ctl::finish(waiting);
    server.resume();
    QTest::qWait(500);
    return run;
}

//! Whoever says that the time was up leaves nothing held.
static void judgeTheEnd(const CtlRun& run, const QString& holder)
{
    const bool isKnown = run.code == 75;
    QVERIFY2(isKnown || run.code == 69, run.err);
    if (isKnown)
        QCOMPARE(holder, QString());
    else
        QVERIFY2(run.complaint().contains("outcome is unknown"), run.err);
}

void TestCtlLateGrants::leavesNothingOnItsWay_data()
{
    QTest::addColumn<QByteArrayList>("owner");
    QTest::addColumn<bool>("comesBack");
    for (const bool comesBack : {false, true}) {
        const QByteArray end = comesBack ? ", it answers again" : ", for good";
        QTest::newRow("an owner" + end) << QByteArrayList{"--owner", "a"} << comesBack;
        QTest::newRow("its own owner" + end) << QByteArrayList{} << comesBack;
        QTest::newRow("no owner" + end) << QByteArrayList{"--no-owner"} << comesBack;
    }
}

void TestCtlLateGrants::leavesNothingOnItsWay()
{
    QFETCH(QByteArrayList, owner);
    QFETCH(bool, comesBack);
    RedisServer server;
    server.cli({u"SET"_s, u"medusa_lock:k"_s, u"bob"_s, u"PX"_s, u"5000"_s});
    Ctl ctl;
    ctl.alwaysWith({"--connect", server.url().toUtf8()});
    const auto waiting = ctl.start(QByteArrayList{"acquire", "k", "--wait", "7s"} + owner);
    QTRY_VERIFY_WITH_TIMEOUT(server.cli({u"INFO"_s, u"commandstats"_s}).contains(u"cmdstat_eval"_s),
                             20'000);
    const CtlRun run = finishInSilence(*waiting, server, comesBack);
    judgeTheEnd(run, server.cli({u"GET"_s, u"medusa_lock:k"_s}));
}

void TestCtlLateGrants::leavesNothingOnItsWayToPostgres_data()
{
    QTest::addColumn<QByteArrayList>("owner");
    QTest::addColumn<bool>("comesBack");
    QTest::newRow("an owner, it answers again") << QByteArrayList{"--owner", "a"} << true;
    QTest::newRow("no owner, it answers again") << QByteArrayList{"--no-owner"} << true;
    QTest::newRow("its own owner, for good") << QByteArrayList{} << false;
}

void TestCtlLateGrants::leavesNothingOnItsWayToPostgres()
{
    QFETCH(QByteArrayList, owner);
    QFETCH(bool, comesBack);
    PostgresServer server;
    server.createTable();
    Ctl ctl;
    ctl.alwaysWith({"--connect", server.url().toUtf8()});
    // Not by a program of its own: on a busy machine that could end later than the lease.
    server.query(u"INSERT INTO locking (id, owner_id, expiration) "
                 u"VALUES ('k', 'bob', now() + interval '5 s')"_s);
    const auto waiting = ctl.start(QByteArrayList{"acquire", "k", "--wait", "7s"} + owner);
    const QString others = u"SELECT count(*) FROM pg_stat_activity WHERE "
                           u"backend_type = 'client backend' AND pid <> pg_backend_pid()"_s;
    QTRY_VERIFY_WITH_TIMEOUT(
        server.value(others).toInt() > 0 || waiting->state() == QProcess::NotRunning, 20'000);
    if (waiting->state() == QProcess::NotRunning) {
        const CtlRun run = Ctl::finish(*waiting);
        QFAIL("It has ended already, with " + QByteArray::number(run.code) + ": " + run.out
              + run.err);
    }
    QTest::qWait(1000); // it has been told by then that bob holds it
    const CtlRun run = finishInSilence(*waiting, server, comesBack);
    judgeTheEnd(run,
                server.value(u"SELECT id FROM locking WHERE expiration IS NULL OR "
                             u"expiration > now()"_s));
}

QTEST_GUILESS_MAIN(TestCtlLateGrants)
#include "tst_ctl_late_grants.moc"
