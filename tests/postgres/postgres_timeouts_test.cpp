// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! What takes too long ends in time, and is called what it was.
class PostgresTimeoutsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<PostgresServer>(); }
    void init();
    void cleanupTestCase() { m_server.reset(); }

    void endsWhatMeetsALockedRow_data();
    void endsWhatMeetsALockedRow();
    void callsASlowServerSlow();
    void releaseAllEndsAtALockedRow_data();
    void releaseAllEndsAtALockedRow();
    void releaseAllCountsAllThatIsLocked();
    void releaseAllTellsWhatItReleasedBefore();
    void releaseAllMayTakeLonger();
    void longWaitsAreNoSilence_data();
    void longWaitsAreNoSilence();

private:
    [[nodiscard]] QString rows() { return m_server->value(u"SELECT count(*) FROM locking"_s); }

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresTimeoutsTest::init()
{
    m_server->query(u"DROP TABLE IF EXISTS locking"_s);
    m_server->createTable();
}

static ReleaseOptions mine()
{
    return ReleaseOptions().ownedBy("me");
}

void PostgresTimeoutsTest::endsWhatMeetsALockedRow_data()
{
    QTest::addColumn<QString>("options");
    QTest::addColumn<QString>("says");
    QTest::addColumn<bool>("blamesSomebody");
    QTest::newRow("statement timeout") << u", \"statementTimeout\": 300, \"lockTimeout\": 5000"_s
                                       << u"statement timeout"_s << false;
    QTest::newRow("lock timeout") << u", \"statementTimeout\": 5000, \"lockTimeout\": 300"_s
                                  << u"lock timeout"_s << true;
}

void PostgresTimeoutsTest::endsWhatMeetsALockedRow()
{
    QFETCH(const QString, options);
    QFETCH(const QString, says);
    QFETCH(const bool, blamesSomebody);
    const PostgresModule locks(*m_server, options);
    await(locks->acquire("k", AcquireOptions().ownedBy("me")));
    Sql other(m_server->url());
    other.query(u"BEGIN; SELECT FROM locking WHERE id = 'k' FOR UPDATE"_s);
    QElapsedTimer took;
    took.start();
    const Unavailable error = thrownBy<Unavailable>(locks->release("k", mine()));
    QVERIFY2(took.elapsed() >= 290 && took.elapsed() < 1500,
             qPrintable(QString::number(took.elapsed())));
    QVERIFY2(contains(error.message(), says.toStdString()), error.what());
    QCOMPARE(contains(error.message(), "Another session kept"), blamesSomebody);
    other.query(u"COMMIT"_s);
    QVERIFY(await(locks->release("k", mine())).allReleased());
}

void PostgresTimeoutsTest::callsASlowServerSlow()
{
    m_server->query(u"CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ "
                    "BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$"_s);
    m_server->query(u"CREATE TRIGGER dawdles BEFORE INSERT ON locking FOR EACH ROW EXECUTE "
                    "FUNCTION dawdle()"_s);
    const PostgresModule locks(*m_server, u", \"statementTimeout\": 300"_s);
    const auto isTrue = [](const Unavailable& error) {
        return contains(error.message(), "took too long") && !contains(error.message(), "locked");
    };
    const Unavailable alone = thrownBy<Unavailable>(locks->acquire("k"));
    QVERIFY2(isTrue(alone), alone.what());
    const Unavailable several = thrownBy<Unavailable>(locks->acquire(LockKeys("k", "l")));
    QVERIFY2(isTrue(several), several.what());
    const Unavailable job = thrownBy<Unavailable>(locks->execute("k", [] {}));
    QVERIFY2(isTrue(job), job.what());
    QCOMPARE(rows(), u"0"_s);
}

void PostgresTimeoutsTest::releaseAllEndsAtALockedRow_data()
{
    QTest::addColumn<bool>("ofOwner");
    QTest::newRow("all") << false;
    QTest::newRow("an owner's") << true;
}

void PostgresTimeoutsTest::releaseAllEndsAtALockedRow()
{
    QFETCH(const bool, ofOwner);
    m_server->query(u"INSERT INTO locking VALUES ('a', 'me'), ('k', 'me'), ('z', 'me')"_s);
    const PostgresModule locks(*m_server, u", \"lockTimeout\": 300"_s);
    Sql other(m_server->url());
    other.query(u"BEGIN; SELECT FROM locking WHERE id = 'k' FOR UPDATE"_s);
    ReleaseAllOptions options;
    if (ofOwner)
        options.ownedBy("me");
    QElapsedTimer took;
    took.start();
    const ReleaseAllResult result = await(locks->releaseAll(options));
    QVERIFY2(took.elapsed() >= 290 && took.elapsed() < 1500,
             qPrintable(QString::number(took.elapsed())));
    QCOMPARE(result.released, 2U);
    QCOMPARE(result.left(), 1U);
    QCOMPARE(result.reasons.front().first, std::string("its row kept locked by another session"));
    QCOMPARE(rows(), u"1"_s);
    other.query(u"COMMIT"_s);
    QCOMPARE(await(locks->releaseAll(options)).released, 1U);
}

void PostgresTimeoutsTest::releaseAllCountsAllThatIsLocked()
{
    m_server->query(u"INSERT INTO locking SELECT 'k' || i, 'me' FROM generate_series(1, 250) i"_s);
    const PostgresModule locks(*m_server, u", \"lockTimeout\": 300"_s);
    Sql other(m_server->url());
    other.query(u"BEGIN; SELECT FROM locking WHERE id <> 'k1' FOR UPDATE"_s);
    const auto mine = ReleaseAllOptions().ownedBy("me");
    const ReleaseAllResult result = await(locks->releaseAll(mine));
    QCOMPARE(result.released, 1U);
    QCOMPARE(result.left(), 249U);
    other.query(u"COMMIT"_s);
    QCOMPARE(await(locks->releaseAll(mine)).released, 249U);
}

void PostgresTimeoutsTest::releaseAllTellsWhatItReleasedBefore()
{
    m_server->query(u"INSERT INTO locking SELECT lpad(i::text, 6, '0'), 'me' "
                    "FROM generate_series(1, 25000) i"_s);
    m_server->query(u"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
                    "BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"_s);
    m_server->query(u"CREATE TRIGGER refuses BEFORE DELETE ON locking FOR EACH ROW WHEN "
                    "(OLD.id = '024000') EXECUTE FUNCTION refuse()"_s);
    const PostgresModule locks(*m_server);
    const ReleaseAllResult result = await(locks->releaseAll());
    QVERIFY(result.released > 0 && result.released < 25'000);
    QVERIFY(!result.cancelled);
    QVERIFY(result.interruption);
    const std::string why = messageOf(result.interruption);
    QVERIFY2(contains(why, "no space left"), why.c_str());
    QCOMPARE(rows().toULongLong(), 25'000 - result.released);
    m_server->query(u"DROP TRIGGER refuses ON locking"_s);
    QCOMPARE(await(locks->releaseAll()).released, 25'000 - result.released);
}

void PostgresTimeoutsTest::releaseAllMayTakeLonger()
{
    m_server->query(u"CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ "
                    "BEGIN PERFORM pg_sleep(1); RETURN OLD; END $$"_s);
    m_server->query(u"CREATE TRIGGER dawdles BEFORE DELETE ON locking FOR EACH ROW EXECUTE "
                    "FUNCTION dawdle()"_s);
    m_server->query(u"INSERT INTO locking VALUES ('k', 'me')"_s);
    const PostgresModule locks(*m_server, u", \"statementTimeout\": 300"_s);
    QCOMPARE(await(locks->releaseAll()).released, 1U);
}

void PostgresTimeoutsTest::longWaitsAreNoSilence_data()
{
    QTest::addColumn<bool>("isLocked");
    QTest::newRow("for a lock") << true;
    QTest::newRow("for a slow server") << false;
}

void PostgresTimeoutsTest::longWaitsAreNoSilence()
{
    QFETCH(const bool, isLocked);
    m_server->query(u"INSERT INTO locking VALUES ('k', 'me')"_s);
    if (!isLocked) {
        m_server->query(u"CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
                        "$$ BEGIN PERFORM pg_sleep(4.5); RETURN OLD; END $$"_s);
        m_server->query(u"CREATE TRIGGER dawdles BEFORE DELETE ON locking FOR EACH ROW EXECUTE "
                        "FUNCTION dawdle()"_s);
    }
    // The statement timeout is none of releaseAll's.
    const PostgresModule locks(*m_server, u", \"statementTimeout\": 300, \"lockTimeout\": 4500"_s);
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    if (isLocked)
        other.query(u"SELECT FROM locking WHERE id = 'k' FOR UPDATE"_s);
    const ReleaseAllResult result = await(locks->releaseAll());
    QVERIFY(!result.interruption);
    QCOMPARE(result.released, isLocked ? 0U : 1U);
    QCOMPARE(result.left(), isLocked ? 1U : 0U);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresTimeoutsTest)
#include "postgres_timeouts_test.moc"
