// SPDX-License-Identifier: MIT
//! What only a PostgreSQL provider has, against a real one.
#include "tests/cli/terminal.h"
#include "tests/support/medusa_session.h"

#include <QJsonArray>
#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlPostgres final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server.createTable();
        m_ctl.alwaysWith({"--connect", m_server.url().toUtf8()});
    }
    void cleanup() { m_server.query(u"DELETE FROM locking"_s); }

    void listsAndRemovesResidue();
    void removesAllResidue();
    void listsSessions();
    void endsASession();
    void asksBeforeItEnds_data();
    void asksBeforeItEnds();
    void cancelsAWait();
    void refusesToEnd();
    void installsAndRemovesTheTrigger();
    void refusesNonsense_data();
    void refusesNonsense();

private:
    PostgresServer m_server;
    Ctl m_ctl;
};

void TestCtlPostgres::listsAndRemovesResidue()
{
    m_server.query(u"INSERT INTO locking VALUES ('old', 'ann', now() - interval '1 hour')"_s);
    const CtlRun table = m_ctl.run({"list"});
    QVERIFY2(table.out.contains("residue (over, not cleaned up)"), table.out.constData());
    const QJsonObject lock = m_ctl.run({"list", "--json"}).json().value(0);
    QCOMPARE(lock[u"key"_s], u"old"_s);
    QCOMPARE(lock[u"state"_s], u"residue"_s);
    const CtlRun released = m_ctl.run({"release", "old"}); // whoever asks
    QCOMPARE(released.code, 1); // it was not held
    QCOMPARE(released.out, QByteArray("Was over already: \"old\"; its row is removed.\n"));
    QCOMPARE(m_server.value(u"SELECT count(*) FROM locking"_s), u"0"_s);
}

void TestCtlPostgres::removesAllResidue()
{
    const QString fill = u"INSERT INTO locking VALUES ('old', 'ann', now() - interval '1 hour'), "
                         "('new', 'ann', NULL)"_s;
    m_server.query(fill);
    QCOMPARE(m_ctl.run({"release-all", "--yes"}).out,
             QByteArray("Released 1 lock.\nRemoved what was left of 1 lock that was over.\n"));
    m_server.query(fill);
    const QJsonObject all = m_ctl.run({"release-all", "--yes", "--json"}).json().value(0);
    QCOMPARE(all[u"released"_s], 1);
    QCOMPARE(all[u"cleared"_s], 1);
}

void TestCtlPostgres::listsSessions()
{
    MedusaSession holder(m_server);
    MedusaSession waiter(m_server);
    holder.execute("k");
    waiter.waitFor("k");
    m_server.query(u"INSERT INTO locking VALUES ('k', 'ann', NULL)"_s);
    const QList<QJsonObject> locks = m_ctl.run({"list", "--json"}).json();
    QCOMPARE(locks.size(), 3);
    for (const QJsonObject& lock : locks) {
        const QString state = lock[u"state"_s].toString();
        const QJsonObject session = lock[u"session"_s].toObject();
        QCOMPARE(lock[u"key"_s], u"k"_s);
        if (state == u"advisory"_s) {
            QCOMPARE(session[u"pid"_s], holder.pid());
            QCOMPARE(session[u"application"_s], u"medusa"_s);
            QCOMPARE(session[u"client"_s], u"127.0.0.1"_s);
            QCOMPARE(session[u"activity"_s], u"idle in transaction"_s);
            QVERIFY(session[u"transactionMs"_s].toDouble(-1) >= 0);
        } else if (state == u"waiting"_s) {
            QCOMPARE(session[u"pid"_s], waiter.pid());
            QCOMPARE(session[u"blockedBy"_s].toArray(), QJsonArray{holder.pid()});
        } else {
            QCOMPARE(state, u"held"_s);
        }
    }
    const QByteArray table = m_ctl.run({"list"}).out;
    const QByteArray pid = QByteArray::number(holder.pid());
    QVERIFY2(table.contains("advisory lock: process " + pid + ", medusa, 127.0.0.1, idle in tr"),
             table.constData());
    QVERIFY2(table.contains("behind process " + pid), table.constData());
    holder.end();
    waiter.end();
}

void TestCtlPostgres::endsASession()
{
    MedusaSession holder(m_server);
    holder.execute("k");
    const QByteArray pid = QByteArray::number(holder.pid());
    const CtlRun asked = m_ctl.run({"postgres", "end-session", pid});
    QCOMPARE(asked.code, 64); // there is nobody to ask
    QVERIFY(!holder.isGone());
    const CtlRun run = m_ctl.run({"postgres", "end-session", pid, "--yes", "--job-may-run-on"});
    QCOMPARE(run.code, 0);
    QVERIFY2(run.out.startsWith("Ended the session of process " + pid + " (medusa, 127.0.0.1)"),
             run.out.constData());
    QVERIFY(holder.isGone());
    const QJsonObject audit = m_ctl.audit().last();
    QCOMPARE(audit[u"verb"_s], u"end-session"_s);
    QCOMPARE(audit[u"arguments"_s].toArray().first(), QString::fromUtf8(pid));
}

void TestCtlPostgres::asksBeforeItEnds_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<int>("code");
    QTest::newRow("yes") << QByteArray("y\ny\n") << 0;
    QTest::newRow("no") << QByteArray("n\n") << 1;
    QTest::newRow("Enter is no") << QByteArray("\n") << 1;
    QTest::newRow("end of input") << QByteArray("\x04") << 1;
    QTest::newRow("Ctrl-C") << QByteArray("\x03") << 130;
}

void TestCtlPostgres::asksBeforeItEnds()
{
    QFETCH(const QByteArray, answer);
    QFETCH(const int, code);
    m_server.query(u"INSERT INTO locking VALUES ('k', 'ann', NULL)"_s); // so that it has a name
    MedusaSession holder(m_server);
    holder.execute("k");
    const QByteArray pid = QByteArray::number(holder.pid());
    TerminalRun terminal(m_ctl, {"postgres", "end-session", pid});
    const QByteArray question = terminal.question();
    QVERIFY2(question.startsWith("End this session (process " + pid
                                 + ", medusa, 127.0.0.1, postgres, idle in transaction, its "
                                   "transaction began "),
             question.constData());
    QVERIFY2(question.endsWith(" ago)? It holds \"k\". [y/N] "), question.constData());
    QVERIFY(!holder.isGone());
    terminal.type(answer);
    const CtlRun run = terminal.finish();
    QCOMPARE(run.code, code);
    QCOMPARE(holder.isGone(), code == 0);
    QCOMPARE(run.out.startsWith("Ended the session of process " + pid), code == 0);
    QCOMPARE(run.err.contains("Nothing was ended."), code == 1);
    QCOMPARE(m_server.value(u"SELECT count(*) FROM locking"_s), u"1"_s); // that is another lock
}

void TestCtlPostgres::cancelsAWait()
{
    MedusaSession holder(m_server);
    MedusaSession waiter(m_server);
    holder.execute("k");
    waiter.waitFor("k");
    m_server.query(u"INSERT INTO locking VALUES ('k', 'ann', NULL)"_s);
    const QByteArray pid = QByteArray::number(waiter.pid());
    for (const QByteArray answer : {"n\n", "y\n"}) {
        QVERIFY(waiter.isWaiting());
        TerminalRun terminal(m_ctl, {"postgres", "end-session", pid, "--cancel"});
        const QByteArray question = terminal.question();
        QVERIFY2(question.startsWith("Cancel what this session is doing (process " + pid
                                     + ", medusa, 127.0.0.1, postgres, active, "),
                 question.constData());
        QVERIFY2(question.endsWith(" ago)? It waits for \"k\". [y/N] "), question.constData());
        terminal.type(answer);
        QCOMPARE(terminal.finish().code, answer == "y\n" ? 0 : 1);
    }
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, waiter.end());
    QVERIFY(!waiter.isGone()); // only its statement has
    // There is nothing to cancel in who only holds: it has to be ended.
    const QByteArray idle = QByteArray::number(holder.pid());
    const CtlRun run =
        m_ctl.run({"postgres", "end-session", idle, "--cancel", "--yes", "--job-may-run-on"});
    QCOMPARE(run.code, 64);
    QVERIFY2(run.complaint().contains("nothing to cancel"), run.err.constData());
    QVERIFY(!holder.isGone());
}

void TestCtlPostgres::refusesToEnd()
{
    MedusaSession innocent(m_server);
    const QByteArray pid = QByteArray::number(innocent.pid());
    const CtlRun run = m_ctl.run({"postgres", "end-session", pid, "--yes", "--job-may-run-on"});
    QCOMPARE(run.code, 64);
    QVERIFY2(run.complaint().contains("left alone"), run.err.constData());
    // There is nothing to be asked about.
    const CtlRun refused = TerminalRun(m_ctl, {"postgres", "end-session", pid}).finish();
    QCOMPARE(refused.code, 64);
    QVERIFY2(refused.err.contains("left alone") && !refused.err.contains("[y/N]"),
             refused.err.constData());
    QVERIFY(!innocent.isGone());
    innocent.execute("k");
    QCOMPARE(m_ctl.run({"--read-only", "postgres", "end-session", pid, "--yes", "--job-may-run-on"})
                 .code,
             77);
    QVERIFY(!innocent.isGone());
}

void TestCtlPostgres::installsAndRemovesTheTrigger()
{
    QVERIFY(m_ctl.run({"check"}).out.contains("No trigger is installed"));
    QCOMPARE(m_ctl.run({"--read-only", "postgres", "install-trigger"}).code, 77);
    const CtlRun installed = m_ctl.run({"postgres", "install-trigger"});
    QCOMPARE(installed.code, 0);
    QVERIFY2(installed.out.contains("lockboard_notify"), installed.out.constData());
    QVERIFY(m_ctl.run({"check"}).out.contains("A trigger tells"));
    QCOMPARE(m_ctl.run({"postgres", "remove-trigger", "--json"}).json().size(), 1);
    QVERIFY(m_ctl.run({"check"}).out.contains("No trigger is installed"));
}

void TestCtlPostgres::refusesNonsense_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::newRow("no action") << QByteArrayList{"postgres"};
    QTest::newRow("unknown") << QByteArrayList{"postgres", "drop-table"};
    QTest::newRow("no pid") << QByteArrayList{"postgres", "end-session", "--yes"};
    QTest::newRow("no number") << QByteArrayList{"postgres", "end-session", "me", "--yes"};
    QTest::newRow("too much") << QByteArrayList{"postgres", "install-trigger", "here"};
    QTest::newRow("cancel") << QByteArrayList{"postgres", "install-trigger", "--cancel"};
    QTest::newRow("other provider")
        << QByteArrayList{"postgres", "install-trigger", "--provider", "in-memory"};
}

void TestCtlPostgres::refusesNonsense()
{
    QFETCH(const QByteArrayList, words);
    const CtlRun run = m_ctl.run(words);
    QCOMPARE(run.code, 64);
    QVERIFY(!run.complaint().isEmpty());
}

QTEST_GUILESS_MAIN(TestCtlPostgres)
#include "tst_ctl_postgres.moc"
