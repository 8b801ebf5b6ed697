// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"
#include "tests/support/proxy.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

using Fault = Proxy::Fault;

//! Calls whose session ends, or whose statement fails, in the midst of it.
class PostgresLostCallsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<PostgresServer>(); }
    void init();
    void cleanupTestCase() { m_server.reset(); }

    void acquireWhoseSessionEnds_data();
    void acquireWhoseSessionEnds();
    void releaseWhoseSessionEnds_data();
    void releaseWhoseSessionEnds();
    void releaseAllWhoseSessionEnds();
    void releaseThatIsCut_data();
    void releaseThatIsCut();
    void renewalThatIsCut_data();
    void renewalThatIsCut();
    void renewalThatFails();
    void renewalThatFailsForAWhile();
    void releaseThatFails();
    void releaseAfterAJobThatFails();

private:
    //! The first statements of this kind fail, as on a full disk.
    void failAt(const QString& kind, int times);
    void stopFailing() { m_server->query(u"DROP TRIGGER IF EXISTS fails ON locking"_s); }
    void endTheSessionThatWaits();
    [[nodiscard]] QString rows()
    {
        return m_server->value(u"SELECT string_agg(l::text, ' ' ORDER BY id) FROM locking l"_s);
    }
    [[nodiscard]] QString advisory()
    {
        return m_server->value(u"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "
                               "classid = 0 AND objsubid = 1"_s);
    }
    [[nodiscard]] QString through(const Proxy& proxy) const
    {
        return u"postgres://postgres@127.0.0.1:%1/postgres?gssencmode=disable&sslmode=disable"_s
            .arg(proxy.port());
    }

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresLostCallsTest::init()
{
    m_server->query(u"DROP TABLE IF EXISTS locking"_s);
    m_server->createTable();
}

void PostgresLostCallsTest::failAt(const QString& kind, int times)
{
    m_server->query(u"DROP SEQUENCE IF EXISTS fails; CREATE SEQUENCE fails"_s); // never rolled back
    m_server->query(
        u"CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF nextval('public.fails') <= %1 THEN RAISE EXCEPTION 'as asked' USING ERRCODE "
        "= '53100'; END IF; RETURN coalesce(NEW, OLD); END $$"_s.arg(times));
    m_server->query(u"CREATE TRIGGER fails BEFORE %1 ON locking FOR EACH ROW EXECUTE FUNCTION "
                    "fail()"_s.arg(kind));
}

void PostgresLostCallsTest::endTheSessionThatWaits()
{
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    m_server->query(u"SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity "
                    "USING (pid) WHERE NOT granted AND application_name LIKE 'lockboard%'"_s);
}

//! Waits longer for a row than these tests do.
static const QString patient = u", \"lockTimeout\": 60000, \"statementTimeout\": 60000"_s;

static AcquireOptions mine()
{
    return AcquireOptions().ownedBy("me").expiringIn(30s);
}

static ReleaseOptions asMe()
{
    return ReleaseOptions().ownedBy("me");
}

void PostgresLostCallsTest::acquireWhoseSessionEnds_data()
{
    QTest::addColumn<QString>("before");
    QTest::addColumn<QString>("statement");
    QTest::addColumn<bool>("several");
    const QString inserts = u"INSERT INTO locking VALUES ('k', 'x')"_s;
    const QString locks = u"SELECT FROM locking FOR UPDATE"_s;
    for (const bool several : {false, true}) {
        const char* const more = several ? ", several keys" : "";
        QTest::addRow("free%s", more) << QString() << inserts << several;
        QTest::addRow("over%s", more) << u"('k', 'x', '2000-01-01')"_s << locks << several;
        QTest::addRow("mine%s", more)
            << u"('k', 'me', now() + interval '20 s')"_s << locks << several;
    }
}

void PostgresLostCallsTest::acquireWhoseSessionEnds()
{
    QFETCH(const QString, before);
    QFETCH(const QString, statement);
    QFETCH(const bool, several);
    if (!before.isEmpty())
        m_server->query(u"INSERT INTO locking VALUES "_s + before);
    const QString there = rows();
    const PostgresModule locks(*m_server, patient);
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    other.query(statement);
    Task<Grant> grant = locks->acquire(several ? LockKeys("a", "k", "z") : LockKeys("k"), mine());
    endTheSessionThatWaits();
    QTRY_VERIFY(grant.isReady()); // sent a second time, it would wait again
    ErrorCode code{};
    try {
        await(std::move(grant));
        QFAIL("was granted");
    } catch (const LockError& error) {
        code = error.code();
    }
    // Looked at again, nothing has come of it; or it can't be told from what was there.
    QVERIFY(code == ErrorCode::Unavailable || code == ErrorCode::OutcomeUnknown);
    other.query(u"ROLLBACK"_s);
    QCOMPARE(rows(), there);
    await(locks->acquire("k", mine()));
}

void PostgresLostCallsTest::releaseWhoseSessionEnds_data()
{
    QTest::addColumn<bool>("several");
    QTest::newRow("one") << false;
    QTest::newRow("several") << true;
}

void PostgresLostCallsTest::releaseWhoseSessionEnds()
{
    QFETCH(const bool, several);
    m_server->query(u"INSERT INTO locking VALUES ('a', 'me'), ('k', 'me'), ('z', 'me')"_s);
    const QString there = rows();
    const PostgresModule locks(*m_server, patient);
    Sql other(m_server->url());
    other.query(u"BEGIN; SELECT FROM locking WHERE id = 'k' FOR UPDATE"_s);
    const LockKeys keys = several ? LockKeys("a", "k", "z") : LockKeys("k");
    Task<ReleaseResult> releasing = locks->release(keys, asMe());
    endTheSessionThatWaits();
    QTRY_VERIFY(releasing.isReady());
    const ReleaseResult result = await(std::move(releasing));
    for (const KeyRelease& key : result.outcomes(keys))
        QCOMPARE(key.outcome, ReleaseOutcome::Unknown);
    other.query(u"ROLLBACK"_s);
    QCOMPARE(rows(), there);
    QVERIFY(await(locks->release(keys, asMe())).allReleased());
}

void PostgresLostCallsTest::releaseAllWhoseSessionEnds()
{
    m_server->query(u"INSERT INTO locking VALUES ('a', 'me'), ('k', 'me'), ('z', 'me')"_s);
    const PostgresModule locks(*m_server, patient);
    Sql other(m_server->url());
    other.query(u"BEGIN; SELECT FROM locking WHERE id = 'k' FOR UPDATE"_s);
    Task<ReleaseAllResult> releasing = locks->releaseAll();
    endTheSessionThatWaits();
    QTRY_VERIFY(releasing.isReady());
    const ReleaseAllResult result = await(std::move(releasing));
    QCOMPARE(result.released, 2U); // the others were not waited for
    QVERIFY(result.interruption);
    const std::string why = messageOf(result.interruption);
    QVERIFY2(contains(why, "was lost"), why.c_str());
    other.query(u"ROLLBACK"_s);
    QCOMPARE(m_server->value(u"SELECT string_agg(id, ' ') FROM locking"_s), u"k"_s);
    QCOMPARE(await(locks->releaseAll()).released, 1U);
}

static void addFaults()
{
    QTest::addColumn<int>("fault");
    QTest::newRow("before it is read") << int(Fault::DropsBefore);
    QTest::newRow("before it is answered") << int(Fault::DropsAfter);
}

void PostgresLostCallsTest::releaseThatIsCut_data()
{
    addFaults();
}

void PostgresLostCallsTest::releaseThatIsCut()
{
    QFETCH(const int, fault);
    for (const LockKeys& keys : {LockKeys("marked"), LockKeys("marked", "other")}) {
        Proxy proxy(m_server->port());
        const PostgresModule locks(through(proxy));
        await(locks->acquire(keys, mine()));
        const QString there = rows();
        proxy.failAt("fmarked", Fault(fault));
        const ReleaseResult result = await(locks->release(keys, asMe()));
        QVERIFY(proxy.hasFailed());
        for (const KeyRelease& key : result.outcomes(keys))
            QCOMPARE(key.outcome, ReleaseOutcome::Unknown);
        const bool wasRead = Fault(fault) == Fault::DropsAfter;
        QCOMPARE(rows(), wasRead ? QString() : there);
        QCOMPARE(await(locks->release(keys, asMe())).allReleased(), !wasRead);
    }
}

void PostgresLostCallsTest::renewalThatIsCut_data()
{
    addFaults();
}

void PostgresLostCallsTest::renewalThatIsCut()
{
    QFETCH(const int, fault);
    Proxy proxy(m_server->port());
    const PostgresModule locks(through(proxy));
    PostgresJob job(locks, "k", ExecuteOptions().expiringIn(3s));
    QTRY_VERIFY(job.running);
    proxy.failAt("lockboard_extend", Fault(fault));
    QElapsedTimer took;
    took.start();
    // The advisory lock ends with its session, so that is told before the lease ends.
    const std::string said = job.outcome();
    QVERIFY(proxy.hasFailed());
    QVERIFY2(took.elapsed() < 2500, qPrintable(QString::number(took.elapsed())));
    QVERIFY(job.wasStopped);
    QVERIFY2(contains(said, "\"k\""), said.c_str());
    QTRY_VERIFY(rows().isNull());
    QTRY_COMPARE(advisory(), u"0"_s);
}

void PostgresLostCallsTest::renewalThatFails()
{
    const PostgresModule locks(*m_server);
    PostgresJob job(locks, "k", ExecuteOptions().expiringIn(1500ms));
    QTRY_VERIFY(job.running);
    QElapsedTimer took;
    took.start();
    failAt(u"UPDATE"_s, 1000);
    const std::string said = job.outcome();
    // At the deadline: not with the first renewals that fail.
    QVERIFY2(took.elapsed() > 1000 && took.elapsed() < 2500,
             qPrintable(QString::number(took.elapsed())));
    QVERIFY(job.wasStopped);
    QVERIFY2(contains(said, "\"k\""), said.c_str());
    QVERIFY2(contains(locks.log, "Could not renew a lease") && contains(locks.log, "(53100)"),
             locks.log.c_str());
    QTRY_VERIFY(rows().isNull()); // given back all the same
    QTRY_COMPARE(advisory(), u"0"_s);
}

void PostgresLostCallsTest::renewalThatFailsForAWhile()
{
    const PostgresModule locks(*m_server);
    PostgresJob job(locks, "k", ExecuteOptions().expiringIn(1500ms));
    QTRY_VERIFY(job.running);
    failAt(u"UPDATE"_s, 3);
    QTRY_VERIFY(m_server->value(u"SELECT last_value FROM fails"_s).toInt() > 4); // and once more
    QVERIFY(contains(locks.log, "(53100)"));
    QCOMPARE(job.end(), std::string());
    QVERIFY(!job.wasStopped);
}

void PostgresLostCallsTest::releaseThatFails()
{
    const PostgresModule locks(*m_server);
    await(locks->acquire(LockKeys("k", "l"), mine()));
    const QString there = rows();
    failAt(u"DELETE"_s, 1000);
    const auto isSaid = [](const Unavailable& error) {
        return contains(error.message(), "could not do this: as asked (53100)");
    };
    QVERIFY(isSaid(thrownBy<Unavailable>(locks->release("k", asMe()))));
    QVERIFY(isSaid(thrownBy<Unavailable>(locks->release(LockKeys("k", "l"), asMe()))));
    QVERIFY(isSaid(thrownBy<Unavailable>(locks->releaseAll())));
    QVERIFY(isSaid(thrownBy<Unavailable>(locks->releaseAll(ReleaseAllOptions().ownedBy("me")))));
    QCOMPARE(rows(), there);
    stopFailing();
    QVERIFY(await(locks->release(LockKeys("k", "l"), asMe())).allReleased());
}

void PostgresLostCallsTest::releaseAfterAJobThatFails()
{
    failAt(u"DELETE"_s, 1000);
    const PostgresModule locks(*m_server);
    QCOMPARE(await(locks->execute("k", [] { return 7; })), 7); // it was exclusive: all that counts
    QVERIFY(rows().contains(u"execute:"_s));
    QTRY_COMPARE(advisory(), u"0"_s);
    stopFailing();
    QTRY_VERIFY(rows().isNull()); // tried until it works
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresLostCallsTest)
#include "postgres_lost_calls_test.moc"
