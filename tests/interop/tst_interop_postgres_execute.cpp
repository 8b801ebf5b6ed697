// SPDX-License-Identifier: MIT
#include "engine/postgres/medusa_hash.h"
#include "tests/interop/postgres_interop_fixture.h"
#include "tests/postgres/watched.h"

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
    void showsWhoHoldsAndWhoWaits();
    void countsTogether_data();
    void countsTogether();

private:
    //! The members of a call of Medusa's execute.
    [[nodiscard]] static QJsonObject jobOf(const QJsonArray& keys, int milliseconds,
                                           int timeoutSeconds = 60);
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

QJsonObject InteropPostgresExecuteTest::jobOf(const QJsonArray& keys, int milliseconds,
                                              int timeoutSeconds)
{
    QJsonObject job = call(keys);
    job.insert(u"milliseconds"_s, milliseconds);
    job[u"options"] = QJsonObject{{u"timeout"_s, timeoutSeconds}};
    return job;
}

int InteropPostgresExecuteTest::beginJob(const QJsonArray& keys, int milliseconds)
{
    const int id = m_medusa.begin(u"execute"_s, jobOf(keys, milliseconds));
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
    QTRY_COMPARE(m_server.advisoryLocks(), 0);
}

void InteropPostgresExecuteTest::medusasJobWaitsForOurs()
{
    Task<> running = ours().execute(LockKeys("a", "b"), [this] { return holdFor(700ms); });
    QTRY_COMPARE(trail().size(), 1);
    QVERIFY(owner(u"a"_s).startsWith(u"execute:")); // seen by whoever looks at the table
    QCOMPARE(m_server.advisoryLocks(), 2);
    const int theirs = beginJob({u"b"_s}, 1);
    m_medusa.finish(theirs);
    await(std::move(running));
    QCOMPARE(trail(), oursFirst);
    QVERIFY(keys().isEmpty());
    QTRY_COMPARE(m_server.advisoryLocks(), 0);
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
    QTRY_COMPARE(m_server.advisoryLocks(), 0);

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
    QTRY_COMPARE(m_server.advisoryLocks(), 1); // Medusa's
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
    const int theirs = m_medusa.begin(u"execute"_s, jobOf({u"a"_s}, 1, 1));
    QTest::qWait(1500);
    QVERIFY(!m_medusa.isDone(theirs));
    QCOMPARE(owner(u"a"_s), holder);
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(m_medusa.refusal(theirs), u"Timed-out acquiring lock."_s);
    QCOMPARE(trail(), (QStringList{u"ours in"_s, u"ours out"_s}));
    QTRY_COMPARE(m_server.advisoryLocks(), 0);
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
    QTRY_COMPARE(m_server.advisoryLocks(), 0);
}

//! Medusa's sessions as a Lockboard sees them that has nothing to do with either.
void InteropPostgresExecuteTest::showsWhoHoldsAndWhoWaits()
{
    const PostgresModule console(m_server);
    Watcher watcher(console);
    QTRY_VERIFY(watcher.isLive());
    QVERIFY(watcher.locks.empty());
    std::stop_source stop;
    Task<> running =
        ours().execute("ours", [this, token = stop.get_token()] { return holdUntil(token); });
    QTRY_COMPARE(trail().size(), 1);
    const int holding = beginJob({u"theirs"_s}, 60'000);
    const int waiting = m_medusa.begin(u"execute"_s, jobOf({u"theirs"_s}, 1));
    const int behindUs = m_medusa.begin(u"execute"_s, jobOf({u"ours"_s}, 1));

    const auto session = [&](const std::string& key, LockState state) {
        const QList<Lock> shown = watcher.ofSessions();
        const auto found = std::ranges::find_if(
            shown, [&](const Lock& lock) { return lock.key == key && lock.state == state; });
        return found == shown.end() ? HolderNote::Fields() : found->note.fields();
    };
    // Ours is its row, which gives a name to what waits behind it.
    QTRY_VERIFY_WITH_TIMEOUT(watcher.locks.size() == 4 && watcher.locks.contains("ours")
                                 && session("ours", LockState::Waiting).pid != 0,
                             20'000);
    QVERIFY(watcher.locks["ours"].owner->starts_with("execute:"));
    const std::string theirs = "advisory:" + std::to_string(medusaHash("theirs"));
    const HolderNote::Fields holder = session(theirs, LockState::Advisory);
    const HolderNote::Fields waiter = session(theirs, LockState::Waiting);
    const HolderNote::Fields second = session("ours", LockState::Waiting);
    const auto pid = [this](const char* key, bool granted) {
        return m_server
            .value(u"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND "
                   "objid = %1 AND granted = %2"_s.arg(medusaHash(key))
                       .arg(granted ? u"true"_s : u"false"_s))
            .toLongLong();
    };
    QVERIFY(pid("theirs", true) != 0);
    QCOMPARE(holder.pid, pid("theirs", true));
    QCOMPARE(waiter.pid, pid("theirs", false));
    QCOMPARE(second.pid, pid("ours", false));
    for (const HolderNote::Fields& one : {holder, waiter, second}) {
        QCOMPARE(one.host, std::string("127.0.0.1"));
        QCOMPARE(one.user, std::string("postgres"));
        QVERIFY(one.transactionBegan && one.queryBegan && !one.session.empty());
    }
    QCOMPARE(waiter.activity, std::string("active"));
    QCOMPARE(waiter.blockedBy, std::vector{holder.pid});
    QCOMPARE(second.blockedBy, std::vector<std::int64_t>{pid("ours", true)});
    QVERIFY(holder.blockedBy.empty());

    m_medusa.run(u"end"_s, {{u"job"_s, holding}});
    QCOMPARE(m_medusa.finish(holding), QJsonValue(u"held"_s));
    QCOMPARE(m_medusa.finish(waiting), QJsonValue(u"held"_s));
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(m_medusa.finish(behindUs), QJsonValue(u"held"_s));
    QTRY_VERIFY_WITH_TIMEOUT(watcher.locks.empty(), 20'000);
    QVERIFY(watcher.clean);
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
