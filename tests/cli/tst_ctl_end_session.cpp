// SPDX-License-Identifier: MIT
//! Ending a session of PostgreSQL's: what is asked, and that nothing else is ended than was agreed.
#include "engine/contract/medusa_hash.h"
#include "tests/cli/terminal.h"
#include "tests/support/postgres_server.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlEndSession final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server.createTable();
        m_server.query(u"CREATE ROLE shop LOGIN; CREATE ROLE signaller LOGIN"_s);
        m_server.query(u"GRANT SELECT ON locking TO shop, signaller"_s);
        m_server.query(u"GRANT pg_signal_backend TO signaller"_s);
        m_ctl.alwaysWith({"--connect", m_server.url().toUtf8()});
    }
    void cleanup() { m_server.query(u"DELETE FROM locking"_s); }

    void asksWhateverTheNumberLooksLike();
    void asksNothingAboutWhatIsNotListed();
    void leavesTheNextJobAlone_data();
    void leavesTheNextJobAlone();
    void endsTheJobThatWasConfirmed();
    void goesByLocksWhereMoreIsHidden();
    void takesTheTargetOfAList();
    void refusesATargetThatIsOver();
    void refusesNonsense_data();
    void refusesNonsense();
    void namesTheKeys();
    void saysThatItDoesNotSeeWhatItCancels();

private:
    static void take(Sql& sql, const std::string& key)
    {
        sql.query(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash(key)));
    }
    static void execute(Sql& sql, const std::string& key)
    {
        sql.query(u"SET application_name = 'medusa'; BEGIN"_s);
        take(sql, key);
    }
    static QByteArray pidOf(const Sql& sql) { return QByteArray::number(sql.pid()); }
    //! What `list --json` calls it.
    [[nodiscard]] QJsonObject listed(const Sql& sql, const QByteArray& state = "advisory") const
    {
        for (const QJsonObject& lock : m_ctl.run({"list", "--json"}).json()) {
            const QJsonObject session = lock[u"session"_s].toObject();
            if (session[u"pid"_s] == sql.pid() && lock[u"state"_s] == QString::fromUtf8(state))
                return session;
        }
        return {};
    }
    [[nodiscard]] static QByteArray targetOf(const QJsonObject& session)
    {
        return session[u"target"_s].toString().toUtf8();
    }

    PostgresServer m_server;
    Ctl m_ctl;
};

void TestCtlEndSession::asksWhateverTheNumberLooksLike()
{
    Sql holder(m_server.url());
    execute(holder, "k");
    for (const QByteArray& pid : {pidOf(holder), "0" + pidOf(holder), "000" + pidOf(holder)}) {
        TerminalRun terminal(m_ctl, {"postgres", "end-session", pid});
        const QByteArray shown = terminal.question();
        QVERIFY2(shown.startsWith("End this session (process " + pidOf(holder) + ", medusa, "),
                 shown);
        QVERIFY2(shown.contains("It holds \"advisory:"), shown);
        terminal.type("n\n");
        QCOMPARE(terminal.finish().code, 1);
    }
    QVERIFY(holder.isAlive());
    holder.query(u"COMMIT"_s);
}

void TestCtlEndSession::asksNothingAboutWhatIsNotListed()
{
    // Another Lockboard's: it is listed by the row of its job.
    Sql other(m_server.url());
    m_server.query(u"INSERT INTO locking VALUES ('k', 'execute:1', NULL)"_s);
    other.query(u"SET application_name = 'lockboard'"_s);
    other.query(u"SELECT pg_advisory_lock(%1)"_s.arg(medusaHash("k")));
    QVERIFY(listed(other).isEmpty());
    TerminalRun terminal(m_ctl, {"postgres", "end-session", pidOf(other)});
    const CtlRun run = terminal.finish();
    QCOMPARE(run.code, 64);
    QCOMPARE(run.out, "");
    const QByteArray shown = run.err;
    QVERIFY2(shown.contains("left alone") && shown.contains("--yes"), shown);
    QCOMPARE(other.value(u"SELECT 1"_s), u"1"_s);
    const CtlRun ended =
        m_ctl.run({"postgres", "end-session", pidOf(other), "--yes", "--job-may-run-on"});
    QCOMPARE(ended.code, 0);
    QVERIFY2(ended.out.contains("which held \"k\"."), ended.out); // by its row
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, other.query(u"SELECT 1"_s));
}

void TestCtlEndSession::leavesTheNextJobAlone_data()
{
    QTest::addColumn<QByteArray>("next");
    QTest::addColumn<QByteArray>("complaint");
    QTest::newRow("another key") << QByteArray("k2") << QByteArray(" no longer holds ");
    QTest::newRow("the same key") << QByteArray("k1") << QByteArray(" is in another transaction ");
    QTest::newRow("none") << QByteArray() << QByteArray(" no longer holds ");
}

//! A pool gives a connection to one job after the other.
void TestCtlEndSession::leavesTheNextJobAlone()
{
    QFETCH(const QByteArray, next);
    QFETCH(const QByteArray, complaint);
    Sql pooled(m_server.url());
    execute(pooled, "k1");
    // Two transactions are told apart if they began more than a second apart.
    QTest::qWait(1500);
    TerminalRun terminal(m_ctl, {"postgres", "end-session", pidOf(pooled)});
    terminal.question();
    pooled.query(u"COMMIT"_s);
    if (!next.isEmpty())
        execute(pooled, next.toStdString());
    terminal.type("y\ny\n");
    const CtlRun run = terminal.finish();
    QCOMPARE(run.code, 64);
    QCOMPARE(run.out, "");
    QVERIFY2(run.err.contains(complaint), run.err);
    QVERIFY2(run.err.contains("left alone"), run.err);
    QCOMPARE(pooled.value(u"SELECT 1"_s), u"1"_s);
}

void TestCtlEndSession::endsTheJobThatWasConfirmed()
{
    Sql holder(m_server.url());
    execute(holder, "k1");
    TerminalRun terminal(m_ctl, {"postgres", "end-session", pidOf(holder)});
    terminal.question();
    take(holder, "k2"); // the job goes on
    QTest::qWait(1500);
    terminal.type("y\ny\n");
    const CtlRun run = terminal.finish();
    QVERIFY2(run.code == 0, run.err);
    QVERIFY2(run.out.startsWith("Ended the session of process " + pidOf(holder)), run.out);
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, holder.query(u"SELECT 1"_s));
}

void TestCtlEndSession::goesByLocksWhereMoreIsHidden()
{
    Ctl ctl;
    ctl.alwaysWith({"--connect", m_server.url(u"signaller"_s).toUtf8()});
    Sql pooled(m_server.url(u"shop"_s));
    execute(pooled, "k1");
    const CtlRun list = ctl.run({"list", "--json"});
    QCOMPARE(list.json().size(), 1);
    const QJsonObject session = list.json().value(0)[u"session"_s].toObject();
    QVERIFY(session[u"hidden"_s].toBool());
    QVERIFY(!session.contains(u"id"_s) && !session.contains(u"transactionMs"_s));
    // Which right is missing, and once.
    QVERIFY2(list.complaint().contains("pg_read_all_stats"), list.err);
    QCOMPARE(list.complaint().count('\n'), 0);
    {
        TerminalRun terminal(ctl, {"postgres", "end-session", pidOf(pooled)});
        terminal.question();
        pooled.query(u"COMMIT"_s);
        execute(pooled, "k2");
        terminal.type("y\ny\n");
        const CtlRun run = terminal.finish();
        QCOMPARE(run.code, 64);
        QVERIFY2(run.err.contains("no longer holds"), run.err);
    }
    QCOMPARE(pooled.value(u"SELECT 1"_s), u"1"_s);
    QCOMPARE(ctl.run({"postgres", "end-session", pidOf(pooled), "--yes", "--job-may-run-on"}).code,
             0);
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, pooled.query(u"SELECT 1"_s));
    // Who may see all has nothing hidden.
    Sql holder(m_server.url(u"shop"_s));
    execute(holder, "k1");
    QVERIFY(!listed(holder).contains(u"hidden"_s));
}

void TestCtlEndSession::takesTheTargetOfAList()
{
    Sql first(m_server.url());
    Sql second(m_server.url());
    execute(first, "a");
    execute(second, "b");
    const QJsonObject session = listed(first);
    QCOMPARE(session[u"hash"_s].toDouble(), double(medusaHash("a")));
    const CtlRun run =
        m_ctl.run({"postgres", "end-session", targetOf(session), "--yes", "--job-may-run-on"});
    QVERIFY2(run.code == 0, run.err);
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, first.query(u"SELECT 1"_s));
    const QByteArray byId = pidOf(second) + '@' + listed(second)[u"id"_s].toString().toUtf8();
    QCOMPARE(m_ctl.run({"postgres", "end-session", byId, "--yes", "--job-may-run-on"}).code, 0);
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, second.query(u"SELECT 1"_s));
}

void TestCtlEndSession::refusesATargetThatIsOver()
{
    Sql pooled(m_server.url());
    execute(pooled, "k1");
    QTest::qWait(1500);
    const QByteArray target = targetOf(listed(pooled));
    const QByteArray pid = pidOf(pooled);
    const auto refused = [&](const QByteArray& which) {
        const CtlRun run =
            m_ctl.run({"postgres", "end-session", which, "--yes", "--job-may-run-on"});
        QVERIFY2(run.complaint().contains("left alone"), run.err);
        QCOMPARE(run.code, 64);
        QCOMPARE(pooled.value(u"SELECT 1"_s), u"1"_s);
    };
    pooled.query(u"COMMIT"_s);
    refused(target); // holds nothing
    execute(pooled, "k2");
    refused(target); // another lock
    take(pooled, "k1");
    refused(target); // another transaction
    refused(pid + "@0.0"); // another session
    pooled.query(u"COMMIT"_s);

    // Who waited, and holds now, is not what was seen either.
    Sql holder(m_server.url());
    execute(holder, "k1");
    pooled.query(u"BEGIN"_s);
    pooled.send(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash("k1")));
    QTRY_COMPARE(m_server.value(u"SELECT count(*) FROM pg_locks WHERE NOT granted"_s), u"1"_s);
    const QByteArray waiting = targetOf(listed(pooled, "waiting"));
    holder.query(u"COMMIT"_s);
    pooled.finish();
    refused(waiting);
}

void TestCtlEndSession::refusesNonsense_data()
{
    QTest::addColumn<QByteArray>("target");
    for (const char* const target : {"-1", "0", "", "1x", "99999999999", "@1.2", "1@1.2,x5",
                                     "1@1.2,h5x", "1@1.2,h99999999999", "1@1.2,h5,soon", "1@a=b"})
        QTest::newRow(target) << QByteArray(target);
}

void TestCtlEndSession::refusesNonsense()
{
    QFETCH(const QByteArray, target);
    const CtlRun run =
        m_ctl.run({"postgres", "end-session", "--yes", "--job-may-run-on", "--", target});
    QCOMPARE(run.code, 64);
    QVERIFY2(run.complaint().contains("neither the number of a process nor"), run.err);
    QVERIFY(m_ctl.audit().isEmpty()
            || !m_ctl.audit().last()[u"arguments"_s].toArray().contains(QString::fromUtf8(target)));
}

void TestCtlEndSession::namesTheKeys()
{
    m_server.query(u"INSERT INTO locking VALUES ('a b', 'ann', NULL)"_s);
    Sql holder(m_server.url());
    execute(holder, "a b"); // a row has that key
    take(holder, "cart_1"); // the operator says so
    TerminalRun terminal(m_ctl, {"postgres", "end-session", pidOf(holder), "--name", "cart_1"});
    const QByteArray shown = terminal.question();
    QVERIFY2(shown.contains("\"a b\"") && shown.contains("\"cart_1\""), shown);
    terminal.type("y\ny\n");
    const CtlRun run = terminal.finish();
    QCOMPARE(run.code, 0);
    QVERIFY2(run.out.contains("\"a b\"") && run.out.contains("\"cart_1\""), run.out);
    QVERIFY2(!run.out.contains("advisory:"), run.out);
    const QString outcome = m_ctl.audit().last()[u"outcome"_s].toString();
    QVERIFY2(outcome.contains(u"\"a b\""_s) && outcome.contains(u"\"cart_1\""_s),
             qPrintable(outcome));
}

void TestCtlEndSession::saysThatItDoesNotSeeWhatItCancels()
{
    Ctl ctl;
    ctl.alwaysWith({"--connect", m_server.url(u"signaller"_s).toUtf8()});
    Sql idle(m_server.url(u"shop"_s));
    execute(idle, "k");
    const CtlRun hidden =
        ctl.run({"postgres", "end-session", pidOf(idle), "--cancel", "--yes", "--job-may-run-on"});
    QCOMPARE(hidden.code, 0);
    QVERIFY2(hidden.out.contains("is not shown to this user"), hidden.out);
    QVERIFY2(!hidden.out.contains("Cancelled"), hidden.out);
    const CtlRun seen = m_ctl.run(
        {"postgres", "end-session", pidOf(idle), "--cancel", "--yes", "--job-may-run-on"});
    QCOMPARE(seen.code, 64);
    QVERIFY2(seen.complaint().contains("is idle"), seen.err);
    Sql waiter(m_server.url(u"shop"_s));
    waiter.query(u"BEGIN"_s);
    waiter.send(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash("k")));
    QTRY_COMPARE(m_server.value(u"SELECT count(*) FROM pg_locks WHERE NOT granted"_s), u"1"_s);
    const CtlRun run = m_ctl.run(
        {"postgres", "end-session", pidOf(waiter), "--cancel", "--yes", "--job-may-run-on"});
    QCOMPARE(run.code, 0);
    QVERIFY2(run.out.startsWith("Cancelled what process " + pidOf(waiter)), run.out);
    QVERIFY2(run.out.contains(" was doing. It waited for "), run.out);
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, waiter.finish());
}

QTEST_GUILESS_MAIN(TestCtlEndSession)
#include "tst_ctl_end_session.moc"
