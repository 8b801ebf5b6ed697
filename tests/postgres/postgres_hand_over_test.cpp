// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "tests/postgres/postgres_fixture.h"
#include "tests/support/proxy.h"

#include <QThread>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! A lock goes from one job to the next of its process in one step.
class PostgresHandOverTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init() { m_server->query(u"TRUNCATE locking, changes"_s); }
    void cleanupTestCase() { m_server.reset(); }

    void goesFromJobToJob();
    void goesToNobodyElse();
    void leavesOthersTheirTurn();
    void isNotWhatIsLost();
    void waitsForNobodyWhoHasGone();
    void isTriedAgainIfTheRowIsLocked();
    void canBeCut_data();
    void canBeCut();
    void isNotWhatTheSessionHasLost();
    void endsWithTheProvider_data();
    void endsWithTheProvider();

private:
    [[nodiscard]] int count(const QString& what)
    {
        return m_server->value(u"SELECT count(*) FROM "_s + what).toInt();
    }
    [[nodiscard]] int handOvers() { return count(u"changes WHERE was <> became"_s); }
    [[nodiscard]] int advisory()
    {
        return count(u"pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objsubid = 1"_s);
    }
    void nothingIsLeft()
    {
        QTRY_COMPARE(count(u"locking"_s), 0);
        QTRY_COMPARE(advisory(), 0);
    }

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresHandOverTest::initTestCase()
{
    m_server = std::make_unique<PostgresServer>();
    m_server->createTable();
    m_server->query(u"CREATE TABLE changes (was text, became text)"_s);
    m_server->query(
        u"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO public.changes VALUES (OLD.owner_id, NEW.owner_id); RETURN NULL; END $$"_s);
    m_server->query(
        u"CREATE TRIGGER notes AFTER INSERT OR UPDATE OR DELETE ON locking FOR EACH ROW "
        "EXECUTE FUNCTION note()"_s);
}

void PostgresHandOverTest::goesFromJobToJob()
{
    const PostgresModule locks(*m_server);
    QList<int> order;
    FencingToken last = 0;
    int running = 0;
    std::list<Task<>> calls;
    for (int i = 0; i < 30; ++i) {
        const auto job = [&, i](std::stop_token lost, const Grant& grant) {
            QCOMPARE(++running, 1);
            order << i;
            QVERIFY(grant.token() > last);
            last = *grant.token();
            QVERIFY(!lost.stop_requested());
            QCOMPARE(count(u"locking WHERE expiration > now() + interval '20 s'"_s), 1);
            QCOMPARE(advisory(), 1);
            --running;
        };
        calls.push_back(locks->execute("k", job));
    }
    for (Task<>& call : calls)
        await(std::move(call));
    QCOMPARE(order.size(), 30);
    QVERIFY(std::is_sorted(order.begin(), order.end()));
    QVERIFY2(handOvers() >= 10, qPrintable(QString::number(handOvers())));
    QCOMPARE(count(u"changes WHERE was IS NULL"_s) + handOvers(), 30);
    nothingIsLeft();
}

//! Who acquires waits in the same queue, and has its turn; another key has its own.
void PostgresHandOverTest::goesToNobodyElse()
{
    const PostgresModule locks(*m_server);
    QStringList order;
    Task<> first = locks->execute("k", [&] { order << u"first"_s; });
    Task<Grant> second = locks->acquire("k", AcquireOptions().waiting(20s));
    Task<> third = locks->execute("k", [&] { order << u"third"_s; });
    Task<> both = locks->execute(LockKeys("k", "l"), [&] { order << u"both"_s; });
    await(std::move(first));
    await(std::move(second));
    QTest::qWait(100);
    QCOMPARE(order, QStringList(u"first"_s));
    QCOMPARE(count(u"locking WHERE owner_id IS NULL"_s), 1);
    await(locks->release("k"));
    await(std::move(third));
    await(std::move(both));
    QCOMPARE(order, QStringList({u"first"_s, u"third"_s, u"both"_s}));
    QCOMPARE(handOvers(), 0);
    nothingIsLeft();
}

//! Others hardly wait longer for jobs that come one after the other without a pause.
void PostgresHandOverTest::leavesOthersTheirTurn()
{
    const PostgresModule locks(*m_server), elsewhere(*m_server);
    bool isOver = false;
    int jobs = 0;
    const auto restless = [&]() -> Task<> {
        while (!isOver)
            co_await locks->execute("k", [&] { ++jobs; });
    };
    Task<> one = restless(), two = restless();
    QTRY_VERIFY(handOvers() > 0);

    Sql medusa(m_server->url());
    medusa.query(u"BEGIN"_s);
    int before = jobs;
    medusa.send(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash("k")));
    QTRY_VERIFY(!medusa.isBusy());
    medusa.finish();
    QVERIFY2(jobs - before < 1000, qPrintable(QString::number(jobs - before)));
    medusa.query(u"COMMIT"_s);
    before = jobs;
    QTRY_VERIFY(jobs > before);

    await(elsewhere->execute("k", [] {}));
    await(elsewhere->acquire("k", AcquireOptions().ownedBy("me").waiting(20s)));
    await(elsewhere->release("k", ReleaseOptions().ownedBy("me")));
    isOver = true;
    await(std::move(one));
    await(std::move(two));
    nothingIsLeft();
}

void PostgresHandOverTest::isNotWhatIsLost()
{
    const PostgresModule locks(*m_server);
    Task<> lost = locks->execute(
        "k", [this] { m_server->query(u"UPDATE locking SET owner_id = 'thief'"_s); });
    bool ran = false;
    Task<> next = locks->execute("k", [&] { ran = true; });
    thrownBy<Lost>(std::move(lost));
    QTest::qWait(300);
    QVERIFY(!ran);
    QCOMPARE(m_server->value(u"SELECT owner_id FROM locking"_s), u"thief"_s);
    QCOMPARE(advisory(), 0);
    m_server->query(u"DELETE FROM locking"_s);
    await(std::move(next));
    QVERIFY(ran);
    nothingIsLeft();
}

void PostgresHandOverTest::waitsForNobodyWhoHasGone()
{
    const PostgresModule locks(*m_server);
    Sql other(m_server->url());
    Task<> first = locks->execute("k", [&] {
        other.query(u"BEGIN"_s);
        other.query(u"SELECT FROM locking FOR UPDATE"_s);
    });
    Task<> late = locks->execute(
        "k", [] { QFAIL("it was too late"); }, ExecuteOptions().timingOutAfter(50ms));
    bool ran = false;
    Task<> last = locks->execute("k", [&] { ran = true; });
    thrownBy<TimedOut>(std::move(late));
    other.query(u"COMMIT"_s);
    await(std::move(first));
    await(std::move(last)); // what came too late was given back
    QVERIFY(ran);
    nothingIsLeft();
}

void PostgresHandOverTest::isTriedAgainIfTheRowIsLocked()
{
    const PostgresModule locks(*m_server);
    Sql other(m_server->url());
    bool ran = false;
    Task<> first = locks->execute("k", [&] {
        other.query(u"BEGIN"_s);
        other.query(u"SELECT FROM locking FOR UPDATE"_s);
    });
    Task<> next = locks->execute("k", [&] { ran = true; });
    QTest::qWait(1000); // longer than the session waits for a row
    QVERIFY(!ran);
    other.query(u"COMMIT"_s);
    await(std::move(first));
    await(std::move(next));
    QVERIFY(ran);
    nothingIsLeft();
}

void PostgresHandOverTest::canBeCut_data()
{
    QTest::addColumn<Proxy::Fault>("fault");
    QTest::newRow("before") << Proxy::Fault::DropsBefore;
    QTest::newRow("after") << Proxy::Fault::DropsAfter;
}

void PostgresHandOverTest::canBeCut()
{
    QFETCH(const Proxy::Fault, fault);
    Proxy proxy(m_server->port());
    const PostgresModule locks(
        u"postgres://postgres@127.0.0.1:%1/postgres?gssencmode=disable&sslmode=disable"_s.arg(
            proxy.port()));
    await(locks->execute("k", [] {}));
    QStringList order;
    Task<> first = locks->execute("k", [&] {
        order << u"first"_s;
        proxy.failAt("lockboard_hand_over", fault);
    });
    Task<> next = locks->execute("k", [&] { order << u"next"_s; });
    Task<> last = locks->execute("k", [&] { order << u"last"_s; });
    await(std::move(first)); // it ran to its end; its row is somebody's of ours
    await(std::move(next));
    await(std::move(last));
    QVERIFY(proxy.hasFailed());
    QCOMPARE(order, QStringList({u"first"_s, u"next"_s, u"last"_s}));
    nothingIsLeft();
}

//! Of two jobs that end at once, the first finds out, and the second's key is not held any more.
void PostgresHandOverTest::isNotWhatTheSessionHasLost()
{
    const PostgresModule locks(*m_server);
    await(locks->execute("k", [] {}));
    const QString backend = m_server->value(
        u"SELECT pid FROM pg_stat_activity WHERE application_name = 'lockboard locks'"_s);
    SystemClock clock;
    Resumer resumer(clock);
    Signal firstEnds(resumer), secondEnds(resumer);
    int running = 0;
    const auto arm = [&] {
        if (++running < 2)
            return;
        m_server->query(u"SELECT pg_terminate_backend(%1)"_s.arg(backend));
        QThread::msleep(4); // and it is gone
        firstEnds.raise();
        secondEnds.raise();
    };
    const auto job = [&](Signal& ends) -> Task<> {
        QMetaObject::invokeMethod(&resumer, arm, Qt::QueuedConnection);
        co_await ends.wait({}, std::stop_token());
    };
    QList<bool> couldLock;
    const auto mayLock = [&](const char* key) {
        const QString hash = QString::number(medusaHash(key));
        couldLock << (m_server->value(u"SELECT pg_try_advisory_xact_lock(%1)"_s.arg(hash)) == u"t");
    };
    Task<> first = locks->execute("one", [&] { return job(firstEnds); });
    Task<> second = locks->execute("two", [&] { return job(secondEnds); });
    Task<> afterFirst = locks->execute("one", [&] { mayLock("one"); });
    Task<> afterSecond = locks->execute("two", [&] { mayLock("two"); });
    for (Task<>* const one : {&first, &second}) {
        try {
            await(std::move(*one));
        } catch (const Lost&) {
            // found out before it had ended, on a slow machine
        }
    }
    await(std::move(afterFirst));
    await(std::move(afterSecond));
    QCOMPARE(couldLock, QList<bool>({false, false}));
    nothingIsLeft();
}

void PostgresHandOverTest::endsWithTheProvider_data()
{
    QTest::addColumn<bool>("waited");
    QTest::addColumn<bool>("executes");
    for (const bool waited : {false, true}) {
        for (const bool executes : {false, true})
            QTest::addRow("%s, then %s", waited ? "waited for" : "alone",
                          executes ? "execute" : "release")
                << waited << executes;
    }
}

//! While it is under way; whoever called it calls again.
void PostgresHandOverTest::endsWithTheProvider()
{
    QFETCH(const bool, waited);
    QFETCH(const bool, executes);
    PostgresModule locks(*m_server);
    LockingModule* const module = locks.operator->();
    Sql other(m_server->url());
    const auto lockRow = [&] {
        other.query(u"BEGIN"_s);
        other.query(u"SELECT FROM locking FOR UPDATE"_s);
    };
    const auto callTwice = [&]() -> Task<> {
        co_await module->execute("k", lockRow); // its job ran to its end
        if (executes)
            co_await module->execute("x", [] { QFAIL("it was closed"); });
        else
            co_await module->release("x");
    };
    Task<> calls = callTwice();
    std::optional<Task<>> waiting;
    if (waited)
        waiting.emplace(module->execute("k", [] { QFAIL("nobody is there to run it"); }));
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    locks.destroy();
    // Its hand-over was sent, and the server may do it yet.
    if (waiting)
        thrownBy<OutcomeUnknown>(std::move(*waiting));
    thrownBy<Cancelled>(std::move(calls));
    other.query(u"COMMIT"_s);
    QTRY_COMPARE(advisory(), 0);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresHandOverTest)
#include "postgres_hand_over_test.moc"
