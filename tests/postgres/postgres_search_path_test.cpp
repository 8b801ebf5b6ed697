// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "engine/postgres/session/statements.h"
#include "engine/postgres/wire/settings.h"
#include "tests/postgres/qualified_sql.h"
#include "tests/postgres/watched.h"
#include "tests/support/pgbouncer.h"

#include <QRegularExpression>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Somebody who may create functions in a schema of the search path puts some there under the names
//! that our statements use, so that they match better than the server's own. What the statements
//! use is taken from what the server was sent, so that a new one is tried as well.
class PostgresSearchPathTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_server.reset(); }

    void namesEverythingWithItsSchema();
    void runsNoFunctionOfOthers_data();
    void runsNoFunctionOfOthers();
    void runsNoFunctionOfOthersInItsTrigger();
    void leavesAFunctionOfOthersAlone();

private:
    //! A session that finds the server's own functions.
    [[nodiscard]] Sql plain() const
    {
        return Sql(m_server->url(u"postgres"_s, u"shop"_s)
                   + u"?options=-csearch_path%3Dpg_catalog"_s);
    }
    void exercise(const QString& url);
    //! What the server was sent by Lockboards, each once.
    [[nodiscard]] QStringList statements() const;
    [[nodiscard]] QStringList shadowed() const
    {
        return m_server->log().split(u'\n').filter(QRegularExpression(u"LOG:  shadowed"_s));
    }

    std::unique_ptr<PostgresServer> m_server;
    QStringList m_statements;
};

void PostgresSearchPathTest::initTestCase()
{
    PostgresOptions options;
    options.settings = {u"log_statement = all"_s, u"log_line_prefix = '@%a@ '"_s,
                        u"max_connections = 60"_s};
    m_server = std::make_unique<PostgresServer>(options);
    m_server->createDatabase(u"shop"_s);
    exercise(m_server->url(u"postgres"_s, u"shop"_s));
    m_statements = statements();
    QVERIFY2(m_statements.size() > 30, qPrintable(m_statements.join(u'\n')));
    for (const char* const needed :
         {"lock_timeout", "'f'", "pg_terminate_backend", "CREATE TRIGGER", "has_table_privilege"})
        QVERIFY2(!m_statements.filter(QLatin1StringView(needed)).isEmpty(), needed);
    // What only a lost answer has it send.
    const postgres::Statements all((postgres::Settings()));
    for (const postgres::Statement* const one : {&all.look, &all.releaseSeen, &all.ownedKeys})
        m_statements += QString::fromStdString(one->sql);

    Sql sql = plain();
    sql.query(QString::fromStdString(shadowsOf(m_statements)));
    sql.query(u"ALTER DATABASE shop SET search_path = public, pg_catalog"_s);
    QVERIFY2(sql.value(u"SELECT count(*) FROM pg_operator WHERE oprnamespace = "
                       "'public'::regnamespace"_s)
                     .toInt()
                 > 1000,
             "there are too few of them");
    // They are found, and they say so.
    Sql victim(m_server->url(u"postgres"_s, u"shop"_s));
    try {
        victim.query(u"SELECT 3::bigint * interval '1 s'"_s);
    } catch (const std::runtime_error&) {
        // what it gives is of no interest
    }
    QVERIFY(!shadowed().isEmpty());
}

//! Every verb, one after the other; what one of them throws is not of interest here.
void PostgresSearchPathTest::exercise(const QString& url)
{
    const auto attempt = [](const auto& call) {
        try {
            call();
        } catch (const std::exception&) {
            // some are to fail
        }
    };
    const PostgresModule locks(url, u", \"createTable\": true, \"lockTimeout\": 100"_s);
    const auto mine = AcquireOptions().ownedBy("me").expiringIn(30s);
    const auto byMe = ReleaseOptions().ownedBy("me");
    attempt([&] { await(locks->installNotices()); });
    Watcher watcher(locks);
    (void)QTest::qWaitFor([&] { return watcher.snapshots > 0; }, 5000);
    for (const LockKeys& keys : {LockKeys("a"), LockKeys("b", "c", "d")}) {
        attempt([&] { await(locks->acquire(keys, mine)); });
        attempt([&] { await(locks->acquire(keys, mine)); });
        attempt([&] { await(locks->acquire(keys)); });
        attempt([&] { await(locks->acquire(keys, AcquireOptions().waiting(300ms))); });
        attempt([&] { await(locks->release(keys)); });
        attempt([&] { await(locks->release(keys, ReleaseOptions().onlyIfOver())); });
        attempt([&] { await(locks->release(keys, byMe)); });
        attempt([&] {
            await(locks->execute(
                keys, [] { QTest::qWait(400); }, ExecuteOptions().expiringIn(1s)));
        });
    }
    attempt([&] { // from one to the other
        PostgresJob one(locks, "h"), two(locks, "h");
        (void)QTest::qWaitFor([&] { return one.running || two.running; }, 5000);
        (void)(one.running ? one : two).end();
        (void)QTest::qWaitFor([&] { return one.running && two.running; }, 5000);
        (void)(one.isDone ? two : one).end();
    });
    attempt([&] { // one of Medusa's is in the way, and its session is ended
        Sql other = plain();
        other.query(u"BEGIN"_s);
        other.query(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash("m")));
        PostgresJob one(locks, "m");
        QTest::qWait(1500);
        await(locks->endSession(SeenSession(other.pid()), SessionEnd::Terminate));
        (void)QTest::qWaitFor([&] { return one.running; }, 5000);
        (void)one.end();
    });
    Sql other = plain();
    for (const Owner& owner : {Owner("me"), Owner()}) {
        attempt([&] { // a row stays locked meanwhile
            await(locks->acquire(LockKeys("x", "y"), mine));
            other.query(u"BEGIN"_s);
            other.query(u"SELECT * FROM public.locking WHERE id = 'x' FOR UPDATE"_s);
            await(locks->releaseAll(ReleaseAllOptions().ownedBy(owner)));
        });
        other.query(u"ROLLBACK"_s);
        attempt([&] { await(locks->releaseAll(ReleaseAllOptions().ownedBy(owner))); });
    }
    attempt([&] { await(locks->check()); });
    QTest::qWait(2500); // what is looked at now and then, and withdrawn
    attempt([&] { await(locks->removeNotices()); });
}

QStringList PostgresSearchPathTest::statements() const
{
    static const QRegularExpression line(
        u"^@lockboard[^@]*@ LOG:  (?:statement|execute [^:]*): (.*)$"_s);
    QStringList all;
    for (const QString& text : m_server->log().split(u'\n')) {
        const QRegularExpressionMatch match = line.match(text);
        if (match.hasMatch())
            all += match.captured(1);
    }
    all.removeDuplicates();
    return all;
}

void PostgresSearchPathTest::namesEverythingWithItsSchema()
{
    // The test of the test: what it is there to find.
    for (const char* const bad :
         {"SELECT now()", "SELECT 1 + 2", "SELECT a::text", "SELECT 1 FROM pg_locks",
          "SELECT a IN (1)", "SELECT a IS NOT DISTINCT FROM b", "SELECT CASE a WHEN 1 THEN 2 END",
          "DO 'BEGIN PERFORM now(); END'", "SELECT a LIKE 'b'", "SELECT public.now()"})
        QVERIFY2(!unqualifiedIn(bad).empty(), bad);
    for (const QString& sql : m_statements) {
        const std::vector<std::string> found = unqualifiedIn(sql.toStdString());
        QVERIFY2(found.empty(),
                 found.empty() ? "" : (found.front() + " in: " + sql.toStdString()).c_str());
    }
}

void PostgresSearchPathTest::runsNoFunctionOfOthers_data()
{
    QTest::addColumn<bool>("pooled");
    QTest::newRow("direct") << false;
    QTest::newRow("behind a pooler") << true;
}

void PostgresSearchPathTest::runsNoFunctionOfOthers()
{
    QFETCH(const bool, pooled);
    const qsizetype before = shadowed().size();
    std::optional<PgBouncer> pooler;
    if (pooled)
        pooler.emplace(*m_server, PgBouncer::Pooling::Transaction);
    exercise(pooled ? pooler->url(u"shop"_s) : m_server->url(u"postgres"_s, u"shop"_s));
    const QStringList after = shadowed().mid(before);
    QVERIFY2(after.isEmpty(), qPrintable(after.mid(0, 40).join(u'\n')));
}

//! Whoever changes the table runs it, the shop say.
void PostgresSearchPathTest::runsNoFunctionOfOthersInItsTrigger()
{
    const PostgresModule locks(m_server->url(u"postgres"_s, u"shop"_s));
    await(locks->installNotices());
    const QStringList before = shadowed();
    Sql shop(m_server->url(u"postgres"_s, u"shop"_s));
    shop.query(u"INSERT INTO public.locking VALUES ('t', NULL, NULL)"_s);
    shop.query(u"TRUNCATE public.locking"_s);
    QCOMPARE(shadowed(), before);
    await(locks->removeNotices());
}

//! A function that somebody else can change afterwards must not become the trigger's.
void PostgresSearchPathTest::leavesAFunctionOfOthersAlone()
{
    const PostgresModule locks(m_server->url(u"postgres"_s, u"shop"_s));
    Sql sql = plain();
    sql.query(
        u"CREATE ROLE stranger; GRANT CREATE, USAGE ON SCHEMA public TO stranger; "
        "SET ROLE stranger; CREATE FUNCTION public.lockboard_notify_locking() RETURNS trigger "
        "LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "CREATE FUNCTION public.lockboard_notify_locking(int) RETURNS int LANGUAGE sql AS "
        "'SELECT 1'"_s);
    const Denied error = thrownBy<Denied>(locks->installNotices());
    QVERIFY2(contains(error.message(), "lockboard_notify_locking"), error.what());
    sql.query(u"RESET ROLE; DROP FUNCTION public.lockboard_notify_locking()"_s);
    await(locks->installNotices());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresSearchPathTest)
#include "postgres_search_path_test.moc"
