// SPDX-License-Identifier: MIT
#include "engine/redis/redis_connection.h"
#include "tests/interop/interop_fixture.h"

#include <QCoroTimer>
#include <QRandomGenerator>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Jobs under a lock: Medusa's and ours exclude each other, and each learns that its lock is lost.
class InteropExecuteTest final : public InteropTest {
    Q_OBJECT

private Q_SLOTS:
    void ourJobWaitsForMedusas();
    void medusasJobWaitsForOurs();
    void executeExcludesAcquire();
    void acquireExcludesExecute();
    void timesOutBesideMedusasJob();
    void medusaTimesOutBesideOurJob();
    void weTakeALockFromMedusasJob();
    void medusaTakesALockFromOurJob();
    void countsTogether_data();
    void countsTogether();

private:
    //! Starts a job of Medusa's and waits until it runs.
    int beginJob(const QJsonArray& keys, int milliseconds, int leaseSeconds = 60);
    //! Which job came in and went out when.
    [[nodiscard]] QStringList trail() const
    {
        return cli(u"LRANGE trail 0 -1"_s).split(u'\n', Qt::SkipEmptyParts);
    }
    void leaveTrail(const QString& what) const { m_server.cli({u"RPUSH"_s, u"trail"_s, what}); }
    Task<> holdFor(std::chrono::milliseconds time);
    Task<> holdUntil(std::stop_token stop);
};

static const QStringList medusaFirst{u"medusa in"_s, u"medusa out"_s, u"ours in"_s, u"ours out"_s};
static const QStringList oursFirst{u"ours in"_s, u"ours out"_s, u"medusa in"_s, u"medusa out"_s};

int InteropExecuteTest::beginJob(const QJsonArray& keys, int milliseconds, int leaseSeconds)
{
    QJsonObject job = call(keys, {}, leaseSeconds);
    job.insert(u"milliseconds"_s, milliseconds);
    const int id = m_medusa.begin(u"execute"_s, job);
    if (!QTest::qWaitFor([&] { return m_medusa.hasSaid(id, u"started"_s); }))
        throw std::runtime_error("Medusa's job does not start");
    return id;
}

Task<> InteropExecuteTest::holdFor(std::chrono::milliseconds time)
{
    leaveTrail(u"ours in"_s);
    co_await QCoro::sleepFor(time);
    leaveTrail(u"ours out"_s);
}

Task<> InteropExecuteTest::holdUntil(std::stop_token stop)
{
    leaveTrail(u"ours in"_s);
    while (!stop.stop_requested())
        co_await QCoro::sleepFor(10ms);
    leaveTrail(u"ours out"_s);
}

void InteropExecuteTest::ourJobWaitsForMedusas()
{
    const int theirs = beginJob({u"a"_s, u"b"_s}, 700);
    await(ours().execute(LockKeys("b", "c"), [this] { return holdFor(1ms); }));
    QCOMPARE(m_medusa.finish(theirs), QJsonValue(u"held"_s));
    QCOMPARE(trail(), medusaFirst);
    QVERIFY(keys().isEmpty());
}

void InteropExecuteTest::medusasJobWaitsForOurs()
{
    Task<> running = ours().execute(LockKeys("a", "b"), [this] { return holdFor(700ms); });
    QTRY_COMPARE(trail().size(), 1);
    QVERIFY(owner(u"a"_s).startsWith(u"execute:"));
    const int theirs = beginJob({u"b"_s}, 1);
    m_medusa.finish(theirs);
    await(std::move(running));
    QCOMPARE(trail(), oursFirst);
    QVERIFY(keys().isEmpty());
}

void InteropExecuteTest::executeExcludesAcquire()
{
    const int theirs = beginJob({u"a"_s}, 500);
    const auto conflict = thrownBy<Conflict>(ours().acquire("a", AcquireOptions().ownedBy("ann")));
    QVERIFY(conflict.holder()->starts_with("execute:"));
    await(ours().acquire("a", AcquireOptions().ownedBy("ann").waiting(5s)));
    leaveTrail(u"ann"_s);
    m_medusa.finish(theirs); // whose release spares what is ours
    QCOMPARE(trail(), (QStringList{u"medusa in"_s, u"medusa out"_s, u"ann"_s}));
    QCOMPARE(owner(u"a"_s), u"ann"_s);

    std::stop_source stop;
    Task<> running =
        ours().execute("b", [this, token = stop.get_token()] { return holdUntil(token); });
    QTRY_VERIFY(!owner(u"b"_s).isEmpty());
    const QString refused = u"Failed to acquire lock for key \"b\""_s;
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s}, u"ann"_s)), refused);
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s})), refused);
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s}, u"ann"_s)), QString());
}

void InteropExecuteTest::acquireExcludesExecute()
{
    m_medusa.run(u"acquire"_s, call({u"a"_s}));
    bool ran = false;
    ExecuteOptions impatient;
    impatient.timingOutAfter(1s);
    thrownBy<TimedOut>(ours().execute(
        LockKeys("a", "b"), [&ran] { ran = true; }, impatient));
    QVERIFY(!ran);
    QCOMPARE(keys(), QStringList{u"a"_s});

    await(ours().acquire("c"));
    QJsonObject job = call({u"c"_s});
    job.insert(u"milliseconds"_s, 1);
    job[u"options"] = QJsonObject{{u"timeout"_s, 1}};
    QCOMPARE(refusal(u"execute"_s, job), u"Timed-out acquiring lock."_s);
    QCOMPARE(owner(u"c"_s), u"*"_s);
    QVERIFY(trail().isEmpty());
}

void InteropExecuteTest::timesOutBesideMedusasJob()
{
    const int theirs = beginJob({u"a"_s}, 1800);
    bool ran = false;
    ExecuteOptions impatient;
    impatient.timingOutAfter(1s);
    thrownBy<TimedOut>(ours().execute(
        LockKeys("a", "b"), [&ran] { ran = true; }, impatient));
    QVERIFY(!ran);
    QCOMPARE(keys(), QStringList{u"a"_s});
    QVERIFY(owner(u"a"_s).startsWith(u"execute:"));
    QCOMPARE(m_medusa.finish(theirs), QJsonValue(u"held"_s));
    QVERIFY(keys().isEmpty());
}

void InteropExecuteTest::medusaTimesOutBesideOurJob()
{
    std::stop_source stop;
    Task<> running =
        ours().execute("a", [this, token = stop.get_token()] { return holdUntil(token); });
    QTRY_VERIFY(!owner(u"a"_s).isEmpty());
    const QString holder = owner(u"a"_s);
    QJsonObject job = call({u"a"_s});
    job.insert(u"milliseconds"_s, 1);
    job[u"options"] = QJsonObject{{u"timeout"_s, 1}};
    QCOMPARE(refusal(u"execute"_s, job), u"Timed-out acquiring lock."_s);
    QCOMPARE(owner(u"a"_s), holder);
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(trail(), (QStringList{u"ours in"_s, u"ours out"_s}));
}

void InteropExecuteTest::weTakeALockFromMedusasJob()
{
    const int theirs = beginJob({u"a"_s}, 20'000, 1);
    QTest::qWait(1200); // it lives on renewals
    ReleaseOptions holder;
    holder.ownedBy(owner(u"a"_s).toStdString());
    QVERIFY(holder.owner()->starts_with("execute:"));
    QVERIFY(await(ours().release("a", holder)).allReleased());
    await(ours().acquire("a", AcquireOptions().ownedBy("ann")));
    const QString complaint = refusal(theirs);
    QVERIFY2(complaint.startsWith(u"Lost the lock for key(s) \"a\""), qPrintable(complaint));
    QVERIFY(m_medusa.hasSaid(theirs, u"aborted"_s));
    QCOMPARE(owner(u"a"_s), u"ann"_s);
}

void InteropExecuteTest::medusaTakesALockFromOurJob()
{
    ExecuteOptions options;
    options.expiringIn(1s);
    Task<> running = ours().execute(
        "a", [this](std::stop_token lost) { return holdUntil(std::move(lost)); }, options);
    QTRY_VERIFY(!owner(u"a"_s).isEmpty());
    QTest::qWait(1200);
    const QString holder = owner(u"a"_s);
    QVERIFY(holder.startsWith(u"execute:"));
    m_medusa.run(u"releaseAll"_s, call({}, holder));
    m_medusa.run(u"acquire"_s, call({u"a"_s}, u"ann"_s, 60));
    QCOMPARE(thrownBy<Lost>(std::move(running)).key(), std::string("a"));
    QCOMPARE(trail(), (QStringList{u"ours in"_s, u"ours out"_s}));
    QCOMPARE(owner(u"a"_s), u"ann"_s);
}

//! The same as increment() of medusa.mjs.
static Task<> increment(RedisConnection& redis)
{
    const RedisCommand get = RedisCommand("GET") << "counter";
    RedisCall read(redis, get, RedisEffect::Reads);
    const RedisReply count = co_await read.answer();
    const std::string next =
        std::to_string(QByteArray::fromStdString(std::string(count.text())).toInt() + 1);
    if (QRandomGenerator::global()->bounded(2) == 1)
        co_await QCoro::sleepFor(1ms);
    RedisCalls write(redis, RedisEffect::Mutates);
    write.send(RedisCommand("SET") << "counter" << next);
    write.send(RedisCommand("RPUSH") << "trail"
                                     << "ours");
    co_await write.answers();
}

static Task<> incrementOften(LockingModule& locks, RedisConnection& redis, bool locked, int times)
{
    for (int i = 0; i < times; ++i) {
        if (locked) {
            ExecuteOptions options;
            options.timingOutAfter(60s);
            co_await locks.execute(
                "stock", [&redis] { return increment(redis); }, options);
        } else {
            co_await increment(redis);
        }
        // So that all get their turns.
        co_await QCoro::sleepFor(
            std::chrono::milliseconds(QRandomGenerator::global()->bounded(30)));
    }
}

void InteropExecuteTest::countsTogether_data()
{
    QTest::addColumn<bool>("locked");
    QTest::addColumn<int>("each");
    QTest::newRow("with locks nothing is lost") << true << 1000;
    QTest::newRow("without, much is") << false << 100; // so the case above can fail
}

void InteropExecuteTest::countsTogether()
{
    QFETCH(const bool, locked);
    QFETCH(const int, each);
    SystemClock clock;
    RedisEndpoint endpoint;
    endpoint.port = m_server.port();
    RedisConnection redis(endpoint, Container(clock));
    redis.open();
    constexpr int workers = 4;
    QJsonObject theirs = locked ? call({u"stock"_s}) : QJsonObject();
    theirs.insert(u"counter"_s, u"counter"_s);
    theirs.insert(u"times"_s, each / workers);
    theirs[u"options"] = QJsonObject{{u"timeout"_s, 60}};
    QList<int> ids;
    std::vector<Task<>> tasks;
    for (int i = 0; i < workers; ++i) {
        ids.append(m_medusa.begin(u"count"_s, theirs));
        tasks.push_back(incrementOften(ours(), redis, locked, each / workers));
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
    const int count = cli(u"GET counter"_s).toInt();
    if (locked)
        QCOMPARE(count, 2 * each);
    else
        QVERIFY2(count < 2 * each, qPrintable(QString::number(count)));
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::InteropExecuteTest)
#include "tst_interop_execute.moc"
