// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"

#include <QElapsedTimer>
#include <QSignalSpy>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Who waits is woken: by whoever frees the key elsewhere, or by a timer for the holder's lease. By
//! looking again and again alone, which comes to every quarter of a second, half of the hand-overs
//! would take longer than an eighth.
class PostgresWakesTest final : public QObject {
    Q_OBJECT

Q_SIGNALS:
    void granted();

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanupTestCase() { m_server.reset(); }

    void otherLockboardsTell_data();
    void otherLockboardsTell();
    void releaseAllTellsEveryone();
    void longKeys_data();
    void longKeys();
    void endOfAJobTells();
    void triggersTell();
    void leasesAreTimed();
    void manyWaitersLookAsOne();

private:
    using Keys = std::vector<std::string>;

    Task<void> waitFor(PostgresModule* locks, std::string key, bool asJob);
    //! Has somebody wait for each of the keys, until they look as seldom as they ever do.
    void waitForAll(PostgresModule& locks, const Keys& keys, bool asJobs = false);
    void waitForGrants(std::size_t count);
    //! Frees one key after the other; \returns how long that took to be known, the median in ms.
    template <typename Free> qint64 medianAfter(const Keys& keys, Free free);
    [[nodiscard]] static qint64 median(std::vector<qint64> values);

    std::unique_ptr<PostgresServer> m_server;
    std::map<std::string, TimePoint> m_granted;
    int m_waiting = 0;
};

static constexpr qint64 soonMs = 50;

void PostgresWakesTest::initTestCase()
{
    m_server = std::make_unique<PostgresServer>();
}

void PostgresWakesTest::init()
{
    m_server->query(u"DROP TABLE IF EXISTS locking"_s);
    m_server->createTable();
    m_granted.clear();
    m_waiting = 0;
}

static std::vector<std::string> numbered(int count, const std::string& prefix = "k")
{
    std::vector<std::string> keys;
    for (int i = 0; i < count; ++i)
        keys.push_back(prefix + std::to_string(i));
    return keys;
}

Task<void> PostgresWakesTest::waitFor(PostgresModule* locks, std::string key, bool asJob)
{
    AcquireOptions options;
    options.ownedBy("waiter" + std::to_string(m_waiting)).expiringIn(60s).waiting(20s);
    ExecuteOptions jobOptions;
    jobOptions.timingOutAfter(20s);
    const auto job = [this, key] {
        m_granted[key] = std::chrono::steady_clock::now();
        Q_EMIT granted();
    };
    ++m_waiting;
    if (asJob) {
        co_await (*locks)->execute(key, job, jobOptions);
    } else {
        co_await (*locks)->acquire(key, options);
        job();
    }
}

void PostgresWakesTest::waitForAll(PostgresModule& locks, const Keys& keys, bool asJobs)
{
    for (const std::string& key : keys)
        letRun(waitFor(&locks, key, asJobs));
    QTest::qWait(800);
    QCOMPARE(m_waiting, int(keys.size()));
    QVERIFY(m_granted.empty());
}

qint64 PostgresWakesTest::median(std::vector<qint64> values)
{
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

void PostgresWakesTest::waitForGrants(std::size_t count)
{
    QSignalSpy spy(this, &PostgresWakesTest::granted); // QTest::qWaitFor takes naps of 10 ms
    while (m_granted.size() < count) {
        if (!spy.wait(5000))
            throw std::runtime_error("nobody was granted what was freed");
    }
}

template <typename Free> qint64 PostgresWakesTest::medianAfter(const Keys& keys, Free free)
{
    std::vector<qint64> took;
    for (const std::string& key : keys) {
        const auto grants = m_granted.size();
        const TimePoint before = std::chrono::steady_clock::now();
        free(key);
        waitForGrants(grants + 1);
        took.push_back((m_granted.at(key) - before) / 1ms);
    }
    return median(std::move(took));
}

void PostgresWakesTest::otherLockboardsTell_data()
{
    QTest::addColumn<int>("how");
    QTest::addColumn<bool>("toJobs");
    const QStringList ways{u"release"_s, u"release of several"_s, u"releaseAll of an owner"_s};
    for (int how = 0; how < ways.size(); ++how) {
        QTest::addRow("%s, to an acquire", qPrintable(ways[how])) << how << false;
        QTest::addRow("%s, to an execute", qPrintable(ways[how])) << how << true;
    }
}

void PostgresWakesTest::otherLockboardsTell()
{
    QFETCH(const int, how);
    QFETCH(const bool, toJobs);
    PostgresModule here(*m_server), there(*m_server);
    const Keys keys = numbered(20);
    // An owner for each key, and another key of his.
    for (const std::string& key : keys)
        await(here->acquire(LockKeys(key, key + '+'), AcquireOptions().ownedBy("of " + key)));
    waitForAll(there, keys, toJobs);
    const qint64 took = medianAfter(keys, [&](const std::string& key) {
        const ReleaseOptions his = ReleaseOptions().ownedBy("of " + key);
        if (how == 0)
            letRun(here->release(key, his));
        else if (how == 1)
            letRun(here->release(LockKeys(key, key + '+'), his));
        else
            letRun(here->releaseAll(ReleaseAllOptions().ownedBy("of " + key)));
    });
    QVERIFY2(took < soonMs, qPrintable(QString::number(took)));
}

void PostgresWakesTest::releaseAllTellsEveryone()
{
    const Keys keys = numbered(10);
    qint64 best = 1000;
    for (int round = 0; round < 3; ++round) { // each is a single moment of a busy machine
        init();
        PostgresModule here(*m_server), there(*m_server);
        await(here->acquire(LockKeys(keys), AcquireOptions().ownedBy("holder")));
        await(here->releaseAll(ReleaseAllOptions().ownedBy("nobody"))); // connects
        waitForAll(there, keys);
        const TimePoint before = std::chrono::steady_clock::now();
        letRun(here->releaseAll());
        waitForGrants(keys.size());
        std::vector<qint64> took;
        for (const std::string& key : keys)
            took.push_back((m_granted.at(key) - before) / 1ms);
        best = std::min(best, median(std::move(took)));
    }
    QVERIFY2(best < soonMs, qPrintable(QString::number(best)));
}

void PostgresWakesTest::longKeys_data()
{
    QTest::addColumn<QString>("text");
    // Of what can't be packed, an index takes less than 2704 bytes.
    QTest::newRow("2 KB, as long as they come")
        << m_server->value(u"SELECT string_agg(md5(i::text), '') FROM generate_series(1, 64) i"_s);
    QTest::newRow("7 KB of the same letter, too long to be told") << QString(7100, u'k');
}

void PostgresWakesTest::longKeys()
{
    QFETCH(const QString, text);
    PostgresModule here(*m_server), there(*m_server);
    std::vector<qint64> all;
    // One at a time: what does not say which key was freed makes everyone look.
    for (const std::string& key : numbered(7, text.toStdString())) {
        m_granted.clear();
        m_waiting = 0;
        await(here->acquire(key));
        waitForAll(there, {key});
        all.push_back(medianAfter({key}, [&](const std::string&) { letRun(here->release(key)); }));
    }
    const qint64 took = median(std::move(all));
    QVERIFY2(took < soonMs, qPrintable(QString::number(took)));
}

void PostgresWakesTest::endOfAJobTells()
{
    PostgresModule here(*m_server), there(*m_server);
    const Keys keys = numbered(20);
    std::map<std::string, std::unique_ptr<PostgresJob>> jobs;
    for (const std::string& key : keys)
        jobs[key] = std::make_unique<PostgresJob>(here, key);
    QTRY_VERIFY(
        std::all_of(jobs.begin(), jobs.end(), [](const auto& one) { return one.second->running; }));
    waitForAll(there, keys);
    const qint64 took = medianAfter(keys, [&](const std::string& key) {
        if (const std::string problem = jobs[key]->end(); !problem.empty())
            throw std::runtime_error(problem);
    });
    QVERIFY2(took < soonMs, qPrintable(QString::number(took)));
}

void PostgresWakesTest::triggersTell()
{
    PostgresModule there(*m_server);
    await(there->installNotices());
    const Keys keys = numbered(20);
    m_server->query(u"INSERT INTO locking SELECT 'k' || i, 'medusa' "
                    "FROM generate_series(0, 19) i"_s);
    waitForAll(there, keys);
    const qint64 took = medianAfter(keys, [&](const std::string& key) {
        m_server->query(u"DELETE FROM locking WHERE id = $1 AND owner_id = 'medusa'"_s,
                        {QString::fromStdString(key)});
    });
    QVERIFY2(took < soonMs, qPrintable(QString::number(took)));
}

void PostgresWakesTest::leasesAreTimed()
{
    PostgresModule here(*m_server), there(*m_server);
    const Keys keys = numbered(15);
    std::map<std::string, TimePoint> ends;
    auto lease = 1500ms;
    for (const std::string& key : keys) {
        const Grant grant =
            await(here->acquire(key, AcquireOptions().ownedBy("holder").expiringIn(lease += 17ms)));
        ends[key] = *grant.leaseEnd();
    }
    waitForAll(there, keys);
    waitForGrants(keys.size());
    std::vector<qint64> late;
    for (const std::string& key : keys) {
        late.push_back((m_granted[key] - ends[key]) / 1ms);
        // The lease began when the server read the call, later than we reckon.
        QVERIFY2(late.back() >= 0, qPrintable(QString::number(late.back())));
    }
    const qint64 took = median(late);
    QVERIFY2(took < 60, qPrintable(QString::number(took)));
}

void PostgresWakesTest::manyWaitersLookAsOne()
{
    m_server->query(u"ALTER SYSTEM SET log_statement = 'all'"_s);
    m_server->query(u"SELECT pg_reload_conf()"_s);
    m_server->query(u"INSERT INTO locking VALUES ('k', 'medusa', NULL)"_s);
    const auto looks = [this] {
        const QString log = m_server->log();
        return log.count(u"execute lockboard_take"_s) + log.count(u"execute lockboard_acquire"_s);
    };
    {
        PostgresModule there(*m_server);
        for (int i = 0; i < 50; ++i)
            letRun(waitFor(&there, "k", false));
        QTRY_VERIFY(looks() >= 4); // the log is what tells
        QTest::qWait(500);
        const qsizetype before = looks();
        QElapsedTimer time;
        time.start();
        QTest::qWait(4000);
        const double perSecond = double(looks() - before) * 1000 / double(time.elapsed());
        QVERIFY2(perSecond <= 6 && perSecond >= 1, qPrintable(QString::number(perSecond)));
        m_server->query(u"DELETE FROM locking"_s);
        QTRY_COMPARE(m_granted.size(), 1U); // and it is found
    }
    m_server->query(u"ALTER SYSTEM RESET log_statement"_s);
    m_server->query(u"SELECT pg_reload_conf()"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresWakesTest)
#include "postgres_wakes_test.moc"
