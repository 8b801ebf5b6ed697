// SPDX-License-Identifier: MIT
#include "tests/postgres/watched.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Real roles with the rights on one table, and with fewer.
class PostgresRightsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_server.reset(); }

    void fourRightsOnTheTableAreEnough();
    void fourRightsAreEnoughToWaitAndRenew();
    void readersSeeAndMayNotTouch();
    void strangersSeeNothing();
    void sessionsThatOnlyReadAreDenied();
    void checkNamesWhatIsMissing();
    void standbysOnlyShow();

private:
    static bool finds(const CheckReport& report, std::string_view sentence)
    {
        return std::any_of(report.findings.begin(), report.findings.end(),
                           [&](const Finding& one) { return contains(one.sentence, sentence); });
    }

    static void isOnlyRead(const Denied& error)
    {
        QVERIFY2(contains(error.message(), "lets this session only read"), error.what());
    }
    void mayOnlyLook(const PostgresModule& locks);

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresRightsTest::initTestCase()
{
    m_server = std::make_unique<PostgresServer>();
    m_server->createTable();
    m_server->query(
        u"CREATE ROLE worker LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE stranger "
        "LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON locking TO worker; GRANT SELECT "
        "ON locking TO reader; CREATE ROLE looker LOGIN; GRANT SELECT, INSERT, UPDATE, "
        "DELETE ON locking TO looker; ALTER ROLE looker SET "
        "default_transaction_read_only = on"_s);
}

void PostgresRightsTest::fourRightsOnTheTableAreEnough()
{
    const PostgresModule locks(m_server->url(u"worker"_s));
    const AcquireOptions mine = AcquireOptions().ownedBy("me").expiringIn(30s);
    await(locks->acquire("a", mine));
    await(locks->acquire(LockKeys("a", "b"), mine));
    QVERIFY(await(locks->release("a", ReleaseOptions().ownedBy("me"))).allReleased());
    QCOMPARE(await(locks->execute(LockKeys("x", "y"), [] { return 3; })), 3);
    QCOMPARE(await(locks->releaseAll()).released, 1U);
    const CheckReport report = await(locks->check());
    QVERIFY(report.reachable);
    QVERIFY(std::none_of(report.findings.begin(), report.findings.end(),
                         [](const Finding& one) { return one.level == Finding::Problem; }));
}

static Task<void> waitFor(const PostgresModule* locks, bool* granted)
{
    co_await (*locks)->acquire("awaited", AcquireOptions().ownedBy("me").waiting(20s));
    *granted = true;
}

void PostgresRightsTest::fourRightsAreEnoughToWaitAndRenew()
{
    m_server->query(u"INSERT INTO locking VALUES ('awaited', 'x')"_s);
    const PostgresModule locks(m_server->url(u"worker"_s));
    Watcher watcher(locks);
    QTRY_VERIFY(watcher.isLive());
    QVERIFY(watcher.locks.contains("awaited"));
    bool granted = false;
    letRun(waitFor(&locks, &granted));
    PostgresJob job(locks, "renewed", ExecuteOptions().expiringIn(900ms));
    QTRY_VERIFY(job.running);
    const auto lease = [this] {
        return m_server->value(u"SELECT expiration FROM locking WHERE id = 'renewed'"_s);
    };
    for (int renewals = 0; renewals < 4; ++renewals) { // longer than the first lease
        const QString before = lease();
        QTRY_VERIFY(lease() != before);
    }
    QTRY_VERIFY(watcher.locks.contains("renewed"));
    QVERIFY(!job.wasStopped);
    QVERIFY(!granted);
    m_server->query(u"DELETE FROM locking WHERE id = 'awaited'"_s);
    QTRY_VERIFY(granted);
    QCOMPARE(job.end(), std::string());
    QTRY_VERIFY(!watcher.locks.contains("renewed"));
    QTRY_COMPARE(watcher.locks["awaited"].owner, Owner("me"));
    QVERIFY(watcher.clean);
    m_server->query(u"TRUNCATE locking"_s);
}

void PostgresRightsTest::readersSeeAndMayNotTouch()
{
    m_server->query(u"INSERT INTO locking VALUES ('seen', 'x')"_s);
    const PostgresModule locks(m_server->url(u"reader"_s));
    const Denied error = thrownBy<Denied>(locks->acquire("a"));
    QVERIFY2(contains(error.message(), "permission denied for table locking"), error.what());
    thrownBy<Denied>(locks->acquire(LockKeys("a", "b")));
    thrownBy<Denied>(locks->release("seen", ReleaseOptions().ownedBy("x")));
    thrownBy<Denied>(locks->releaseAll());
    bool ran = false;
    thrownBy<Denied>(locks->execute("a", [&] { ran = true; }));
    QVERIFY(!ran);
    QTRY_COMPARE(m_server->advisoryLocks(), 0);
    const LiveViewPtr view = await(locks->liveView());
    LockBatch seen;
    connect(view.get(), &LiveView::snapshotBatch, this,
            [&](const LockBatch& batch) { seen += batch; });
    view->start();
    QTRY_COMPARE(seen.size(), 1);
    QCOMPARE(seen.front().key, std::string("seen"));
    m_server->query(u"TRUNCATE locking"_s);
}

void PostgresRightsTest::strangersSeeNothing()
{
    const PostgresModule locks(m_server->url(u"stranger"_s));
    thrownBy<Denied>(locks->acquire("a"));
    const LiveViewPtr view = await(locks->liveView());
    SourceState state;
    connect(view.get(), &LiveView::stateChanged, this, [&](const SourceState& s) { state = s; });
    view->start();
    QTRY_COMPARE(state.kind, SourceState::Failed);
}

void PostgresRightsTest::sessionsThatOnlyReadAreDenied()
{
    m_server->query(u"INSERT INTO locking VALUES ('seen', 'x')"_s);
    const PostgresModule locks(m_server->url(u"looker"_s));
    mayOnlyLook(locks);
    QVERIFY(finds(await(locks->check()), "may only read"));
    m_server->query(u"TRUNCATE locking"_s);
}

void PostgresRightsTest::mayOnlyLook(const PostgresModule& locks)
{
    bool ran = false;
    const ReleaseOptions his = ReleaseOptions().ownedBy("x");
    const ReleaseAllOptions allHis = ReleaseAllOptions().ownedBy("x");
    for (const LockKeys& keys : {LockKeys("seen"), LockKeys("a", "seen")}) {
        isOnlyRead(thrownBy<Denied>(locks->acquire(keys, AcquireOptions().ownedBy("x"))));
        isOnlyRead(thrownBy<Denied>(locks->release(keys, his)));
        isOnlyRead(thrownBy<Denied>(locks->execute(keys, [&] { ran = true; })));
    }
    isOnlyRead(thrownBy<Denied>(locks->acquire("free")));
    isOnlyRead(thrownBy<Denied>(locks->acquire("free", AcquireOptions().waiting(5s))));
    isOnlyRead(thrownBy<Denied>(locks->execute("free", [&] { ran = true; })));
    isOnlyRead(thrownBy<Denied>(locks->releaseAll()));
    isOnlyRead(thrownBy<Denied>(locks->releaseAll(allHis)));
    QVERIFY(!ran);
    Watcher watcher(locks);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.locks.size(), 1U);
    QCOMPARE(watcher.locks["seen"].owner, Owner("x"));
}

void PostgresRightsTest::checkNamesWhatIsMissing()
{
    const PostgresModule locks(m_server->url(u"reader"_s));
    QVERIFY(finds(await(locks->check()), "may not INSERT, UPDATE, DELETE on"));
    QVERIFY(finds(await(locks->check()), "only process, application and user are shown"));
    const PostgresModule strange(m_server->url(u"stranger"_s));
    QVERIFY(finds(await(strange->check()), "may not SELECT"));
}

void PostgresRightsTest::standbysOnlyShow()
{
    PostgresOptions options;
    options.standbyOf = m_server.get();
    PostgresServer standby(options);
    m_server->query(u"INSERT INTO locking VALUES ('seen', 'x')"_s);
    QTRY_COMPARE(standby.value(u"SELECT count(*) FROM locking"_s), u"1"_s);
    const PostgresModule locks(standby);
    mayOnlyLook(locks);
    QVERIFY(finds(await(locks->check()), "The server is a replica"));
    m_server->query(u"TRUNCATE locking"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresRightsTest)
#include "postgres_rights_test.moc"
