// SPDX-License-Identifier: MIT
#include "tests/postgres/watched.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Something that is not quite a table of locks lies where it should be.
class PostgresHostileTableTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<PostgresServer>(); }
    void cleanup()
    {
        // What a Lockboard had begun may go on for a moment after it has gone.
        m_server->query(u"SELECT pg_terminate_backend(pid, 3000) FROM pg_stat_activity WHERE "
                        "application_name LIKE 'lockboard%'"_s);
        m_server->query(u"DROP SCHEMA public CASCADE; CREATE SCHEMA public"_s);
    }
    void cleanupTestCase() { m_server.reset(); }

    void isNamedByACheckAndBreaksNothing_data();
    void isNamedByACheckAndBreaksNothing();
    void findsNothingWrongWithMedusasOwn();
    void showsWhatIsThereBesides();
    void printsNamesSafely();
    void saysThatATriggerNeedsSchemas();

private:
    std::unique_ptr<PostgresServer> m_server;
};

void PostgresHostileTableTest::isNamedByACheckAndBreaksNothing_data()
{
    QTest::addColumn<QString>("made");
    QTest::addColumn<QByteArray>("found"); // by a check
    const auto row = [](const char* name, const char16_t* made, const char* found) {
        QTest::addRow("%s", name) << QString::fromUtf16(made) << QByteArray(found);
    };
    row("a number for the end",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text, expiration bigint)",
        "the column \"expiration\" of type bigint; it must be timestamp with time zone");
    row("no time zone",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text, expiration timestamp)",
        "\"expiration\" of type timestamp without time zone; it must be timestamp with time zone");
    row("numbers for keys",
        u"CREATE TABLE locking (id bigint PRIMARY KEY, owner_id text, expiration timestamptz)",
        "the column \"id\" of type bigint; it must be text");
    row("bytes for keys",
        u"CREATE TABLE locking (id bytea PRIMARY KEY, owner_id text, expiration timestamptz)",
        "the column \"id\" of type bytea; it must be text");
    row("short keys",
        u"CREATE TABLE locking (id varchar(3) PRIMARY KEY, owner_id text, expiration timestamptz)",
        "the column \"id\" of type character varying(3)");
    row("JSON for owners",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id jsonb, expiration timestamptz)",
        "the column \"owner_id\" of type jsonb; it must be text");
    row("no owners", u"CREATE TABLE locking (id text PRIMARY KEY, expiration timestamptz)",
        "has no column \"owner_id\"; it must be of type text");
    row("nothing", u"CREATE TABLE locking ()", "has no column \"id\"");
    row("no primary key", u"CREATE TABLE locking (id text, owner_id text, expiration timestamptz)",
        "has no primary key");
    row("owners only",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text NOT NULL, expiration "
        u"timestamptz)",
        "no lock without owner");
    row("leases only",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text, expiration timestamptz NOT "
        u"NULL)",
        "no lock without lease");
    row("a computed column",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text GENERATED ALWAYS AS (id) "
        u"STORED, "
        "expiration timestamptz)",
        "computes the column \"owner_id\" itself");
    row("one column too many",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text, expiration timestamptz, "
        "tenant int NOT NULL)",
        "wants a value for the column \"tenant\"");
    row("a view",
        u"CREATE TABLE other (id text PRIMARY KEY, owner_id text, expiration timestamptz); "
        "CREATE VIEW locking AS SELECT * FROM other",
        "is a view, not a table");
    row("a view of constants",
        u"CREATE VIEW locking AS SELECT 'k'::text AS id, NULL::text AS owner_id, "
        "NULL::timestamptz AS expiration",
        "is a view, not a table");
    row("a sequence", u"CREATE SEQUENCE locking", "is a sequence, not a table");
    row("a trigger that fails",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text, expiration timestamptz); "
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION "
        "E'no\\x1b[2J'; "
        "END$$; CREATE TRIGGER no BEFORE INSERT OR UPDATE OR DELETE ON locking FOR EACH ROW "
        "EXECUTE "
        "FUNCTION no()",
        "has triggers that are not Lockboard's");
    row("a trigger that drops it",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text, expiration timestamptz); "
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$; "
        "CREATE TRIGGER no BEFORE INSERT OR UPDATE OR DELETE ON locking FOR EACH ROW EXECUTE "
        "FUNCTION no()",
        "has triggers that are not Lockboard's");
    row("rules",
        u"CREATE TABLE locking (id text PRIMARY KEY, owner_id text, expiration timestamptz); "
        "CREATE RULE no AS ON DELETE TO locking DO INSTEAD NOTHING",
        "has rules that are not Lockboard's");
}

void PostgresHostileTableTest::isNamedByACheckAndBreaksNothing()
{
    QFETCH(const QString, made);
    QFETCH(const QByteArray, found);
    m_server->query(made);
    const PostgresModule locks(m_server->url());
    const CheckReport report = await(locks->check());
    std::string all;
    for (const Finding& finding : report.findings) {
        all += finding.sentence + '\n';
        QVERIFY2(finding.level != Finding::Good || !contains(finding.sentence, "Locks are the rows")
                     || contains(found.toStdString(), "not Lockboard's"),
                 finding.sentence.c_str());
    }
    QVERIFY2(contains(all, found.toStdString()), all.c_str());

    Watcher watcher(locks);
    const auto attempt = [](auto task) {
        try {
            await(std::move(task), 15s);
        } catch (const LockError& error) {
            QCOMPARE(error.message(), printable(error.message()));
        }
    };
    const auto mine = AcquireOptions().ownedBy("me").expiringIn(30s);
    const auto byMe = ReleaseOptions().ownedBy("me");
    for (const LockKeys& keys : {LockKeys("long enough"), LockKeys("a", "b")}) {
        attempt(locks->acquire(keys, mine));
        attempt(locks->acquire(keys));
        const auto job = [] {};
        attempt(locks->execute(keys, job, ExecuteOptions().timingOutAfter(1s)));
        attempt(locks->release(keys, byMe));
    }
    attempt(locks->releaseAll(ReleaseAllOptions().ownedBy("me")));
    attempt(locks->releaseAll());
    attempt(locks->installNotices());
    QTRY_VERIFY(watcher.state().kind != SourceState::Connecting);
    QVERIFY(watcher.clean);
}

void PostgresHostileTableTest::findsNothingWrongWithMedusasOwn()
{
    m_server->createTable();
    const PostgresModule locks(m_server->url());
    for (const Finding& finding : await(locks->check()).findings)
        QVERIFY2(finding.level != Finding::Problem, finding.sentence.c_str());
}

//! Keys that are NULL are no locks, and stand in nobody's way.
void PostgresHostileTableTest::showsWhatIsThereBesides()
{
    m_server->query(
        u"CREATE TABLE locking (id text UNIQUE, owner_id text, expiration timestamptz); "
        "INSERT INTO locking VALUES (NULL, 'me', NULL), ('k', 'me', NULL), "
        "(NULL, NULL, NULL), ('l', repeat('x', 1000000), NULL)"_s);
    const PostgresModule locks(m_server->url());
    Watcher watcher(locks);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.locks.size(), 2u);
    QVERIFY(watcher.locks.contains("k"));
    QCOMPARE(watcher.locks["l"].owner, Owner(std::string(100, 'x') + "... (1000000 bytes)"));
    QCOMPARE(await(locks->releaseAll()).released, 2u);
    QTRY_VERIFY(watcher.locks.empty());
    QVERIFY(watcher.clean);
}

void PostgresHostileTableTest::printsNamesSafely()
{
    const QString more = u", \"schema\": \"sch\\u001b[2J\", \"table\": \"t\\u202e\\u009b\""_s;
    const PostgresModule locks(m_server->url(), more);
    std::vector<std::string> said;
    for (const Finding& finding : await(locks->check()).findings)
        said.push_back(finding.sentence);
    const auto mine = AcquireOptions().ownedBy("me");
    said.push_back(thrownBy<Unavailable>(locks->acquire("k", mine)).message());
    Watcher watcher(locks);
    QTRY_COMPARE(watcher.state().kind, SourceState::Failed);
    said.push_back(watcher.state().why.toStdString());
    m_server->query(u"CREATE SCHEMA \"sch\x1b[2J\"; CREATE TABLE \"sch\x1b[2J\".\"t\u202e\u009b\" "
                    "(id text PRIMARY KEY, owner_id text, expiration timestamptz)"_s);
    said.push_back(await(locks->installNotices()));
    await(locks->acquire("k", mine));
    said.push_back(await(locks->removeNotices()));
    QVERIFY(await(locks->release("k", ReleaseOptions().ownedBy("me"))).allReleased());
    for (const std::string& one : said)
        QCOMPARE(one, printable(one));
}

//! It runs as this user, so it finds nothing along the path that it was written for.
void PostgresHostileTableTest::saysThatATriggerNeedsSchemas()
{
    m_server->createTable();
    m_server->query(
        u"CREATE TABLE seen (id text); CREATE FUNCTION note() RETURNS trigger LANGUAGE "
        "plpgsql AS $$BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END$$; CREATE "
        "TRIGGER note BEFORE INSERT ON locking FOR EACH ROW EXECUTE FUNCTION note()"_s);
    const PostgresModule locks(m_server->url());
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("k"));
    QVERIFY2(contains(error.message(), "must name what it uses with its schema"), error.what());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresHostileTableTest)
#include "postgres_hostile_table_test.moc"
