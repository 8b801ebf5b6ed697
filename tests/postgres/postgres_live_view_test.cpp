// SPDX-License-Identifier: MIT
#include "tests/postgres/watched.h"

#include <QElapsedTimer>
#include <QRegularExpression>
#include <QSignalSpy>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

class PostgresLiveViewTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server = std::make_unique<PostgresServer>();
        m_server->createTable();
    }
    void cleanup() { query(u"DELETE FROM locking"_s); }

    void showsWhatIsThere();
    void showsAnyText();
    void seesWhatOthersDo();
    void seesWhatThisProcessDoesAtOnce();
    void seesLeasesEndInTime();
    void marksResidue_data();
    void marksResidue();
    void seesResidueTakenOver();
    void removesResidue();
    void saysNothingWhenNothingHappens();
    void looksSeldomWhileNothingHappens();
    void listsManyEachOnce();
    void noticesWhenAllIsGone();
    void marksWhatItShowsStale();
    void waitsForItsTable();
    void saysWhatIsDenied();
    void waitsForWhoHasLockedTheTable();
    void fallsSilentWithTheProvider();
    void canGoBeforeItsAnswersCome();

private:
    Sql::Rows query(const QString& sql, const QStringList& parameters = {})
    {
        return m_server->query(sql, parameters);
    }
    void write(int count)
    {
        query(u"INSERT INTO locking SELECT 'k' || n, 'o' || n, now() + interval '1 hour' "
              "FROM generate_series(0, %1) n"_s.arg(count - 1));
    }
    [[nodiscard]] PostgresModule module(const QString& more = {}) const
    {
        return PostgresModule(m_server->url(), more);
    }

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresLiveViewTest::showsWhatIsThere()
{
    query(u"INSERT INTO locking VALUES ('a', 'ann', now() + interval '1 minute'), "
          "('b', NULL, NULL), ('c', 'ann', 'infinity'), ('d', 'ann', '294276-01-01'), "
          "('e', 'ann', now() - interval '1 hour'), ('f', NULL, '-infinity'), "
          "('g', '', now() + interval '1 minute')"_s);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    const TimePoint before = std::chrono::steady_clock::now();
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.states.first().kind, SourceState::Connecting);
    QCOMPARE(watcher.state().mode, u"polling"_s);
    QCOMPARE(watcher.locks.size(), 7u);
    const Lock& a = watcher.locks["a"];
    QCOMPARE(a.owner, Owner("ann"));
    QCOMPARE(a.state, LockState::Held);
    QVERIFY(a.leaseEnd > before + 50s && a.leaseEnd <= std::chrono::steady_clock::now() + 61s);
    QVERIFY(!watcher.locks["b"].owner);
    QVERIFY(!watcher.locks["b"].leaseEnd);
    QVERIFY(!watcher.locks["c"].leaseEnd);
    QVERIFY(watcher.locks["d"].leaseEnd > before + std::chrono::hours(1'000));
    QCOMPARE(watcher.locks["d"].state, LockState::Held);
    QCOMPARE(watcher.locks["e"].state, LockState::Residue);
    QCOMPARE(watcher.locks["e"].owner, Owner("ann"));
    QCOMPARE(watcher.locks["f"].state, LockState::Residue);
    QCOMPARE(watcher.locks["g"].owner, Owner(""));
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::showsAnyText()
{
    const QStringList keys{u"back\\slash"_s, u"\\N"_s, u"tab\tnewline\n\r"_s,  u"\b\f\v"_s,
                           u"“quotes\"'"_s,  u"😀ß"_s,  u"x"_s.repeated(65536), u" "_s};
    for (const QString& key : keys)
        query(u"INSERT INTO locking VALUES ($1, $1, NULL)"_s, {key});
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.locks.size(), std::size_t(keys.size()));
    for (const QString& key : keys) {
        const std::string bytes = key.toStdString();
        QVERIFY2(watcher.locks.contains(bytes), qPrintable(key.left(20)));
        QCOMPARE(watcher.locks[bytes].owner, Owner(bytes));
        query(u"UPDATE locking SET owner_id = 'bob' WHERE id = $1"_s, {key});
    }
    for (const QString& key : keys)
        QTRY_COMPARE(watcher.kinds(key.toStdString()), QByteArray("o"));
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::seesWhatOthersDo()
{
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    query(u"INSERT INTO locking VALUES ('a', 'ann', now() + interval '1 minute')"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("a"));
    query(u"UPDATE locking SET expiration = now() + interval '90 seconds'"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("ae"));
    QVERIFY(watcher.locks["a"].leaseEnd > std::chrono::steady_clock::now() + 80s);
    query(u"UPDATE locking SET expiration = NULL"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("aee"));
    QVERIFY(!watcher.locks["a"].leaseEnd);
    query(u"UPDATE locking SET owner_id = NULL"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("aeeo"));
    QVERIFY(!watcher.locks["a"].owner);
    query(u"DELETE FROM locking"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("aeeor"));
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::seesWhatThisProcessDoesAtOnce()
{
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    const auto told = [&](const char* kinds) {
        QElapsedTimer took;
        took.start();
        while (watcher.kinds("a") != kinds && took.elapsed() < 900) // sooner than it polls
            QTest::qWait(1);
        return watcher.kinds("a") == kinds;
    };
    AcquireOptions options;
    options.ownedBy("ann").expiringIn(60s);
    const Grant grant = await(shop->acquire("a", options));
    QVERIFY(told("a"));
    QCOMPARE(watcher.locks["a"].token, grant.token());
    options.expiringIn(90s);
    const Grant again = await(shop->acquire("a", options));
    QVERIFY(told("ae"));
    QCOMPARE(watcher.locks["a"].token, again.token());
    await(shop->release("a", ReleaseOptions().ownedBy("ann")));
    QVERIFY(told("aer"));
    await(shop->acquire("a"));
    QVERIFY(told("aera"));
    await(shop->acquire("a", AcquireOptions().ownedBy("bob")));
    QVERIFY(told("aerao"));
    QTest::qWait(1200); // the next look finds nothing new in it
    QCOMPARE(watcher.kinds("a"), QByteArray("aerao"));
    await(shop->releaseAll());
    QVERIFY(told("aeraor"));
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::seesLeasesEndInTime()
{
    query(u"INSERT INTO locking SELECT k, 'ann', clock_timestamp() + interval '1500 ms' "
          "FROM unnest(ARRAY['a', 'b']) k"_s);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    const auto end = watcher.locks["a"].leaseEnd;
    QVERIFY(end);
    query(u"UPDATE locking SET expiration = now() + interval '1 minute' WHERE id = 'b'"_s);
    QTRY_VERIFY(watcher.kinds("a").startsWith('x'));
    const auto late = std::chrono::steady_clock::now() - *end;
    QVERIFY2(late > -50ms && late < 900ms, // with the batch's delay, on a busy machine
             qPrintable(QString::number(late / 1ms)));
    QTRY_COMPARE(watcher.kinds("b"), QByteArray("e"));
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::marksResidue_data()
{
    QTest::addColumn<bool>("withTrigger");
    QTest::newRow("polling") << false;
    QTest::newRow("pushed") << true;
}

void PostgresLiveViewTest::marksResidue()
{
    QFETCH(const bool, withTrigger);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    if (withTrigger) {
        await(shop->installNotices());
        QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    }
    await(shop->acquire("a", AcquireOptions().ownedBy("ann").expiringIn(200ms)));
    // It stays in sight when its lease ends.
    QTRY_COMPARE(watcher.locks.size(), 1u);
    std::chrono::steady_clock::time_point went;
    std::chrono::nanoseconds missing = 1min;
    connect(watcher.view.get(), &LiveView::changed, &watcher, [&] {
        if (watcher.locks.empty())
            went = std::chrono::steady_clock::now();
        else if (went.time_since_epoch().count() != 0 && missing == 1min)
            missing = std::chrono::steady_clock::now() - went;
    });
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("axa"));
    QVERIFY2(missing < 100ms, qPrintable(QString::number(missing / 1ms)));
    QCOMPARE(watcher.locks["a"].state, LockState::Residue);
    QCOMPARE(watcher.locks["a"].owner, Owner("ann"));
    await(shop->acquire("a", AcquireOptions().ownedBy("bob").expiringIn(60s)));
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("axao"));
    QCOMPARE(watcher.locks["a"].state, LockState::Held);
    QCOMPARE(watcher.locks["a"].owner, Owner("bob"));
    QVERIFY(watcher.clean);
    if (withTrigger)
        await(shop->removeNotices());
}

//! And that is over too by the next look.
void PostgresLiveViewTest::seesResidueTakenOver()
{
    query(u"INSERT INTO locking VALUES ('a', 'ann', now() - interval '1 hour')"_s);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.locks["a"].state, LockState::Residue);
    query(u"UPDATE locking SET owner_id = 'bob', expiration = clock_timestamp() - "
          "interval '1 ms'"_s);
    QTRY_COMPARE(watcher.locks["a"].owner, Owner("bob"));
    QTest::qWait(2500);
    QCOMPARE(watcher.kinds("a"), QByteArray("o"));
    QCOMPARE(watcher.locks["a"].state, LockState::Residue);
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::removesResidue()
{
    query(u"INSERT INTO locking VALUES ('a', 'ann', now() - interval '1 hour'), "
          "('b', 'ann', now() - interval '1 hour'), ('c', 'ann', NULL)"_s);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    const ReleaseResult result = await(shop->release(LockKeys("a", "gone")));
    QCOMPARE(result.of("a").outcome, ReleaseOutcome::NotHeld);
    QVERIFY(result.of("a").cleared);
    QVERIFY(!result.of("gone").cleared);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("r"));
    const ReleaseAllResult all = await(shop->releaseAll());
    QCOMPARE(all.released, 1u);
    QCOMPARE(all.cleared, 1u);
    QTRY_VERIFY(watcher.locks.empty());
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::saysNothingWhenNothingHappens()
{
    write(3000);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QTest::qWait(3500);
    QVERIFY(watcher.told.isEmpty());
    QCOMPARE(watcher.snapshots, 1);
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::looksSeldomWhileNothingHappens()
{
    query(u"ALTER SYSTEM SET log_statement = 'all'"_s);
    query(u"ALTER SYSTEM SET log_line_prefix = '%a: '"_s);
    query(u"SELECT pg_reload_conf()"_s);
    const PostgresModule shop = module();
    // Whatever is asked, on whichever connection of ours.
    const auto asked = [this] {
        const QRegularExpression ours(u"^lockboard.*: LOG:  (statement|execute .*|fastpath .*): "_s,
                                      QRegularExpression::MultilineOption);
        return m_server->log().count(ours);
    };
    const auto copies = [this] { return m_server->log().count(u"COPY (SELECT"_s); };
    {
        Watcher watcher(shop);
        QTRY_VERIFY(copies() >= 2); // it does look
        const qsizetype before = asked();
        QTest::qWait(8000);
        const qsizetype more = asked() - before;
        QVERIFY2(more >= 2 && more <= 8, qPrintable(QString::number(more))); // a look is two
    }
    const qsizetype before = asked();
    QTest::qWait(1500);
    QCOMPARE(asked(), before); // nobody watches
    query(u"ALTER SYSTEM RESET ALL"_s);
    query(u"SELECT pg_reload_conf()"_s);
}

void PostgresLiveViewTest::listsManyEachOnce()
{
    write(100'000);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    int turns = 0;
    QTimer ticks;
    connect(&ticks, &QTimer::timeout, this, [&turns] { ++turns; });
    ticks.start(0);
    QTRY_VERIFY_WITH_TIMEOUT(watcher.isLive(), 20'000);
    QVERIFY2(turns > 20, qPrintable(QString::number(turns))); // the loop had its turns
    QCOMPARE(watcher.locks.size(), 100'000u);
    QCOMPARE(watcher.locks["k49999"].owner, Owner("o49999"));
    watcher.view->refresh();
    QTRY_COMPARE_WITH_TIMEOUT(watcher.snapshots, 2, 20'000);
    QCOMPARE(watcher.locks.size(), 100'000u);
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::noticesWhenAllIsGone()
{
    write(25'000);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY_WITH_TIMEOUT(watcher.isLive(), 20'000);
    QCOMPARE(watcher.locks.size(), 25'000u);
    query(u"DELETE FROM locking"_s);
    QTRY_VERIFY_WITH_TIMEOUT(watcher.locks.empty(), 40'000);
    QCOMPARE(watcher.kinds("k0"), QByteArray("r"));
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::marksWhatItShowsStale()
{
    query(u"INSERT INTO locking VALUES ('old', 'ann', NULL)"_s);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    m_server->kill();
    QTRY_COMPARE(watcher.state().kind, SourceState::Stale);
    QVERIFY2(watcher.state().why.contains(u"127.0.0.1"_s), qPrintable(watcher.state().why));
    QCOMPARE(watcher.locks.size(), 1u); // what was shown stands
    m_server->start();
    query(u"DELETE FROM locking"_s);
    query(u"INSERT INTO locking VALUES ('new', 'ann', NULL)"_s);
    QTRY_VERIFY_WITH_TIMEOUT(watcher.isLive(), 20'000);
    QTRY_VERIFY_WITH_TIMEOUT(watcher.locks.contains("new"), 10'000);
    QVERIFY(!watcher.locks.contains("old"));
    QVERIFY(watcher.snapshots >= 2);
    QVERIFY(watcher.clean);
}

void PostgresLiveViewTest::waitsForItsTable()
{
    const PostgresModule shop = module(u", \"table\": \"later\""_s);
    Watcher watcher(shop);
    QTRY_COMPARE(watcher.state().kind, SourceState::Failed);
    QVERIFY2(watcher.state().why.contains(u"CREATE TABLE"_s), qPrintable(watcher.state().why));
    QVERIFY(!watcher.state().denied);
    m_server->createTable(u"later"_s);
    QTRY_VERIFY(watcher.isLive());
    query(u"DROP TABLE later"_s);
    QTRY_COMPARE(watcher.state().kind, SourceState::Stale);
    const PostgresModule maker = module(u", \"table\": \"made\", \"createTable\": true"_s);
    Watcher made(maker);
    QTRY_VERIFY(made.isLive());
    for (const SourceState& state : made.states)
        QVERIFY2(state.kind != SourceState::Failed, qPrintable(state.why));
}

void PostgresLiveViewTest::saysWhatIsDenied()
{
    query(u"CREATE ROLE blind LOGIN"_s);
    const PostgresModule shop(m_server->url(u"blind"_s));
    Watcher watcher(shop);
    QTRY_COMPARE(watcher.state().kind, SourceState::Failed);
    QVERIFY(watcher.state().denied);
    query(u"GRANT SELECT ON locking TO blind"_s);
    QTRY_VERIFY(watcher.isLive());
}

void PostgresLiveViewTest::waitsForWhoHasLockedTheTable()
{
    query(u"INSERT INTO locking VALUES ('a', 'ann', NULL)"_s);
    const PostgresModule shop = module(u", \"lockTimeout\": 200"_s);
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    Sql other(m_server->url());
    other.query(u"BEGIN; LOCK TABLE locking IN ACCESS EXCLUSIVE MODE"_s);
    QTRY_COMPARE(watcher.state().kind, SourceState::Stale);
    QVERIFY2(watcher.state().why.contains(u"locked"_s), qPrintable(watcher.state().why));
    other.query(u"COMMIT"_s);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.locks.size(), 1u);
}

void PostgresLiveViewTest::fallsSilentWithTheProvider()
{
    write(20'000);
    PostgresModule shop = module();
    Watcher watcher(shop);
    QSignalSpy started(watcher.view.get(), &LiveView::snapshotStarted);
    QVERIFY(watcher.inSnapshot || started.wait());
    shop.destroy();
    QCOMPARE(watcher.state().kind, SourceState::Failed);
    QCOMPARE(watcher.state().why, u"The provider was closed."_s);
    watcher.view->refresh();
    QTest::qWait(50);
    QCOMPARE(watcher.snapshots, 0);
}

void PostgresLiveViewTest::canGoBeforeItsAnswersCome()
{
    write(20'000);
    const PostgresModule shop = module();
    for (int i = 0; i < 20; ++i) {
        Watcher watcher(shop);
        QTRY_VERIFY(watcher.inSnapshot || watcher.snapshots > 0);
        QTest::qWait(i);
    }
    await(shop->acquire("after"));
    QCOMPARE(query(u"SELECT FROM locking WHERE id = 'after'"_s).size(), 1);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresLiveViewTest)
#include "postgres_live_view_test.moc"
