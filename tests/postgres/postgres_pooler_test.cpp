// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"
#include "tests/support/pgbouncer.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Behind a real PgBouncer, which other clients use too.
class PostgresPoolerTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_server->query(u"TRUNCATE locking"_s); }
    void cleanupTestCase() { m_server.reset(); }

    void holdsInASessionOfItsOwn();
    void isWokenInASessionOfItsOwn();
    void losesItsLocksWithThePooler();
    void worksWithTransactionPooling();
    void waitsForNoLockedRowForEver();
    void changesNoSessionOfOthers();
    void endsWhileItLooksForAPooler_data();
    void endsWhileItLooksForAPooler();

private:
    std::unique_ptr<PostgresServer> m_server;
};

void PostgresPoolerTest::initTestCase()
{
    m_server = std::make_unique<PostgresServer>();
    m_server->createTable();
}

void PostgresPoolerTest::holdsInASessionOfItsOwn()
{
    const PgBouncer pooler(*m_server, PgBouncer::Pooling::Session);
    const PostgresModule locks(pooler.url());
    await(locks->acquire("k", AcquireOptions().ownedBy("me")));
    QVERIFY(await(locks->release("k", ReleaseOptions().ownedBy("me"))).allReleased());
    PostgresJob job(locks, "a");
    QTRY_VERIFY(job.running);
    QCOMPARE(m_server->value(u"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "
                             "objsubid = 1"_s),
             u"1"_s);
    QVERIFY2(!contains(locks.log, "pooling"), locks.log.c_str());
    QCOMPARE(job.end(), std::string());
}

void PostgresPoolerTest::isWokenInASessionOfItsOwn()
{
    const PgBouncer pooler(*m_server, PgBouncer::Pooling::Session);
    const PostgresModule locks(pooler.url()), others(*m_server);
    QList<qint64> taken;
    for (int i = 0; i < 9; ++i) {
        await(others->acquire("k", AcquireOptions().ownedBy("other")));
        Task<Grant> grant = locks->acquire("k", AcquireOptions().ownedBy("me").waiting(10s));
        QTest::qWait(600); // its looks are far between by now
        QElapsedTimer timer;
        timer.start();
        await(others->release("k", ReleaseOptions().ownedBy("other")));
        await(std::move(grant));
        taken += timer.elapsed();
        await(locks->release("k", ReleaseOptions().ownedBy("me")));
    }
    std::sort(taken.begin(), taken.end());
    QVERIFY2(taken[4] < 60, qPrintable(QString::number(taken[4])));
}

void PostgresPoolerTest::losesItsLocksWithThePooler()
{
    PgBouncer pooler(*m_server, PgBouncer::Pooling::Session);
    const PostgresModule locks(pooler.url());
    PostgresJob job(locks, "a");
    QTRY_VERIFY(job.running);
    pooler.stop();
    QVERIFY2(contains(job.outcome(), "\"a\""), "it did not learn of its loss");
    QVERIFY(job.wasStopped);
    pooler.start();
    std::optional<PostgresJob> next;
    for (int tries = 0; tries < 10 && !(next && next->running); ++tries) {
        next.emplace(locks, "b"); // an attempt to connect from before may fail it yet
        QTRY_VERIFY_WITH_TIMEOUT(next->running || next->isDone, 15'000);
        QVERIFY(next->running || contains(next->outcome(), "can't be reached"));
    }
    QVERIFY(next->running);
    QCOMPARE(next->end(), std::string());
}

void PostgresPoolerTest::worksWithTransactionPooling()
{
    const PgBouncer pooler(*m_server, PgBouncer::Pooling::Transaction);
    const PostgresModule locks(pooler.url());
    const auto mine = AcquireOptions().ownedBy("me");
    await(locks->acquire(LockKeys("a", "b"), mine));
    thrownBy<Conflict>(locks->acquire("a"));
    Task<Grant> waiting = locks->acquire("a", AcquireOptions().ownedBy("you").waiting(10s));
    QVERIFY(
        await(locks->release(LockKeys("a", "b"), ReleaseOptions().ownedBy("me"))).allReleased());
    await(std::move(waiting));
    await(locks->execute(LockKeys("c", "d"), [] {}));
    QCOMPARE(await(locks->releaseAll()).released, 1U);
}

void PostgresPoolerTest::waitsForNoLockedRowForEver()
{
    const PgBouncer pooler(*m_server, PgBouncer::Pooling::Transaction);
    const PostgresModule locks(pooler.url(), u", \"lockTimeout\": 200"_s);
    await(locks->acquire("a", AcquireOptions().ownedBy("me")));
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    other.query(u"SELECT * FROM locking FOR UPDATE"_s);
    for (const Owner& owner : {Owner("me"), Owner()}) {
        const ReleaseAllResult result =
            await(locks->releaseAll(ReleaseAllOptions().ownedBy(owner)));
        QCOMPARE(result.released, 0U);
        QCOMPARE(result.left(), 1U);
    }
}

//! A pooler that shares its sessions hands ours to the next client, the shop say.
void PostgresPoolerTest::changesNoSessionOfOthers()
{
    const PgBouncer pooler(*m_server, PgBouncer::Pooling::Transaction,
                           {u"default_pool_size = 3"_s});
    // Of each of its sessions: what would be another after us.
    const auto settings = [&pooler] {
        QStringList all;
        std::vector<std::unique_ptr<Sql>> clients;
        for (int i = 0; i < 3; ++i) {
            Sql& client = *clients.emplace_back(std::make_unique<Sql>(pooler.url()));
            client.query(u"BEGIN"_s); // keeps the session from the next one
            all += client.value(
                u"SELECT concat_ws(' ', current_setting('synchronous_commit'), "
                "current_setting('statement_timeout'), current_setting('lock_timeout'), "
                "current_setting('default_transaction_isolation'), "
                "(SELECT count(*) FROM pg_listening_channels()))"_s);
        }
        return all;
    };
    const QStringList before = settings();
    QCOMPARE(before.first(), u"on 0 0 read committed 0"_s);
    {
        const PostgresModule locks(pooler.url());
        await(locks->acquire("k", AcquireOptions().ownedBy("me")));
        await(locks->execute("a", [] {}));
        thrownBy<TimedOut>(locks->acquire("k", AcquireOptions().ownedBy("you").waiting(300ms)));
        QCOMPARE(settings(), before);
    }
    QCOMPARE(settings(), before);
    // What an own limit is for is kept all the same.
    const PostgresModule locks(pooler.url(), u", \"lockTimeout\": 300"_s);
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    other.query(u"LOCK TABLE locking IN ACCESS EXCLUSIVE MODE"_s);
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("k"));
    QVERIFY2(contains(error.message(), "locked"), error.what());
}

void PostgresPoolerTest::endsWhileItLooksForAPooler_data()
{
    QTest::addColumn<int>("after");
    for (int ms = 0; ms < 200; ms += 15)
        QTest::addRow("%d ms", ms) << ms;
}

void PostgresPoolerTest::endsWhileItLooksForAPooler()
{
    QFETCH(const int, after);
    const PgBouncer pooler(*m_server, PgBouncer::Pooling::Transaction,
                           {u"default_pool_size = 2"_s});
    PostgresModule locks(pooler.url());
    const PostgresJob one(locks, "a"), two(locks, "b");
    QTest::qWait(after);
    locks.destroy();
    QTRY_VERIFY(one.isDone && two.isDone);
    QTest::qWait(50); // for timers that are left
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresPoolerTest)
#include "postgres_pooler_test.moc"
