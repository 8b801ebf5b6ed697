// SPDX-License-Identifier: MIT
#include "tests/postgres/watched.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! The trigger that tells of every change, which is installed only when somebody says so.
class PostgresTriggerTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server = std::make_unique<PostgresServer>();
        m_server->createTable();
    }
    void cleanup()
    {
        PostgresModule shop(m_server->url());
        await(shop->removeNotices());
        m_server->query(u"DELETE FROM locking"_s);
    }

    void comesAndGoes();
    void tellsOfWhatOthersDo();
    void tellsOfManyAtOnce();
    void wakesWhoWaits();
    void servesSeveralTables();
    void servesTablesOfAnyName_data();
    void servesTablesOfAnyName();
    void servesSeveralOwners();
    void takesAwayWhatItLeftUnderAnotherName();
    void isNotRemovedFromWhatIsMissing();
    void isFoundByACheck();
    void isKnownToTellNobody();
    void needsTheRight();
    void needsTheTableToBeChanged();

private:
    [[nodiscard]] QString functions() const
    {
        return m_server->value(u"SELECT count(*) FROM pg_proc WHERE proname LIKE 'lockboard%'"_s);
    }
    std::unique_ptr<PostgresServer> m_server;
};

void PostgresTriggerTest::comesAndGoes()
{
    const QString triggers = u"SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"_s;
    const QString functions = u"SELECT count(*) FROM pg_proc WHERE proname LIKE 'lockboard%'"_s;
    const PostgresModule shop(m_server->url());
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.state().mode, u"polling"_s);
    await(shop->installNotices());
    QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    await(shop->installNotices()); // once more is no mistake
    QCOMPARE(m_server->value(triggers), u"4"_s);
    QCOMPARE(m_server->value(functions), u"1"_s);
    await(shop->removeNotices());
    QTRY_COMPARE(watcher.state().mode, u"polling"_s);
    await(shop->removeNotices());
    QCOMPARE(m_server->value(triggers), u"0"_s);
    QCOMPARE(m_server->value(functions), u"0"_s);
}

void PostgresTriggerTest::tellsOfWhatOthersDo()
{
    const PostgresModule shop(m_server->url());
    await(shop->installNotices());
    Watcher watcher(shop);
    QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    const auto told = [&](const std::string& key, const char* kinds) {
        QElapsedTimer took;
        took.start();
        while (watcher.kinds(key) != kinds && took.elapsed() < 900)
            QTest::qWait(1);
        return watcher.kinds(key) == kinds;
    };
    m_server->query(u"INSERT INTO locking VALUES ('a', 'ann', NULL)"_s);
    QVERIFY(told("a", "a"));
    m_server->query(u"UPDATE locking SET expiration = now() + interval '1 minute'"_s);
    QVERIFY(told("a", "ae"));
    m_server->query(u"UPDATE locking SET owner_id = 'bob'"_s);
    QVERIFY(told("a", "aeo"));
    m_server->query(u"DELETE FROM locking"_s);
    QVERIFY(told("a", "aeor"));
    // As Medusa's package acquires.
    m_server->query(u"INSERT INTO locking VALUES ('b', 'ann', NULL) ON CONFLICT (id) DO UPDATE "
                    "SET owner_id = EXCLUDED.owner_id"_s);
    QVERIFY(told("b", "a"));
    const std::string longKey(60'000, 'x'); // more than a notification holds
    m_server->query(u"INSERT INTO locking VALUES ($1, 'ann', NULL)"_s,
                    {QString::fromStdString(longKey)});
    QVERIFY(told(longKey, "a"));
    m_server->query(u"TRUNCATE locking"_s);
    QVERIFY(told(longKey, "ar"));
    QVERIFY(told("b", "ar"));
    QVERIFY(watcher.clean);
}

void PostgresTriggerTest::tellsOfManyAtOnce()
{
    const PostgresModule shop(m_server->url());
    await(shop->installNotices());
    Watcher watcher(shop);
    QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    m_server->query(u"INSERT INTO locking SELECT 'k' || n, 'o', NULL "
                    "FROM generate_series(1, 20000) n"_s);
    QTRY_COMPARE_WITH_TIMEOUT(watcher.locks.size(), 20'000u, 15'000);
    m_server->query(u"DELETE FROM locking WHERE id <> 'k7'"_s);
    QTRY_COMPARE_WITH_TIMEOUT(watcher.locks.size(), 1u, 15'000);
    m_server->query(u"DELETE FROM locking"_s);
    QTRY_VERIFY(watcher.locks.empty());
    QVERIFY(watcher.clean);
}

static Task<> acquireInto(const PostgresModule* shop, bool* done)
{
    co_await (*shop)->acquire("k", AcquireOptions().ownedBy("bob").waiting(20s));
    *done = true;
}

void PostgresTriggerTest::wakesWhoWaits()
{
    const PostgresModule shop(m_server->url());
    await(shop->installNotices());
    m_server->query(u"INSERT INTO locking VALUES ('k', 'ann', NULL)"_s);
    bool done = false;
    const Task<> waiting = acquireInto(&shop, &done);
    QTest::qWait(1500); // it looks less and less often
    QVERIFY(!done);
    m_server->query(u"DELETE FROM locking"_s);
    QTRY_VERIFY(done);
}

void PostgresTriggerTest::servesSeveralTables()
{
    m_server->createTable(u"\"od'd \"\"table\""_s);
    const PostgresModule shop(m_server->url());
    const PostgresModule other(m_server->url(), u", \"table\": \"od'd \\\"table\""_s);
    await(shop->installNotices());
    await(other->installNotices());
    Watcher watcher(shop);
    Watcher second(other);
    QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    QTRY_COMPARE(second.state().mode, u"push (trigger)"_s);
    await(shop->removeNotices());
    QTRY_COMPARE(watcher.state().mode, u"polling"_s);
    m_server->query(u"INSERT INTO \"od'd \"\"table\" VALUES ('a', 'ann', NULL)"_s);
    QTRY_COMPARE(second.kinds("a"), QByteArray("a"));
    QCOMPARE(second.state().mode, u"push (trigger)"_s);
    await(other->removeNotices());
    QCOMPARE(m_server->value(u"SELECT count(*) FROM pg_proc WHERE proname LIKE 'lockboard%'"_s),
             u"0"_s);
}

void PostgresTriggerTest::servesTablesOfAnyName_data()
{
    QTest::addColumn<QString>("name");
    for (const char* const name :
         {"my  table", " a\ttab ", "x@live", "@table", "back\\slash", "$lockboard_do$", "$1 'q'",
          "täble 😀", "a name that is as long as PostgreSQL takes one to be: 63 bytes."})
        QTest::newRow(name) << QString::fromUtf8(name);
}

void PostgresTriggerTest::servesTablesOfAnyName()
{
    QFETCH(const QString, name);
    const QString quoted = u'"' + name + u'"';
    m_server->createTable(quoted);
    QString json = name;
    json.replace(u'\\', u"\\\\"_s).replace(u'\t', u"\\t"_s);
    const PostgresModule shop(m_server->url(), u", \"table\": \"%1\""_s.arg(json));
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    await(shop->acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("ann").expiringIn(60s)));
    QVERIFY(await(shop->release("b", ReleaseOptions().ownedBy("ann"))).allReleased());
    QCOMPARE(m_server->value(u"SELECT id FROM "_s + quoted), u"a"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("a"));
    await(shop->installNotices());
    QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    m_server->query(u"UPDATE %1 SET owner_id = 'bob'"_s.arg(quoted));
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("ao"));
    await(shop->installNotices());
    QCOMPARE(functions(), u"1"_s);
    await(shop->removeNotices());
    QCOMPARE(functions(), u"0"_s);
    QTRY_COMPARE(watcher.state().mode, u"polling"_s);
    QVERIFY(watcher.clean);
}

void PostgresTriggerTest::servesSeveralOwners()
{
    for (const QString& owner : {u"anna"_s, u"otto"_s}) {
        m_server->query(u"CREATE ROLE %1 LOGIN; GRANT CREATE ON SCHEMA public TO %1"_s.arg(owner));
        m_server->createTable(u"of_"_s + owner);
        m_server->query(u"ALTER TABLE of_%1 OWNER TO %1"_s.arg(owner));
        const PostgresModule shop(m_server->url(owner), u", \"table\": \"of_%1\""_s.arg(owner));
        await(shop->installNotices());
        Watcher watcher(shop);
        QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    }
    QCOMPARE(functions(), u"2"_s);
    m_server->query(u"DROP TABLE of_anna, of_otto"_s);
    // A table that is gone leaves its function, which the next one of its name takes over.
    m_server->createTable(u"of_anna"_s);
    const PostgresModule shop(m_server->url(), u", \"table\": \"of_anna\""_s);
    await(shop->removeNotices());
    QCOMPARE(functions(), u"1"_s);
    m_server->query(u"DROP OWNED BY otto"_s);
}

void PostgresTriggerTest::takesAwayWhatItLeftUnderAnotherName()
{
    m_server->createTable(u"once"_s);
    const PostgresModule before(m_server->url(), u", \"table\": \"once\""_s);
    await(before->installNotices());
    m_server->query(u"CREATE SCHEMA elsewhere"_s);
    m_server->query(u"ALTER TABLE once SET SCHEMA elsewhere"_s);
    const PostgresModule shop(m_server->url(),
                              u", \"table\": \"once\", \"schema\": \"elsewhere\""_s);
    await(shop->installNotices());
    QCOMPARE(functions(), u"1"_s);
    await(shop->removeNotices());
    QCOMPARE(functions(), u"0"_s);
}

void PostgresTriggerTest::isNotRemovedFromWhatIsMissing()
{
    const PostgresModule shop(m_server->url(), u", \"table\": \"missing\""_s);
    for (const bool install : {true, false}) {
        const Unavailable error =
            thrownBy<Unavailable>(install ? shop->installNotices() : shop->removeNotices());
        QVERIFY2(contains(error.message(), "has no table"), error.what());
    }
    const PostgresModule none(m_server->url(), u", \"schema\": \"missing\""_s);
    thrownBy<Unavailable>(none->removeNotices());
    QCOMPARE(functions(), u"0"_s);
}

void PostgresTriggerTest::isFoundByACheck()
{
    const PostgresModule shop(m_server->url());
    const auto finding = [&](Finding::Level level) {
        const CheckReport report = await(shop->check());
        return std::ranges::any_of(report.findings, [&](const Finding& one) {
            return one.level == level && one.sentence.find("rigger") != std::string::npos;
        });
    };
    QVERIFY(finding(Finding::Note));
    await(shop->installNotices());
    QVERIFY(finding(Finding::Good));
}

//! It tells the name that its table had when it was installed.
void PostgresTriggerTest::isKnownToTellNobody()
{
    m_server->createTable(u"early"_s);
    const PostgresModule before(m_server->url(), u", \"table\": \"early\""_s);
    await(before->installNotices());
    m_server->query(u"ALTER TABLE early RENAME TO renamed"_s);
    const PostgresModule shop(m_server->url(), u", \"table\": \"renamed\""_s);
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.state().mode, u"polling"_s);
    const auto problems = [&] {
        const CheckReport report = await(shop->check());
        return std::ranges::count_if(report.findings, [&](const Finding& one) {
            return one.level == Finding::Problem && contains(one.sentence, "has been renamed");
        });
    };
    QCOMPARE(problems(), 1);
    await(shop->installNotices());
    QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    QCOMPARE(problems(), 0);
    await(shop->removeNotices());
}

void PostgresTriggerTest::needsTheRight()
{
    m_server->query(u"CREATE ROLE clerk LOGIN"_s);
    m_server->query(u"GRANT SELECT, INSERT, UPDATE, DELETE ON locking TO clerk"_s);
    const PostgresModule shop(m_server->url(u"clerk"_s));
    QVERIFY_THROWS_EXCEPTION(Denied, await(shop->installNotices()));
    const PostgresModule owner(m_server->url());
    await(owner->installNotices());
    Watcher watcher(shop);
    QTRY_COMPARE(watcher.state().mode, u"push (trigger)"_s);
    await(shop->acquire("k")); // and the clerk's own changes fire it
    QTRY_VERIFY(watcher.locks.contains("k"));
}

//! As engine/postgres/README.md says.
void PostgresTriggerTest::needsTheTableToBeChanged()
{
    m_server->query(u"CREATE ROLE guest LOGIN; GRANT SELECT, TRIGGER ON locking TO guest; "
                    "GRANT CREATE ON SCHEMA public TO guest"_s);
    const PostgresModule guest(m_server->url(u"guest"_s));
    await(guest->installNotices());
    for (const bool install : {true, false}) {
        const Denied error =
            thrownBy<Denied>(install ? guest->installNotices() : guest->removeNotices());
        QVERIFY2(contains(error.message(), "must be owner of relation locking"), error.what());
    }
    m_server->query(u"GRANT postgres TO guest"_s);
    await(guest->removeNotices());
    QCOMPARE(functions(), u"0"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresTriggerTest)
#include "postgres_trigger_test.moc"
