// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "tests/postgres/watched.h"

#include <QDeadlineTimer>
#include <QDir>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! What many calls cost the server and this process: three connections, no transaction that stays
//! open, no threads.
class PostgresFootprintTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_server->query(u"DELETE FROM locking"_s); }
    void cleanupTestCase() { m_server.reset(); }

    void connectionsAreFew();
    void callsTakeNoThread();

private:
    [[nodiscard]] qsizetype connectionsMade() const
    {
        return m_server->log().count(
            QRegularExpression(u"connection authorized: [^\\n]* application_name=lockboard"_s));
    }
    static Task<void> waitFor(const PostgresModule* locks, int i, int* granted);

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresFootprintTest::initTestCase()
{
    PostgresOptions options;
    options.settings = {u"log_connections = on"_s};
    m_server = std::make_unique<PostgresServer>(options);
    m_server->createTable();
}

Task<void> PostgresFootprintTest::waitFor(const PostgresModule* locks, int i, int* granted)
{
    AcquireOptions options;
    options.ownedBy("waiter" + std::to_string(i)).expiringIn(60s).waiting(60s);
    co_await (*locks)->acquire("k" + std::to_string(i % 25), options);
    ++*granted;
}

void PostgresFootprintTest::connectionsAreFew()
{
    m_server->query(u"INSERT INTO locking SELECT 'k' || i, 'somebody' "
                    "FROM generate_series(0, 24) i"_s);
    Sql medusa(m_server->url());
    medusa.query(u"BEGIN"_s); // as its execute does: for one of those that wait, and one of ours
    medusa.query(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash("job0")));
    const PostgresModule locks(*m_server);
    Watcher watcher(locks);
    int granted = 0;
    for (int i = 0; i < 100; ++i)
        letRun(waitFor(&locks, i, &granted));
    std::vector<std::unique_ptr<PostgresJob>> jobs;
    for (int i = 0; i < 50; ++i)
        jobs.push_back(std::make_unique<PostgresJob>(
            locks, "job" + std::to_string(i), ExecuteOptions().expiringIn(1s).timingOutAfter(60s)));
    const auto isRunning = [](const auto& job) { return job->running; };
    QTRY_COMPARE(std::count_if(jobs.begin(), jobs.end(), isRunning), 49);
    QTRY_VERIFY(watcher.isLive());
    int samples = 0;
    for (const QDeadlineTimer end(2000); !end.hasExpired(); ++samples) { // renewals among them
        if (samples % 20 == 0)
            QVERIFY(await(locks->check()).reachable);
        QTest::qWait(5);
        QCOMPARE(m_server->value(u"SELECT count(*) FROM pg_stat_activity WHERE application_name "
                                 "LIKE 'lockboard%' AND state LIKE 'idle in transaction%'"_s),
                 u"0"_s);
    }
    QVERIFY(samples > 20);
    QCOMPARE(granted, 0);
    medusa.query(u"COMMIT"_s);
    QTRY_COMPARE(std::count_if(jobs.begin(), jobs.end(), isRunning), 50);
    m_server->query(u"DELETE FROM locking WHERE owner_id = 'somebody'"_s);
    QTRY_COMPARE(granted, 25); // the others wait for these
    for (const auto& job : jobs)
        QCOMPARE(job->end(), std::string());
    QCOMPARE(connectionsMade(), 4); // one of them for who stands in line behind Medusa
}

static qsizetype threads()
{
    return QDir(u"/proc/self/task"_s).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size();
}

void PostgresFootprintTest::callsTakeNoThread()
{
    const PostgresModule locks(*m_server);
    await(locks->execute("warm", [] {}));
    await(locks->acquire("warm"));
    const qsizetype before = threads();
    QVERIFY(before >= 1);
    std::vector<std::unique_ptr<PostgresJob>> jobs;
    for (int i = 0; i < 200; ++i) // half of them run, half of them wait
        jobs.push_back(std::make_unique<PostgresJob>(locks, std::to_string(i % 100),
                                                     ExecuteOptions().timingOutAfter(60s)));
    QTRY_COMPARE(
        std::count_if(jobs.begin(), jobs.end(), [](const auto& job) { return job->running; }), 100);
    QCOMPARE(threads(), before);
    for (const auto& job : jobs)
        QCOMPARE(job->end(), std::string());
    QCOMPARE(threads(), before);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresFootprintTest)
#include "postgres_footprint_test.moc"
