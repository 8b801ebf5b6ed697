// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"
#include "tests/support/proxy.h"

#include <QRandomGenerator>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

using Fault = Proxy::Fault;

//! What the server refuses, what the network loses, and what others have left in the table.
class PostgresFailuresTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<PostgresServer>(); }
    void init();
    void cleanupTestCase() { m_server.reset(); }

    void cutBeforeAndAfterSending_data();
    void cutBeforeAndAfterSending();
    void releaseOfUnknownOutcomeIsSaid();
    void anExecuteSurvivesACut_data();
    void anExecuteSurvivesACut();
    void silence();
    void rowLockedBySomebody();
    void tableLockedBySomebody();
    void deadlock();
    void failingStatements_data();
    void failingStatements();
    void absurdExpirations_data();
    void absurdExpirations();
    void residueIsTakenOver();
    void removesNothingButResidueIfAsked();
    void keysOfAllKinds_data();
    void keysOfAllKinds();
    void keysThatAreTooLong();
    void aHundredThousandRows();
    void neverTruncates();

private:
    [[nodiscard]] QString holder(const QString& key)
    {
        return m_server->value(u"SELECT owner_id FROM locking WHERE id = $1"_s, {key});
    }
    [[nodiscard]] QString through(const Proxy& proxy) const
    {
        return u"postgres://postgres@127.0.0.1:%1/postgres?gssencmode=disable&sslmode=disable"_s
            .arg(proxy.port());
    }

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresFailuresTest::init()
{
    m_server->query(u"DROP TABLE IF EXISTS locking"_s);
    m_server->createTable();
}

static AcquireOptions mine(std::optional<Duration> lease = {})
{
    return AcquireOptions().ownedBy("me").expiringIn(lease);
}

void PostgresFailuresTest::cutBeforeAndAfterSending_data()
{
    QTest::addColumn<bool>("reachesIt");
    QTest::addColumn<bool>("several");
    QTest::newRow("before") << false << false;
    QTest::newRow("after") << true << false;
    QTest::newRow("before, several keys") << false << true;
    QTest::newRow("after, several keys") << true << true;
}

void PostgresFailuresTest::cutBeforeAndAfterSending()
{
    QFETCH(const bool, reachesIt);
    QFETCH(const bool, several);
    Proxy proxy(m_server->port());
    const PostgresModule locks(through(proxy));
    await(locks->release("warm"));
    proxy.failAt("marked", reachesIt ? Fault::DropsAfter : Fault::DropsBefore);
    const LockKeys keys = several ? LockKeys("marked", "other") : LockKeys("marked");
    if (reachesIt) { // it is looked who holds them: we do
        const Grant grant = await(locks->acquire(keys, mine(30s)));
        QVERIFY(grant.token() && grant.leaseEnd());
        QCOMPARE(holder(u"marked"_s), u"me"_s);
    } else {
        const Unavailable error = thrownBy<Unavailable>(locks->acquire(keys, mine(30s)));
        QVERIFY2(contains(error.message(), "was lost"), error.what());
        QVERIFY(holder(u"marked"_s).isNull());
        await(locks->acquire(keys, mine(30s)));
    }
    QVERIFY(proxy.hasFailed());
    QVERIFY(await(locks->release(keys, ReleaseOptions().ownedBy("me"))).allReleased());
}

void PostgresFailuresTest::releaseOfUnknownOutcomeIsSaid()
{
    Proxy proxy(m_server->port());
    const PostgresModule locks(through(proxy));
    await(locks->acquire("marked", mine()));
    proxy.failAt("fmarked", Fault::DropsAfter);
    const ReleaseResult result = await(locks->release("marked", ReleaseOptions().ownedBy("me")));
    QCOMPARE(result.of("marked").outcome, ReleaseOutcome::Unknown);
    // An acquire without owner can't be told from anybody else's.
    proxy.failAt("nobody's", Fault::DropsAfter);
    thrownBy<OutcomeUnknown>(locks->acquire("nobody's"));
}

void PostgresFailuresTest::anExecuteSurvivesACut_data()
{
    QTest::addColumn<int>("fault");
    QTest::newRow("before") << int(Fault::DropsBefore);
    QTest::newRow("after") << int(Fault::DropsAfter);
}

void PostgresFailuresTest::anExecuteSurvivesACut()
{
    QFETCH(const int, fault);
    Proxy proxy(m_server->port());
    const PostgresModule locks(through(proxy));
    await(locks->execute("warm", [] {}));
    proxy.failAt("marked", Fault(fault));
    QCOMPARE(await(locks->execute("marked", [] { return 7; })), 7);
    QVERIFY(proxy.hasFailed());
    QTRY_COMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), u"0"_s);
    QTRY_COMPARE(m_server->advisoryLocks(), 0);
}

void PostgresFailuresTest::silence()
{
    const PostgresModule locks(*m_server, u", \"statementTimeout\": 500"_s);
    await(locks->acquire("k", mine()));
    m_server->pause();
    const CheckReport report = await(locks->check());
    m_server->resume();
    QVERIFY(!report.reachable);
    QVERIFY(contains(report.findings.front().sentence, "no answer within"));
    QVERIFY(await(locks->release("k", ReleaseOptions().ownedBy("me"))).allReleased());
}

void PostgresFailuresTest::rowLockedBySomebody()
{
    const PostgresModule locks(*m_server, u", \"lockTimeout\": 300"_s);
    await(locks->acquire("k", mine()));
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    other.query(u"SELECT FROM locking WHERE id = 'k' FOR UPDATE"_s);
    const Unavailable error =
        thrownBy<Unavailable>(locks->release("k", ReleaseOptions().ownedBy("me")));
    QVERIFY2(contains(error.message(), "kept \"public\".\"locking\" or a row of it locked"),
             error.what());
    other.query(u"COMMIT"_s);
    QVERIFY(await(locks->release("k", ReleaseOptions().ownedBy("me"))).allReleased());
}

void PostgresFailuresTest::tableLockedBySomebody()
{
    const PostgresModule locks(*m_server, u", \"lockTimeout\": 300"_s);
    await(locks->release("warm"));
    Sql other(m_server->url());
    other.query(u"BEGIN"_s);
    other.query(u"LOCK TABLE locking IN ACCESS EXCLUSIVE MODE"_s);
    thrownBy<Unavailable>(locks->acquire("k", mine()));
    thrownBy<Unavailable>(locks->acquire(LockKeys("k", "l"), mine()));
    thrownBy<Unavailable>(locks->releaseAll());
    // Who waits goes on waiting, and the log says what for.
    thrownBy<TimedOut>(locks->execute(
        "k", [] {}, ExecuteOptions().timingOutAfter(1s)));
    QVERIFY2(contains(locks.log, "kept \"public\".\"locking\" or a row of it locked"),
             locks.log.c_str());
    other.query(u"COMMIT"_s);
    // Its last try may still be under way; what that takes is given back.
    await(locks->acquire(LockKeys("k", "l"), mine().waiting(10s)));
}

void PostgresFailuresTest::deadlock()
{
    const PostgresModule locks(*m_server, u", \"lockTimeout\": 8000"_s);
    m_server->query(u"INSERT INTO locking VALUES ('a', 'x', now() - interval '1 h'), "
                    "('b', 'x', now() - interval '1 h')"_s);
    Sql other(m_server->url());
    other.query(u"SET deadlock_timeout = '1min'"_s); // so that it is ours that is chosen
    other.query(u"BEGIN"_s);
    other.query(u"UPDATE locking SET owner_id = 'x' WHERE id = 'b'"_s);
    const qsizetype before = m_server->log().count(u"deadlock detected"_s);
    Task<Grant> grant = locks->acquire(LockKeys("a", "b"), mine());
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    other.send(u"UPDATE locking SET owner_id = 'x' WHERE id = 'a'; COMMIT"_s);
    QVERIFY(await(std::move(grant)).token()); // tried again: nothing was done before
    other.finish();
    // Perhaps twice: the second try may be quicker than the other, who goes on.
    QVERIFY(m_server->log().count(u"deadlock detected"_s) > before);
    QCOMPARE(holder(u"a"_s), u"me"_s);
    QCOMPARE(holder(u"b"_s), u"me"_s);
}

void PostgresFailuresTest::failingStatements_data()
{
    QTest::addColumn<QString>("state");
    QTest::addColumn<int>("times");
    QTest::addColumn<QString>("says");
    QTest::newRow("serialization failure, once") << u"40001"_s << 1 << QString();
    QTest::newRow("serialization failure, always") << u"40001"_s << 1000 << u"40001"_s;
    QTest::newRow("disk full") << u"53100"_s << 1000 << u"(53100)"_s;
    QTest::newRow("out of memory") << u"53200"_s << 1000 << u"(53200)"_s;
}

void PostgresFailuresTest::failingStatements()
{
    QFETCH(const QString, state);
    QFETCH(const int, times);
    QFETCH(const QString, says);
    m_server->query(u"DROP SEQUENCE IF EXISTS fails; CREATE SEQUENCE fails"_s); // never rolled back
    m_server->query(
        u"CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('public.fails') <= %1 THEN RAISE EXCEPTION 'as asked' USING ERRCODE = "
        "'%2'; END IF; RETURN NEW; END $$"_s.arg(times)
            .arg(state));
    m_server->query(u"CREATE TRIGGER fails BEFORE INSERT ON locking FOR EACH ROW EXECUTE FUNCTION "
                    "fail()"_s);
    const PostgresModule locks(*m_server);
    if (says.isEmpty()) {
        await(locks->acquire("k", mine()));
        m_server->query(u"ALTER SEQUENCE fails RESTART"_s);
        await(locks->execute("l", [] {}));
        return;
    }
    for (const LockKeys& keys : {LockKeys("k"), LockKeys("k", "l")}) {
        const Unavailable error = thrownBy<Unavailable>(locks->acquire(keys, mine()));
        QVERIFY2(contains(error.message(), says.toStdString()), error.what());
    }
    thrownBy<Unavailable>(locks->execute("k", [] {}));
    QCOMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), u"0"_s);
}

void PostgresFailuresTest::absurdExpirations_data()
{
    QTest::addColumn<QString>("expiration");
    QTest::addColumn<bool>("holds");
    QTest::newRow("NULL") << u"NULL"_s << true;
    QTest::newRow("infinity") << u"'infinity'"_s << true;
    QTest::newRow("-infinity") << u"'-infinity'"_s << false;
    QTest::newRow("the year 294276") << u"'294276-01-01'"_s << true;
    QTest::newRow("4713 BC") << u"'4713-01-01 BC'"_s << false;
}

void PostgresFailuresTest::absurdExpirations()
{
    QFETCH(const QString, expiration);
    QFETCH(const bool, holds);
    m_server->query(u"INSERT INTO locking VALUES ('k', 'x', %1)"_s.arg(expiration));
    const PostgresModule locks(*m_server);
    if (!holds) {
        await(locks->acquire("k", mine()));
        return;
    }
    const Conflict conflict = thrownBy<Conflict>(locks->acquire("k", mine()));
    QCOMPARE(conflict.holder(), Owner("x"));
    QCOMPARE(conflict.remaining().has_value(), expiration.contains(u"2942"_s));
    const AcquireOptions his = AcquireOptions().ownedBy("x");
    await(locks->acquire("k", his)); // keeps the lease it has
    QCOMPARE(m_server->value(
                 u"SELECT expiration IS NOT DISTINCT FROM %1 FROM locking"_s.arg(expiration)),
             u"t"_s);
    QVERIFY(await(locks->release("k", ReleaseOptions().ownedBy("x"))).allReleased());
}

void PostgresFailuresTest::residueIsTakenOver()
{
    m_server->query(u"INSERT INTO locking VALUES ('a', 'x', now() - interval '1 h'), "
                    "('b', NULL, now() - interval '1 h'), ('c', 'x', now() - interval '1 h')"_s);
    const PostgresModule locks(*m_server);
    // Released, it goes; but it was not held.
    const ReleaseResult result = await(locks->release("c", ReleaseOptions().ownedBy("y")));
    QCOMPARE(result.of("c").outcome, ReleaseOutcome::NotHeld);
    QVERIFY(holder(u"c"_s).isNull());
    const Grant grant = await(locks->acquire(LockKeys("a", "b"), mine(10s)));
    QVERIFY(!grant.isExtension());
    QCOMPARE(holder(u"b"_s), u"me"_s);
    QCOMPARE(await(locks->releaseAll()).released, 2U);
}

//! Somebody may have taken a key since it was seen to be left over.
void PostgresFailuresTest::removesNothingButResidueIfAsked()
{
    m_server->query(u"INSERT INTO locking VALUES ('over', NULL, now() - interval '1 h'), "
                    "('live', NULL, now() + interval '1 h'), ('mine', 'me', NULL)"_s);
    const PostgresModule locks(*m_server);
    const LockKeys all("free", "live", "mine", "over");
    const ReleaseResult result =
        await(locks->release(all, ReleaseOptions().ownedBy("me").onlyIfOver()));
    QCOMPARE(result.of("free").outcome, ReleaseOutcome::NotHeld);
    QCOMPARE(result.of("live").outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(result.of("mine").outcome, ReleaseOutcome::HeldByOther);
    QVERIFY(result.of("over").cleared);
    const ReleaseResult one = await(locks->release("live", ReleaseOptions().onlyIfOver()));
    QCOMPARE(one.of("live").outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(m_server->value(u"SELECT string_agg(id, ' ' ORDER BY id) FROM locking"_s),
             u"live mine"_s);
}

void PostgresFailuresTest::keysOfAllKinds_data()
{
    QTest::addColumn<QString>("key");
    QTest::newRow("quotes") << u"it's \"quoted\""_s;
    QTest::newRow("backslashes") << u"a\\b\\\\c\\"_s;
    QTest::newRow("array") << u"{a,b},NULL"_s;
    QTest::newRow("the word NULL") << u"NULL"_s;
    QTest::newRow("emoji") << u"\U0001F512\u00e9\u4e2d"_s;
    QTest::newRow("blanks") << u" \t\n\r "_s;
    QTest::newRow("64 KiB") << QString(65536, u'k');
}

void PostgresFailuresTest::keysOfAllKinds()
{
    QFETCH(const QString, key);
    const std::string name = key.toStdString();
    const PostgresModule locks(*m_server);
    await(locks->acquire(LockKeys(name, "plain"), AcquireOptions().ownedBy(name.substr(0, 100))));
    QCOMPARE(m_server->value(u"SELECT count(*) FROM locking WHERE id = $1"_s, {key}), u"1"_s);
    await(locks->execute(name.size() < 1000 ? name + '!' : name.substr(1), [] {}));
    QCOMPARE(await(locks->releaseAll()).released, 2U);
}

void PostgresFailuresTest::keysThatAreTooLong()
{
    const PostgresModule locks(*m_server);
    std::string noise; // an index takes 64 KiB only if they are easy to pack
    for (int i = 0; i < 64'000; ++i)
        noise += static_cast<char>('!' + QRandomGenerator::global()->bounded(90));
    const InvalidArgument error = thrownBy<InvalidArgument>(locks->acquire(noise, mine()));
    QVERIFY2(contains(error.message(), "can't store this key"), error.what());
    QVERIFY(error.message().size() < 1000);
    thrownBy<InvalidArgument>(locks->acquire("\xff\xfe", mine()));
    thrownBy<InvalidArgument>(locks->release("k", ReleaseOptions().ownedBy("\xc3")));
}

void PostgresFailuresTest::aHundredThousandRows()
{
    m_server->query(u"INSERT INTO locking SELECT 'k' || i, CASE WHEN i % 2 = 0 THEN 'me' END "
                    "FROM generate_series(1, 100000) i"_s);
    const PostgresModule locks(*m_server);
    thrownBy<Conflict>(locks->acquire("k77778", AcquireOptions().ownedBy("x")));
    std::uint64_t reported = 0;
    ReleaseAllOptions options;
    options.ownedBy("me").reportingTo(
        [&](std::uint64_t released, std::uint64_t) { reported = released; });
    QCOMPARE(await(locks->releaseAll(options)).released, 50'000U);
    QCOMPARE(reported, 50'000U);
    std::stop_source stop;
    ReleaseAllOptions cancelled;
    cancelled.stoppedBy(stop.get_token()).reportingTo([&](std::uint64_t, std::uint64_t) {
        stop.request_stop();
    });
    const ReleaseAllResult some = await(locks->releaseAll(cancelled));
    QVERIFY(some.cancelled && some.released < 50'000U);
    QCOMPARE(await(locks->releaseAll()).released + some.released, 50'000U);
}

void PostgresFailuresTest::neverTruncates()
{
    m_server->query(u"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
                    "BEGIN RAISE EXCEPTION 'no'; END $$"_s);
    m_server->query(u"CREATE TRIGGER refuses BEFORE TRUNCATE ON locking EXECUTE FUNCTION "
                    "refuse()"_s);
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, m_server->query(u"TRUNCATE locking"_s));
    m_server->query(u"INSERT INTO locking SELECT 'k' || i, 'me' FROM generate_series(1, 30000) "
                    "i"_s);
    const PostgresModule locks(*m_server); // as the table's owner, who would have the right
    QCOMPARE(await(locks->releaseAll()).released, 30'000U);
    QCOMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), u"0"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresFailuresTest)
#include "postgres_failures_test.moc"
