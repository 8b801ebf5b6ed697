// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "tests/postgres/postgres_fixture.h"

#include <QThread>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! What executes hold in their session, when several meet there and when things go wrong.
class PostgresJobsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_server->query(u"TRUNCATE locking"_s); }
    void cleanupTestCase() { m_server.reset(); }

    void aFailureUnlocksNothingOfAnothers();
    void eachJobOfAnOwnerLearnsOfItsLoss();
    void aBlockedKeyKeepsNoRenewalWaiting();
    void aJobIsToldWhoseReleaseFails_data();
    void aJobIsToldWhoseReleaseFails();
    void residueIsNotAJobsLock();
    void tokensGrowAcrossACrash();
    void standsInLineWithMedusas();
    void holdsTheLineForNobodyWhoIsGone();
    void theLineIsLeftToOthers();

private:
    [[nodiscard]] int advisory(const QString& condition = u"granted"_s)
    {
        return m_server
            ->value(u"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 "
                    "AND objsubid = 1 AND "_s
                    + condition)
            .toInt();
    }
    static QString lockOf(const std::string& key)
    {
        return u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash(key));
    }

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresJobsTest::initTestCase()
{
    m_server = std::make_unique<PostgresServer>();
    m_server->createTable();
}

void PostgresJobsTest::aFailureUnlocksNothingOfAnothers()
{
    // Two keys of one hash: h * 33 xor a unit, twice.
    const std::string blocked = "AB", free = "nM";
    QCOMPARE(medusaHash(blocked), medusaHash(free));
    const PostgresModule locks(*m_server);
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    other.query(u"INSERT INTO locking VALUES ('AB')"_s); // whether it stays is open
    PostgresJob waiting(locks, blocked), running(locks, free);
    QTRY_VERIFY(running.running);
    QTest::qWait(1000); // for several tries of the other's
    QVERIFY(!waiting.running);
    QCOMPARE(advisory(), 1);
    QCOMPARE(m_server->value(u"SELECT pg_try_advisory_xact_lock(%1)"_s.arg(medusaHash(free))),
             u"f"_s);
    QCOMPARE(running.end(), std::string());
    other.query(u"ROLLBACK"_s);
    QTRY_VERIFY(waiting.running);
    QCOMPARE(waiting.end(), std::string());
    QTRY_COMPARE(advisory(), 0);
}

void PostgresJobsTest::eachJobOfAnOwnerLearnsOfItsLoss()
{
    const PostgresModule locks(*m_server);
    const auto mine = ExecuteOptions().ownedBy("me").expiringIn(5s);
    PostgresJob one(locks, "a", mine), two(locks, LockKeys("b", "c"), mine);
    QTRY_VERIFY(one.running && two.running);
    m_server->query(u"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                    "application_name = 'lockboard locks'"_s);
    QVERIFY2(contains(one.outcome(), "\"a\""), "it did not learn of its loss");
    QVERIFY2(contains(two.outcome(), "\"b\""), "it did not learn of its loss");
    QVERIFY(one.wasStopped && two.wasStopped);
    PostgresJob next(locks, "a", mine); // is none of the old one's
    QTRY_VERIFY_WITH_TIMEOUT(next.running, 8000);
    QCOMPARE(advisory(), 1);
    QCOMPARE(next.end(), std::string());
}

void PostgresJobsTest::aBlockedKeyKeepsNoRenewalWaiting()
{
    m_server->query(u"INSERT INTO locking VALUES ('r', 'x', now() - interval '1 hour')"_s);
    const PostgresModule locks(*m_server);
    PostgresJob healthy(locks, "h", ExecuteOptions().expiringIn(1500ms));
    QTRY_VERIFY(healthy.running);
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    other.query(u"SELECT * FROM locking WHERE id = 'r' FOR UPDATE"_s);
    PostgresJob blocked(locks, "r", ExecuteOptions().timingOutAfter(8s));
    QTest::qWait(4000);
    QVERIFY(!healthy.wasStopped && !blocked.isDone);
    QCOMPARE(healthy.end(), std::string());
    other.query(u"COMMIT"_s);
    QTRY_VERIFY(blocked.running);
    QCOMPARE(blocked.end(), std::string());
}

void PostgresJobsTest::aJobIsToldWhoseReleaseFails_data()
{
    QTest::addColumn<QString>("trouble");
    QTest::newRow("a locked row") << u"BEGIN; SELECT FROM locking FOR UPDATE"_s;
    QTest::newRow("a session that is over")
        << u"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
           "'lockboard locks'"_s;
}

//! Somebody else releases it, in this process; what its session held is gone in any case.
void PostgresJobsTest::aJobIsToldWhoseReleaseFails()
{
    QFETCH(const QString, trouble);
    const PostgresModule locks(*m_server);
    PostgresJob job(locks, "k");
    QTRY_VERIFY(job.running);
    const QString owner = m_server->value(u"SELECT owner_id FROM locking"_s);
    Sql other(m_server->url());
    other.query(trouble);
    QThread::msleep(50); // it is gone, and nobody has noticed
    try {
        await(locks->release("k", ReleaseOptions().ownedBy(owner.toStdString())));
    } catch (const LockError&) {
        // it may be released all the same
    }
    QTRY_VERIFY(job.isDone);
    QVERIFY(job.wasStopped);
    QVERIFY(!job.outcome().empty());
    QCOMPARE(advisory(), 0);
}

//! What looked like residue when a person saw it, and is held by now.
void PostgresJobsTest::residueIsNotAJobsLock()
{
    const PostgresModule locks(*m_server);
    PostgresJob job(locks, "k");
    QTRY_VERIFY(job.running);
    const QString owner = m_server->value(u"SELECT owner_id FROM locking"_s);
    const auto asItWasSeen = ReleaseOptions().ownedBy(owner.toStdString()).onlyIfOver();
    QVERIFY(!await(locks->release("k", asItWasSeen)).allReleased());
    QCOMPARE(advisory(), 1);
    QCOMPARE(job.end(), std::string());
    QTRY_COMPARE(advisory(), 0);
}

//! A token that was given out is on the disk, as the lock is.
void PostgresJobsTest::tokensGrowAcrossACrash()
{
    FencingToken last = 0;
    for (int i = 0; i < 3; ++i) {
        FencingToken token = 0;
        {
            const PostgresModule locks(*m_server);
            const auto crash = [&](std::stop_token, const Grant& grant) {
                token = grant.token().value();
                m_server->kill();
            };
            try {
                await(locks->execute("k", crash));
            } catch (const Lost&) {
                // if that is noticed before the job ends
            }
        }
        QVERIFY2(token > last, qPrintable(u"%1 after %2"_s.arg(token).arg(last)));
        last = token;
        m_server->start();
        QVERIFY(m_server->value(u"SELECT owner_id FROM locking"_s).startsWith(u"execute:"));
        m_server->query(u"TRUNCATE locking"_s);
    }
}

void PostgresJobsTest::standsInLineWithMedusas()
{
    const PostgresModule locks(*m_server);
    Sql first(m_server->url()), second(m_server->url()), last(m_server->url());
    first.query(u"BEGIN"_s);
    first.query(lockOf("k"));
    second.query(u"BEGIN"_s);
    second.send(lockOf("k"));
    QTRY_COMPARE(advisory(u"NOT granted"_s), 1);
    PostgresJob job(locks, LockKeys("i", "k"));
    QTRY_COMPARE(advisory(u"NOT granted"_s), 2);
    last.query(u"BEGIN"_s);
    last.send(lockOf("k"));
    QTRY_COMPARE(advisory(u"NOT granted"_s), 3);
    first.query(u"COMMIT"_s);
    QTRY_VERIFY(!second.isBusy());
    second.finish();
    QTest::qWait(50);
    QVERIFY(!job.running);
    second.query(u"COMMIT"_s);
    QTRY_VERIFY(job.running);
    QVERIFY(last.isBusy());
    QCOMPARE(advisory(), 2); // of both keys
    QCOMPARE(job.end(), std::string());
    QTRY_VERIFY(!last.isBusy());
    last.finish();
    last.query(u"COMMIT"_s);
    QTRY_COMPARE(advisory(), 0);
}

void PostgresJobsTest::holdsTheLineForNobodyWhoIsGone()
{
    Sql medusa(m_server->url());
    medusa.query(u"BEGIN"_s);
    medusa.query(lockOf("k"));
    {
        PostgresModule locks(*m_server);
        PostgresJob late(locks, "k", ExecuteOptions().timingOutAfter(1s));
        QTRY_COMPARE(advisory(u"NOT granted"_s), 1);
        QCOMPARE(late.outcome(), std::string("Timed-out acquiring lock."));
        QVERIFY(!late.running);
        medusa.query(u"COMMIT"_s); // what waits still is granted, and given back
        QTRY_COMPARE(advisory(), 0);
        QTRY_COMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), u"0"_s);

        medusa.query(u"BEGIN"_s);
        medusa.query(lockOf("k"));
        const PostgresJob never(locks, "k");
        QTRY_COMPARE(advisory(u"NOT granted"_s), 1);
        locks.destroy();
        QTRY_VERIFY(never.isDone);
    }
    medusa.query(u"COMMIT"_s);
    QTRY_COMPARE(advisory(), 0);
    QCOMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), u"0"_s);
}

//! While one waits for a lock that is held for long, others get theirs.
void PostgresJobsTest::theLineIsLeftToOthers()
{
    const PostgresModule locks(*m_server);
    Sql slow(m_server->url()), quick(m_server->url());
    for (Sql* const one : {&slow, &quick})
        one->query(u"BEGIN"_s);
    slow.query(lockOf("slow"));
    quick.query(lockOf("quick"));
    const auto patient = ExecuteOptions().timingOutAfter(20s);
    PostgresJob stuck(locks, "slow", patient);
    QTRY_COMPARE(advisory(u"NOT granted"_s), 1);
    PostgresJob other(locks, "quick", patient), third(locks, "third", patient);
    QTRY_VERIFY(third.running);
    QCOMPARE(third.end(), std::string());
    quick.query(u"COMMIT"_s);
    QTRY_VERIFY(other.running); // found by looking again
    QCOMPARE(other.end(), std::string());
    slow.query(u"COMMIT"_s);
    QTRY_VERIFY(stuck.running);
    QCOMPARE(stuck.end(), std::string());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresJobsTest)
#include "postgres_jobs_test.moc"
