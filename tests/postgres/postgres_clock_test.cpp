// SPDX-License-Identifier: MIT
#include "tests/postgres/watched.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

static constexpr std::chrono::seconds skew = 2h;

//! A server whose clock is hours ahead of this machine's, or behind: leases last as long as they
//! should all the same, and are shown so.
class PostgresClockTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data();
    void init();
    void cleanupTestCase() { m_servers.clear(); }

    void leasesAreTheServers();
    void listShowsWhatIsLeft();
    void aWaiterIsServedAtTheEndOfTheLease();
    void aJobLivesOnRenewals();

private:
    [[nodiscard]] bool isAhead() const { return m_ahead > 0s; }
    //! A row whose lease ends in a minute by this machine's clock.
    void insertByOurClock(const QString& key);

    std::map<int, std::unique_ptr<PostgresServer>> m_servers; // by their hours ahead
    PostgresServer* m_server = nullptr;
    std::chrono::seconds m_ahead{0};
};

void PostgresClockTest::initTestCase_data()
{
    QTest::addColumn<int>("hours");
    QTest::newRow("ahead") << 2;
    QTest::newRow("behind") << -2;
}

void PostgresClockTest::init()
{
    QFETCH_GLOBAL(const int, hours);
    m_ahead = std::chrono::hours(hours);
    std::unique_ptr<PostgresServer>& server = m_servers[hours];
    if (!server) {
        PostgresOptions options;
        options.ahead = m_ahead;
        server = std::make_unique<PostgresServer>(options);
        server->createTable();
    }
    m_server = server.get();
    m_server->query(u"TRUNCATE locking"_s);
    const qint64 theirs =
        m_server->value(u"SELECT extract(epoch FROM clock_timestamp())::bigint"_s).toLongLong();
    const qint64 off = theirs - QDateTime::currentSecsSinceEpoch() - m_ahead.count();
    QVERIFY2(std::abs(off) < 60, qPrintable(QString::number(off)));
}

void PostgresClockTest::insertByOurClock(const QString& key)
{
    m_server->query(u"INSERT INTO locking VALUES ($1, 'other', to_timestamp($2))"_s,
                    {key, QString::number(QDateTime::currentSecsSinceEpoch() + 60)});
}

void PostgresClockTest::leasesAreTheServers()
{
    const PostgresModule locks(*m_server);
    await(locks->acquire("k", AcquireOptions().ownedBy("me").expiringIn(60s)));
    const Conflict conflict = thrownBy<Conflict>(locks->acquire("k"));
    QVERIFY(conflict.remaining() > 50s && conflict.remaining() <= 60s);
    const QString left = m_server->value(
        u"SELECT extract(epoch FROM expiration - clock_timestamp()) FROM locking"_s);
    QVERIFY2(left.toDouble() > 50 && left.toDouble() <= 60, qPrintable(left));
    // By ours it would last a minute: by the server's it is long over, or lasts for hours.
    insertByOurClock(u"foreign"_s);
    if (isAhead())
        QVERIFY(await(locks->acquire("foreign")).token());
    else
        QVERIFY(thrownBy<Conflict>(locks->acquire("foreign")).remaining() > skew);
}

void PostgresClockTest::listShowsWhatIsLeft()
{
    insertByOurClock(u"foreign"_s);
    const PostgresModule locks(*m_server);
    await(locks->acquire("k", AcquireOptions().ownedBy("me").expiringIn(60s)));
    const Watcher watcher(locks);
    QTRY_VERIFY(watcher.isLive());
    QTRY_COMPARE(watcher.locks.size(), 2U);
    const auto left = [&](const std::string& key) {
        return *watcher.locks.at(key).leaseEnd - std::chrono::steady_clock::now();
    };
    QVERIFY(left("k") > 50s && left("k") <= 61s);
    QCOMPARE(watcher.locks.at("foreign").state == LockState::Residue, isAhead());
    if (!isAhead())
        QVERIFY(left("foreign") > skew && left("foreign") <= skew + 61s);
}

void PostgresClockTest::aWaiterIsServedAtTheEndOfTheLease()
{
    const PostgresModule one(*m_server), other(*m_server);
    await(other->execute("warm", [] {}));
    QElapsedTimer waited;
    waited.start();
    await(one->acquire("k", AcquireOptions().ownedBy("one").expiringIn(1s)));
    await(other->acquire("k", AcquireOptions().ownedBy("other").waiting(10s)));
    QVERIFY2(waited.elapsed() >= 1000 && waited.elapsed() < 3000,
             qPrintable(QString::number(waited.elapsed())));
}

void PostgresClockTest::aJobLivesOnRenewals()
{
    const PostgresModule locks(*m_server), other(*m_server);
    PostgresJob job(locks, "k", ExecuteOptions().expiringIn(1s));
    QTRY_VERIFY(job.running);
    for (int i = 0; i < 8; ++i) {
        QTest::qWait(300);
        QVERIFY(thrownBy<Conflict>(other->acquire("k")).remaining() <= 1s);
    }
    QCOMPARE(job.end(), std::string());
    QVERIFY(!job.wasStopped);
    QVERIFY(await(other->acquire("k")).token());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresClockTest)
#include "postgres_clock_test.moc"
