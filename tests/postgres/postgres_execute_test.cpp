// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "tests/postgres/postgres_fixture.h"
#include "tests/support/medusa_session.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Executes exclude Medusa's, which lock a hash of the key for a transaction, and every acquire.
class PostgresExecuteTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<PostgresServer>(); }
    void init();
    void cleanupTestCase() { m_server.reset(); }

    void holdsWhatMedusaWaitsFor();
    void waitsForWhatMedusaHolds();
    void isARowThatEverybodySees();
    void excludesEveryAcquire();
    void timesOutInTime();
    void keysOfOneHashDontStandInEachOthersWay();
    void aFailureLeavesNothingLocked();
    void manyTakeFewConnectionsAndNoTransaction();
    void runInTheOrderOfTheirCalls();
    void learnsThatItsLockWasReleased_data();
    void learnsThatItsLockWasReleased();
    void lostSessionIsALostLock_data();
    void lostSessionIsALostLock();
    void goesOnInANewSession();

private:
    [[nodiscard]] int advisory() { return m_server->advisoryLocks(); }
    [[nodiscard]] QString rows() { return m_server->value(u"SELECT count(*) FROM locking"_s); }
    //! Of the session that holds and listens.
    [[nodiscard]] QString sessionPid()
    {
        return m_server->value(
            u"SELECT pid FROM pg_stat_activity WHERE application_name = 'lockboard locks'"_s);
    }

    Task<void> note(const PostgresModule* locks, int i);
    Task<void> inside(int i);

    std::unique_ptr<PostgresServer> m_server;
    QList<int> m_order;
};

void PostgresExecuteTest::init()
{
    m_server->query(u"DROP TABLE IF EXISTS locking"_s);
    m_server->createTable();
}

void PostgresExecuteTest::holdsWhatMedusaWaitsFor()
{
    PostgresModule locks(*m_server);
    PostgresJob job(locks, LockKeys("a", "b"));
    QTRY_VERIFY(job.running);
    QCOMPARE(advisory(), 2);
    MedusaSession medusa(*m_server);
    medusa.waitFor("b");
    QCOMPARE(job.end(), std::string());
    medusa.sql.finish();
    QCOMPARE(advisory(), 1);
    QCOMPARE(rows(), u"0"_s);
}

void PostgresExecuteTest::waitsForWhatMedusaHolds()
{
    PostgresModule locks(*m_server);
    MedusaSession medusa(*m_server);
    medusa.execute("b");
    PostgresJob job(locks, LockKeys("a", "b"));
    QTest::qWait(300);
    QVERIFY(!job.running);
    QCOMPARE(advisory(), 1); // nothing is held meanwhile
    QCOMPARE(rows(), u"0"_s);
    medusa.end();
    QElapsedTimer timer;
    timer.start();
    QTRY_VERIFY(job.running);
    QVERIFY2(timer.elapsed() < 1000, qPrintable(QString::number(timer.elapsed())));
    QCOMPARE(job.end(), std::string());
}

void PostgresExecuteTest::isARowThatEverybodySees()
{
    PostgresModule locks(*m_server);
    PostgresJob job(locks, "a", ExecuteOptions().expiringIn(1500ms));
    QTRY_VERIFY(job.running);
    QVERIFY(m_server->value(u"SELECT owner_id FROM locking WHERE id = 'a'"_s)
                .startsWith(u"execute:"_s));
    QTest::qWait(2500); // its lease is renewed
    QCOMPARE(m_server->value(u"SELECT expiration > now() FROM locking WHERE id = 'a'"_s), u"t"_s);
    QVERIFY(!job.wasStopped);
    QCOMPARE(job.end(), std::string());
}

void PostgresExecuteTest::excludesEveryAcquire()
{
    PostgresModule locks(*m_server), others(*m_server);
    await(others->acquire("a"));
    thrownBy<TimedOut>(locks->execute(
        "a", [] {}, ExecuteOptions().timingOutAfter(1s)));
    await(others->release("a"));
    PostgresJob job(locks, "a");
    QTRY_VERIFY(job.running);
    const Conflict conflict = thrownBy<Conflict>(others->acquire("a"));
    QVERIFY(conflict.holder()->starts_with("execute:"));
    QVERIFY(conflict.remaining() && *conflict.remaining() > 50s && *conflict.remaining() <= 60s);
    QCOMPARE(job.end(), std::string());
}

void PostgresExecuteTest::timesOutInTime()
{
    PostgresModule locks(*m_server);
    await(locks->execute("warm", [] {}));
    MedusaSession medusa(*m_server);
    medusa.execute("a");
    QElapsedTimer timer;
    timer.start();
    thrownBy<TimedOut>(locks->execute(
        "a", [] {}, ExecuteOptions().timingOutAfter(1s)));
    QVERIFY2(timer.elapsed() >= 995 && timer.elapsed() < 1300,
             qPrintable(QString::number(timer.elapsed())));
    QCOMPARE(rows(), u"0"_s);
    QCOMPARE(advisory(), 1);
}

void PostgresExecuteTest::keysOfOneHashDontStandInEachOthersWay()
{
    // (5381 * 33 xor x) * 33 xor y: the same for these pairs of units.
    const std::string one = "AB", two = std::string(1, 'A' + 33) + std::string(1, 'B' - 1);
    std::string other;
    for (char first = '!'; first < '~' && other.empty(); ++first) {
        for (char second = '!'; second < '~'; ++second) {
            const std::string candidate{first, second};
            if (candidate != one && medusaHash(candidate) == medusaHash(one))
                other = candidate;
        }
    }
    QVERIFY(!other.empty());
    PostgresModule locks(*m_server);
    PostgresJob job(locks, one);
    QTRY_VERIFY(job.running);
    PostgresJob second(locks, other);
    QTRY_VERIFY(second.running);
    QCOMPARE(job.end(), std::string());
    QCOMPARE(advisory(), 1); // the second job's still
    QCOMPARE(second.end(), std::string());
    QTRY_COMPARE(advisory(), 0);
}

void PostgresExecuteTest::aFailureLeavesNothingLocked()
{
    PostgresModule locks(*m_server);
    await(locks->execute("warm", [] {}));
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    other.query(u"INSERT INTO locking VALUES ('a')"_s); // whether it stays is open
    QElapsedTimer timer;
    timer.start();
    thrownBy<TimedOut>(locks->execute(
        "a", [] {}, ExecuteOptions().timingOutAfter(1s)));
    QVERIFY2(timer.elapsed() < 1300, qPrintable(QString::number(timer.elapsed())));
    QTRY_COMPARE(advisory(), 0);
    other.query(u"ROLLBACK"_s);
    await(locks->execute("a", [] {}));
    QTRY_COMPARE(advisory(), 0);
}

void PostgresExecuteTest::manyTakeFewConnectionsAndNoTransaction()
{
    PostgresModule locks(*m_server);
    std::vector<std::unique_ptr<PostgresJob>> jobs;
    for (int i = 0; i < 200; ++i)
        jobs.push_back(std::make_unique<PostgresJob>(locks, std::to_string(i % 100)));
    QTRY_COMPARE(rows(), u"100"_s); // and as many wait
    QTest::qWait(50);
    QCOMPARE(m_server->value(u"SELECT count(*) <= 3 FROM pg_stat_activity WHERE application_name "
                             "LIKE 'lockboard%'"_s),
             u"t"_s);
    QCOMPARE(m_server->value(u"SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in "
                             "transaction%'"_s),
             u"0"_s);
    for (const auto& job : jobs)
        QCOMPARE(job->end(), std::string());
    QTRY_COMPARE(advisory(), 0);
    QCOMPARE(rows(), u"0"_s);
}

Task<void> PostgresExecuteTest::note(const PostgresModule* locks, int i)
{
    const auto job = [this, i]() -> Task<void> { return inside(i); };
    co_await (*locks)->execute("a", job);
}

Task<void> PostgresExecuteTest::inside(int i)
{
    m_order.append(i);
    co_await ResumeOn(this); // the others have their turn
    m_order.append(i);
}

void PostgresExecuteTest::runInTheOrderOfTheirCalls()
{
    PostgresModule locks(*m_server);
    PostgresJob first(locks, "a");
    QTRY_VERIFY(first.running);
    m_order.clear();
    for (int i = 1; i <= 5; ++i)
        letRun(note(&locks, i));
    QCOMPARE(first.end(), std::string());
    QTRY_COMPARE(m_order.size(), 10);
    QCOMPARE(m_order, (QList<int>{1, 1, 2, 2, 3, 3, 4, 4, 5, 5}));
}

void PostgresExecuteTest::learnsThatItsLockWasReleased_data()
{
    QTest::addColumn<bool>("all");
    QTest::newRow("release") << false;
    QTest::newRow("release all") << true;
}

void PostgresExecuteTest::learnsThatItsLockWasReleased()
{
    QFETCH(const bool, all);
    PostgresModule locks(*m_server), operators(*m_server);
    PostgresJob job(locks, "a");
    QTRY_VERIFY(job.running);
    const std::string owner =
        m_server->value(u"SELECT owner_id FROM locking WHERE id = 'a'"_s).toStdString();
    QElapsedTimer timer;
    timer.start();
    if (all)
        QCOMPARE(await(operators->releaseAll()).released, 1U);
    else
        QVERIFY(await(operators->release("a", ReleaseOptions().ownedBy(owner))).allReleased());
    QVERIFY2(contains(job.outcome(), "\"a\""), "the job did not learn of it");
    QVERIFY(job.wasStopped);
    QVERIFY2(timer.elapsed() < 2000, qPrintable(QString::number(timer.elapsed())));
}

void PostgresExecuteTest::lostSessionIsALostLock_data()
{
    QTest::addColumn<bool>("kills");
    QTest::newRow("the backend is terminated") << false;
    QTest::newRow("the server is killed") << true;
}

void PostgresExecuteTest::lostSessionIsALostLock()
{
    QFETCH(const bool, kills);
    PostgresModule locks(*m_server);
    PostgresJob job(locks, "a");
    QTRY_VERIFY(job.running);
    QElapsedTimer timer;
    timer.start();
    if (kills)
        m_server->kill();
    else
        m_server->query(u"SELECT pg_terminate_backend(%1)"_s.arg(sessionPid()));
    const std::string said = job.outcome();
    QVERIFY(job.wasStopped);
    QVERIFY2(timer.elapsed() < 2000, qPrintable(QString::number(timer.elapsed())));
    QVERIFY2(contains(said, "\"a\""), said.c_str());
    if (kills)
        m_server->start();
    QTRY_COMPARE(rows(), u"0"_s); // given back
}

void PostgresExecuteTest::goesOnInANewSession()
{
    PostgresModule locks(*m_server);
    PostgresJob job(locks, "a");
    QTRY_VERIFY(job.running);
    m_server->query(u"SELECT pg_terminate_backend(%1)"_s.arg(sessionPid()));
    QVERIFY(!job.outcome().empty());
    PostgresJob next(locks, "a");
    QTRY_VERIFY(next.running);
    QCOMPARE(advisory(), 1);
    QCOMPARE(next.end(), std::string());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresExecuteTest)
#include "postgres_execute_test.moc"
