// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/postgres/postgres_fixture.h"
#include "tests/support/pgbouncer.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

class PostgresConnectionTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<PostgresServer>(); }
    void init();
    void cleanupTestCase() { m_server.reset(); }

    void takesUrlsAndKeywords_data();
    void takesUrlsAndKeywords();
    void refusesBadOptions_data();
    void refusesBadOptions();
    void takesMedusasConfig_data();
    void takesMedusasConfig();
    void warnsOfUnverifiedServers();
    void warnsOfEveryModeBelowTheSafest_data();
    void warnsOfEveryModeBelowTheSafest();
    void nobodyThere();
    void wrongPassword();
    void passwordFromItsFile();
    void unknownDatabase();
    void missingTable();
    void createsTheTableIfAsked();
    void createsItForEveryConnection();
    void anotherSchemaAndTable();
    void longNames();
    void comesBackAfterARestart();
    void comesBackAfterItsBackendsAreTerminated();
    void saysWhatTransactionPoolingCosts();

private:
    std::unique_ptr<PostgresServer> m_server;
};

void PostgresConnectionTest::init()
{
    m_server->query(u"DROP TABLE IF EXISTS locking"_s);
}

void PostgresConnectionTest::takesUrlsAndKeywords_data()
{
    QTest::addColumn<QString>("url");
    const QString port = QString::number(m_server->port());
    QTest::newRow("URL") << m_server->url();
    QTest::newRow("postgresql://") << u"postgresql://postgres@127.0.0.1:%1/postgres"_s.arg(port);
    QTest::newRow("host name") << u"postgres://postgres@localhost:%1/postgres"_s.arg(port);
    QTest::newRow("keywords") << u"host=127.0.0.1 port=%1 user=postgres dbname=postgres"_s.arg(
        port);
    QTest::newRow("Unix socket") << u"host=%1 port=%2 user=postgres"_s.arg(m_server->socketDir(),
                                                                           port);
}

void PostgresConnectionTest::takesUrlsAndKeywords()
{
    QFETCH(const QString, url);
    const PostgresModule locks(url, u", \"createTable\": true"_s);
    QVERIFY(await(locks->acquire("k")).token());
    QVERIFY(await(locks->release("k")).allReleased());
}

void PostgresConnectionTest::refusesBadOptions_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("more");
    QTest::addColumn<QString>("path");
    QTest::newRow("no URL at all") << u"secret"_s << QString() << u"/databaseUrl"_s;
    QTest::newRow("bad port") << u"postgres://u:secret@h:99999/d"_s << QString()
                              << u"/databaseUrl"_s;
    QTest::newRow("unknown parameter")
        << u"postgres://u:secret@h/d?colour=red"_s << QString() << u"/databaseUrl"_s;
    QTest::newRow("two URLs") << u"postgres://u:secret@h/d"_s
                              << u", \"clientUrl\": \"postgres://h\""_s << u"/options"_s;
    QTest::newRow("unknown option")
        << u"postgres://u:secret@h/d"_s << u", \"tabel\": \"x\""_s << u"/tabel"_s;
    QTest::newRow("empty table") << u"postgres://u:secret@h/d"_s << u", \"table\": \"\""_s
                                 << u"/table"_s;
}

void PostgresConnectionTest::refusesBadOptions()
{
    QFETCH(const QString, url);
    QFETCH(const QString, more);
    QFETCH(const QString, path);
    try {
        const PostgresModule locks(url, more);
        QFAIL("was accepted");
    } catch (const ConfigError& error) {
        QVERIFY2(contains(error.path(), path.toStdString()), error.what());
        QVERIFY2(!contains(error.message(), "secret"), error.what());
    }
}

void PostgresConnectionTest::takesMedusasConfig_data()
{
    QTest::addColumn<QString>("resolve");
    QTest::newRow("of Medusa") << u"@medusajs/medusa/locking-postgres"_s;
    QTest::newRow("of its package") << u"@medusajs/locking-postgres"_s;
}

void PostgresConnectionTest::takesMedusasConfig()
{
    QFETCH(const QString, resolve);
    m_server->createTable();
    const QString text = u"{\"providers\": [{\"resolve\": \"%1\", \"id\": \"locking-postgres\", "
                         "\"is_default\": true, \"options\": {\"clientUrl\": \"%2\"}}]}"_s.arg(
                             resolve, m_server->url());
    const PostgresModule locks(Config::parse(text.toStdString(), "test.json", ".", builtInKinds()));
    await(locks->acquire("k"));
    // Its packages take a lock without owner for held, where the guide lets anyone claim it.
    const Conflict conflict = thrownBy<Conflict>(locks->acquire("k"));
    QVERIFY(!conflict.holder());
    thrownBy<Conflict>(locks->acquire("k", AcquireOptions().ownedBy("me")));
    const ReleaseResult refused = await(locks->release("k", ReleaseOptions().ownedBy("me")));
    QCOMPARE(refused.of("k").outcome, ReleaseOutcome::HeldByOther);
    QVERIFY(await(locks->release("k")).allReleased());
}

void PostgresConnectionTest::warnsOfUnverifiedServers()
{
    const PostgresModule far(u"postgres://u:secret@192.0.2.1/d"_s), near(m_server->url()),
        verified(u"postgres://u@192.0.2.1/d?sslmode=verify-full"_s);
    QVERIFY2(contains(far.log, "sslmode prefer"), far.log.c_str());
    QVERIFY2(!contains(far.log, "secret"), far.log.c_str());
    QCOMPARE(near.log, std::string());
    QVERIFY2(!contains(verified.log, "sslmode"), verified.log.c_str());
}

void PostgresConnectionTest::warnsOfEveryModeBelowTheSafest_data()
{
    QTest::addColumn<QString>("mode");
    for (const char* const mode : {"disable", "allow", "prefer", "require", "verify-ca"})
        QTest::newRow(mode) << QString::fromLatin1(mode);
}

void PostgresConnectionTest::warnsOfEveryModeBelowTheSafest()
{
    QFETCH(const QString, mode);
    const PostgresModule locks(u"postgres://u@192.0.2.1/d?sslmode="_s + mode);
    const std::string sentence = "has sslmode " + mode.toStdString() + ':';
    QVERIFY2(contains(locks.log, sentence), locks.log.c_str());
    QVERIFY2(contains(locks.log, "verify-full would prevent that"), locks.log.c_str());
}

void PostgresConnectionTest::nobodyThere()
{
    const PostgresModule locks(u"postgres://u:secret@127.0.0.1:1/d"_s);
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("k"));
    QVERIFY2(contains(error.message(), "PostgreSQL at 127.0.0.1:1/d can't be reached"),
             error.what());
    QVERIFY2(!contains(error.message() + locks.log, "secret"), error.what());
}

void PostgresConnectionTest::wrongPassword()
{
    PostgresOptions options;
    options.password = u"right"_s;
    PostgresServer server(options);
    server.createTable();
    const auto url = [&server](const QString& password) {
        return u"postgres://postgres:%1@127.0.0.1:%2/postgres"_s.arg(password).arg(server.port());
    };
    const PostgresModule wrong(url(u"wr0ng"_s));
    const Denied error = thrownBy<Denied>(wrong->acquire("k"));
    QVERIFY2(contains(error.message(), "does not let this user in"), error.what());
    QVERIFY2(!contains(error.message() + wrong.log, "wr0ng"), error.what());
    qputenv("LOCKBOARD_TEST_PASSWORD", "right");
    const PostgresModule right(url(u"${env:LOCKBOARD_TEST_PASSWORD}"_s));
    QVERIFY(await(right->acquire("k")).token());
    const CheckReport report = await(right->check());
    QVERIFY(report.reachable);
}

void PostgresConnectionTest::passwordFromItsFile()
{
    PostgresOptions options;
    options.password = u"right"_s;
    PostgresServer server(options);
    server.createTable();
    QTemporaryDir folder;
    QFile file(folder.filePath(u"pgpass"_s));
    QVERIFY(file.open(QFile::WriteOnly));
    file.write("127.0.0.1:*:*:postgres:right\n");
    file.close();
    file.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
    qputenv("PGPASSFILE", file.fileName().toUtf8());
    const PostgresModule locks(u"postgres://postgres@127.0.0.1:%1/postgres"_s.arg(server.port()));
    QVERIFY(await(locks->acquire("k")).token());
    qunsetenv("PGPASSFILE");
}

void PostgresConnectionTest::unknownDatabase()
{
    const PostgresModule locks(m_server->url(u"postgres"_s, u"nowhere"_s));
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("k"));
    QVERIFY2(contains(error.message(), "\"nowhere\" does not exist"), error.what());
}

void PostgresConnectionTest::missingTable()
{
    const PostgresModule locks(*m_server);
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("k"));
    const std::string sql = R"(CREATE TABLE IF NOT EXISTS "public"."locking")";
    QVERIFY2(contains(error.message(), sql), error.what());
    const CheckReport report = await(locks->check());
    QVERIFY(report.reachable);
    QVERIFY(contains(report.findings.back().sentence, sql));
    // What it says is what helps.
    const std::string said = error.message();
    m_server->query(QString::fromStdString(said.substr(said.find("CREATE"))));
    QVERIFY(await(locks->acquire("k")).token());
}

void PostgresConnectionTest::createsTheTableIfAsked()
{
    const PostgresModule locks(*m_server, u", \"createTable\": true"_s);
    await(locks->acquire("k"));
    m_server->query(u"CREATE ROLE mere LOGIN"_s);
    m_server->query(u"GRANT SELECT, INSERT, UPDATE, DELETE ON locking TO mere"_s);
    // Where it is there already, no right to create is needed.
    const PostgresModule mere(m_server->url(u"mere"_s), u", \"createTable\": true"_s);
    QVERIFY(await(mere->release("k")).allReleased());
}

//! Whichever comes first, and whoever else is at it.
void PostgresConnectionTest::createsItForEveryConnection()
{
    const auto race = [](PostgresServer& server, int times) {
        for (int i = 0; i < times; ++i) {
            server.query(u"DROP TABLE IF EXISTS locking"_s);
            const PostgresModule one(server, u", \"createTable\": true"_s),
                two(server, u", \"createTable\": true"_s);
            Task<> first = one->execute("a", [] {});
            Task<> second = two->execute("b", [] {});
            await(std::move(first));
            await(std::move(second));
            QCOMPARE(await(one->releaseAll()).released, 0U);
        }
    };
    PostgresServer quick;
    race(quick, 60);
    PostgresOptions options;
    options.settings = {u"fsync = on"_s, u"commit_delay = 100000"_s, u"commit_siblings = 0"_s};
    PostgresServer slow(options);
    race(slow, 5);
}

void PostgresConnectionTest::anotherSchemaAndTable()
{
    m_server->query(u"CREATE SCHEMA \"my \"\"shop\""_s);
    const PostgresModule locks(
        *m_server,
        u", \"schema\": \"my \\\"shop\", \"table\": \"lo'cks\", \"createTable\": true"_s);
    await(locks->acquire("k", AcquireOptions().ownedBy("me")));
    await(locks->execute("x", [] {}));
    QCOMPARE(m_server->value(u"SELECT owner_id FROM \"my \"\"shop\".\"lo'cks\""_s), u"me"_s);
}

//! The server takes 63 bytes for the name of a channel.
void PostgresConnectionTest::longNames()
{
    const QString schema = QString(60, u's'), table = QString(60, u't');
    m_server->query(u"CREATE SCHEMA %1"_s.arg(schema));
    const QString more =
        u", \"schema\": \"%1\", \"table\": \"%2\", \"createTable\": true"_s.arg(schema, table);
    const PostgresModule one(*m_server, more), two(*m_server, more);
    await(two->execute("warm", [] {}));
    await(one->acquire("k", AcquireOptions().ownedBy("one")));
    Task<Grant> waiting = two->acquire("k", AcquireOptions().ownedBy("two").waiting(10s));
    QTest::qWait(100); // it asks to be told
    QVERIFY(await(one->release("k", ReleaseOptions().ownedBy("one"))).allReleased());
    await(std::move(waiting));
    await(one->installNotices());
    QCOMPARE(await(one->releaseAll()).released, 1U);
}

void PostgresConnectionTest::comesBackAfterARestart()
{
    m_server->createTable();
    const PostgresModule locks(*m_server);
    await(locks->acquire("k", AcquireOptions().ownedBy("me")));
    m_server->stop();
    thrownBy<Unavailable>(locks->acquire("l")); // not sent: that the line is dead is seen before
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("l"));
    QVERIFY2(contains(error.message(), "can't be reached"), error.what());
    m_server->start();
    QVERIFY(QTest::qWaitFor([&] { return contains(locks.log, "again."); }, 10'000));
    const Conflict conflict = thrownBy<Conflict>(locks->acquire("k"));
    QCOMPARE(conflict.holder(), Owner("me"));
}

void PostgresConnectionTest::comesBackAfterItsBackendsAreTerminated()
{
    m_server->createTable();
    const PostgresModule locks(*m_server);
    await(locks->acquire("k", AcquireOptions().ownedBy("me")));
    m_server->query(u"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                    "application_name LIKE 'lockboard%'"_s);
    QVERIFY(QTest::qWaitFor([&] { return contains(locks.log, "was lost"); }));
    QVERIFY(await(locks->release("k", ReleaseOptions().ownedBy("me"))).allReleased());
}

void PostgresConnectionTest::saysWhatTransactionPoolingCosts()
{
    m_server->createTable();
    const PgBouncer pooler(*m_server, PgBouncer::Pooling::Transaction);
    const PostgresModule locks(pooler.url());
    await(locks->acquire("k"));
    PostgresJob job(locks, "a");
    QTRY_VERIFY(job.running);
    QVERIFY2(contains(locks.log, "transaction pooling"), locks.log.c_str());
    for (int ms = 0; ms < 80; ms += 8) { // closed whatever it is at: connecting, finding out, ...
        PostgresModule closed(pooler.url());
        const PostgresJob never(closed, "b" + std::to_string(ms));
        QTest::qWait(ms);
        closed.destroy();
        QTRY_VERIFY(never.isDone);
    }
    QTRY_COMPARE(m_server->value(u"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "
                                 "objsubid = 1"_s),
                 u"0"_s); // nothing that nobody would unlock
    thrownBy<Conflict>(locks->acquire("a"));
    const CheckReport report = await(locks->check());
    QVERIFY(std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& one) {
        return contains(one.sentence, "transaction pooling");
    }));
    QCOMPARE(job.end(), std::string());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresConnectionTest)
#include "postgres_connection_test.moc"
