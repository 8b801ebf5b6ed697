// SPDX-License-Identifier: MIT
#include "tests/interop/postgres_interop_fixture.h"

#include <QCoroTimer>
#include <QRandomGenerator>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Jobs under a lock: Medusa's and ours exclude each other by Medusa's advisory locks.
class InteropPostgresExecuteTest final : public PostgresInteropTest {
    Q_OBJECT

private Q_SLOTS:
    void ourJobWaitsForMedusas();
    void medusasJobWaitsForOurs();
    void ourExecuteExcludesMedusasAcquire();
    void medusasAcquireExcludesOurExecute();
    void medusasExecuteIsNothingToAcquire();
    void timesOutBesideMedusasJob();
    void medusaTimesOutBesideOurJob();
    void medusaTakesALockFromOurJob();
    void countsTogether_data();
    void countsTogether();

private:
    //! Starts a job of Medusa's and waits until it runs.
    int beginJob(const QJsonArray& keys, int milliseconds);
    //! Which job came in and went out when.
    [[nodiscard]] QStringList trail();
    void leaveTrail(const QString& what)
    {
        m_server.query(u"INSERT INTO trail (what) VALUES ($1)"_s, {what});
    }
    Task<> holdFor(std::chrono::milliseconds time);
    Task<> holdUntil(std::stop_token stop);
    Task<> increment();
    Task<> incrementOften(bool locked, int times);
};

static const QStringList medusaFirst{u"medusa in"_s, u"medusa out"_s, u"ours in"_s, u"ours out"_s};
static const QStringList oursFirst{u"ours in"_s, u"ours out"_s, u"medusa in"_s, u"medusa out"_s};

int InteropPostgresExecuteTest::beginJob(const QJsonArray& keys, int milliseconds)
{
    QJsonObject job = call(keys);
    job.insert(u"milliseconds"_s, milliseconds);
    const int id = m_medusa.begin(u"execute"_s, job);
    if (!QTest::qWaitFor([&] { return m_medusa.hasSaid(id, u"started"_s); }, 20'000))
        throw std::runtime_error("Medusa's job does not start");
    return id;
}

QStringList InteropPostgresExecuteTest::trail()
{
    QStringList trail;
    const Sql::Rows rows = m_server.query(u"SELECT what FROM trail ORDER BY place"_s);
    for (const QStringList& row : rows)
        trail += row[0];
    return trail;
}

Task<> InteropPostgresExecuteTest::holdFor(std::chrono::milliseconds time)
{
    leaveTrail(u"ours in"_s);
    co_await QCoro::sleepFor(time);
    leaveTrail(u"ours out"_s);
}

Task<> InteropPostgresExecuteTest::holdUntil(std::stop_token stop)
{
    leaveTrail(u"ours in"_s);
    while (!stop.stop_requested())
        co_await QCoro::sleepFor(10ms);
    leaveTrail(u"ours out"_s);
}

void InteropPostgresExecuteTest::ourJobWaitsForMedusas()
{
    const int theirs = beginJob({u"a"_s, u"b"_s}, 700);
    await(ours().execute(LockKeys("b", "c"), [this] { return holdFor(1ms); }));
    QCOMPARE(m_medusa.finish(theirs), QJsonValue(u"held"_s));
    QCOMPARE(trail(), medusaFirst);
    QVERIFY(keys().isEmpty());
    QTRY_COMPARE(advisoryLocks(), 0);
}

void InteropPostgresExecuteTest::medusasJobWaitsForOurs()
{
    Task<> running = ours().execute(LockKeys("a", "b"), [this] { return holdFor(700ms); });
    QTRY_COMPARE(trail().size(), 1);
    QVERIFY(owner(u"a"_s).startsWith(u"execute:")); // seen by whoever looks at the table
    QCOMPARE(advisoryLocks(), 2);
    const int theirs = beginJob({u"b"_s}, 1);
    m_medusa.finish(theirs);
    await(std::move(running));
    QCOMPARE(trail(), oursFirst);
    QVERIFY(keys().isEmpty());
    QTRY_COMPARE(advisoryLocks(), 0);
}

void InteropPostgresExecuteTest::ourExecuteExcludesMedusasAcquire()
{
    std::stop_source stop;
    Task<> running =
        ours().execute("b", [this, token = stop.get_token()] { return holdUntil(token); });
    QTRY_COMPARE(trail().size(), 1);
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s}, u"ann"_s)), refusalOf(u"b"_s));
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s})), refusalOf(u"b"_s));
    QCOMPARE(m_medusa.run(u"release"_s, call({u"b"_s}, u"ann"_s)), QJsonValue(false));
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s}, u"ann"_s)), QString());
}

void InteropPostgresExecuteTest::medusasAcquireExcludesOurExecute()
{
    m_medusa.run(u"acquire"_s, call({u"a"_s}, u"ann"_s));
    bool ran = false;
    ExecuteOptions impatient;
    impatient.timingOutAfter(1s);
    thrownBy<TimedOut>(ours().execute(
        LockKeys("a", "b"), [&ran] { ran = true; }, impatient));
    QVERIFY(!ran);
    QCOMPARE(keys(), QStringList{u"a"_s});
    QTRY_COMPARE(advisoryLocks(), 0);

    Task<> waiting = ours().execute("a", [this] { return holdFor(1ms); });
    QTest::qWait(300);
    QVERIFY(trail().isEmpty());
    m_medusa.run(u"release"_s, call({u"a"_s}, u"ann"_s)); // it tells nobody: found by looking again
    await(std::move(waiting));
    QCOMPARE(trail().size(), 2);
}

//! Neither to Medusa's own: acquire looks at the table only, and Medusa's execute leaves no row.
void InteropPostgresExecuteTest::medusasExecuteIsNothingToAcquire()
{
    const int theirs = beginJob({u"a"_s, u"b"_s}, 500);
    QVERIFY(keys().isEmpty());
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"ann"_s)), QString());
    await(ours().acquire("b", AcquireOptions().ownedBy("ann")));
    QVERIFY(!m_medusa.isDone(theirs));
    m_medusa.finish(theirs);
}

void InteropPostgresExecuteTest::timesOutBesideMedusasJob()
{
    const int theirs = beginJob({u"a"_s}, 2500);
    bool ran = false;
    ExecuteOptions impatient;
    impatient.timingOutAfter(1s);
    QElapsedTimer waited;
    waited.start();
    thrownBy<TimedOut>(ours().execute(
        LockKeys("a", "b"), [&ran] { ran = true; }, impatient));
    const qint64 taken = waited.elapsed();
    QVERIFY2(taken >= 990 && taken < 1500, qPrintable(QString::number(taken)));
    QVERIFY(!ran && !m_medusa.isDone(theirs));
    QTRY_VERIFY(keys().isEmpty());
    QTRY_COMPARE(advisoryLocks(), 1); // Medusa's
    QCOMPARE(m_medusa.finish(theirs), QJsonValue(u"held"_s));
}

//! Late: what ends its transaction waits behind the statement that waits for the lock.
void InteropPostgresExecuteTest::medusaTimesOutBesideOurJob()
{
    std::stop_source stop;
    Task<> running =
        ours().execute("a", [this, token = stop.get_token()] { return holdUntil(token); });
    QTRY_COMPARE(trail().size(), 1);
    const QString holder = owner(u"a"_s);
    QJsonObject job = call({u"a"_s});
    job.insert(u"milliseconds"_s, 1);
    job[u"options"] = QJsonObject{{u"timeout"_s, 1}};
    const int theirs = m_medusa.begin(u"execute"_s, job);
    QTest::qWait(1500);
    QVERIFY(!m_medusa.isDone(theirs));
    QCOMPARE(owner(u"a"_s), holder);
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(m_medusa.refusal(theirs), u"Timed-out acquiring lock."_s);
    QCOMPARE(trail(), (QStringList{u"ours in"_s, u"ours out"_s}));
    QTRY_COMPARE(advisoryLocks(), 0);
}

void InteropPostgresExecuteTest::medusaTakesALockFromOurJob()
{
    ExecuteOptions options;
    options.expiringIn(1s);
    Task<> running = ours().execute(
        "a", [this](std::stop_token lost) { return holdUntil(std::move(lost)); }, options);
    QTRY_COMPARE(trail().size(), 1);
    QTest::qWait(1200); // it lives on renewals
    const QString holder = owner(u"a"_s);
    QVERIFY(holder.startsWith(u"execute:"));
    m_medusa.run(u"releaseAll"_s, call({}, holder));
    m_medusa.run(u"acquire"_s, call({u"a"_s}, u"ann"_s, 60));
    QCOMPARE(thrownBy<Lost>(std::move(running)).key(), std::string("a"));
    QCOMPARE(trail(), (QStringList{u"ours in"_s, u"ours out"_s}));
    QCOMPARE(owner(u"a"_s), u"ann"_s);
    QTRY_COMPARE(advisoryLocks(), 0);
}

//! The same as increment() of medusa.mjs.
Task<> InteropPostgresExecuteTest::increment()
{
    const int count = m_server.value(u"SELECT count FROM counters"_s).toInt();
    if (QRandomGenerator::global()->bounded(2) == 1)
        co_await QCoro::sleepFor(1ms);
    m_server.query(u"UPDATE counters SET count = $1"_s, {QString::number(count + 1)});
    leaveTrail(u"ours"_s);
}

Task<> InteropPostgresExecuteTest::incrementOften(bool locked, int times)
{
    for (int i = 0; i < times; ++i) {
        if (locked) {
            ExecuteOptions options;
            options.timingOutAfter(60s);
            co_await ours().execute(
                "stock", [this] { return increment(); }, options);
        } else {
            co_await increment();
        }
        // So that all get their turns.
        co_await QCoro::sleepFor(
            std::chrono::milliseconds(QRandomGenerator::global()->bounded(30)));
    }
}

void InteropPostgresExecuteTest::countsTogether_data()
{
    QTest::addColumn<bool>("locked");
    QTest::addColumn<int>("each");
    QTest::newRow("with locks nothing is lost") << true << 1000;
    QTest::newRow("without, much is") << false << 100; // so the case above can fail
}

void InteropPostgresExecuteTest::countsTogether()
{
    QFETCH(const bool, locked);
    QFETCH(const int, each);
    constexpr int workers = 4;
    QJsonObject theirs = locked ? call({u"stock"_s}) : QJsonObject();
    theirs.insert(u"counter"_s, u"counter"_s);
    theirs.insert(u"times"_s, each / workers);
    theirs.insert(u"pause"_s, 100); // those that queue in the server would leave us hardly a turn
    theirs[u"options"] = QJsonObject{{u"timeout"_s, 60}};
    QList<int> ids;
    std::vector<Task<>> tasks;
    for (int i = 0; i < workers; ++i) {
        ids.append(m_medusa.begin(u"count"_s, theirs));
        tasks.push_back(incrementOften(locked, each / workers));
    }
    for (Task<>& task : tasks)
        await(std::move(task), 60s);
    for (const int id : std::as_const(ids))
        m_medusa.finish(id);

    const QStringList turns = trail();
    QCOMPARE(turns.count(u"medusa"_s), each);
    QCOMPARE(turns.count(u"ours"_s), each);
    int handOvers = 0;
    for (int i = 1; i < turns.size(); ++i)
        handOvers += turns[i] != turns[i - 1] ? 1 : 0;
    QVERIFY2(handOvers >= each / 20,
             qPrintable(QString::number(handOvers))); // at once, not in turn
    const int count = m_server.value(u"SELECT count FROM counters"_s).toInt();
    if (locked)
        QCOMPARE(count, 2 * each);
    else
        QVERIFY2(count < 2 * each, qPrintable(QString::number(count)));
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::InteropPostgresExecuteTest)
#include "tst_interop_postgres_execute.moc"
