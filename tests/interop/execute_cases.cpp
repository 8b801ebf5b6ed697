// SPDX-License-Identifier: MIT
#include "tests/interop/execute_cases.h"

#include <QCoroTimer>
#include <QElapsedTimer>
#include <QRandomGenerator>

namespace lockboard::test {

static const QStringList medusaFirst{u"medusa in"_s, u"medusa out"_s, u"ours in"_s, u"ours out"_s};
static const QStringList oursFirst{u"ours in"_s, u"ours out"_s, u"medusa in"_s, u"medusa out"_s};

QJsonObject InteropExecuteTest::jobOf(const QJsonArray& keys, int milliseconds,
                                      const QJsonObject& options)
{
    return {{u"keys"_s, keys}, {u"milliseconds"_s, milliseconds}, {u"options"_s, options}};
}

int InteropExecuteTest::beginJob(const QJsonArray& keys, int milliseconds,
                                 const QJsonObject& options)
{
    const int id = m_medusa.begin(u"execute"_s, jobOf(keys, milliseconds, options));
    if (!QTest::qWaitFor([&] { return m_medusa.hasSaid(id, u"started"_s); }, 20'000))
        throw std::runtime_error("Medusa's job does not start");
    return id;
}

Task<> InteropExecuteTest::holdFor(std::chrono::milliseconds time)
{
    store().leaveTrail(u"ours in"_s);
    co_await QCoro::sleepFor(time);
    store().leaveTrail(u"ours out"_s);
}

Task<> InteropExecuteTest::holdUntil(std::stop_token stop)
{
    store().leaveTrail(u"ours in"_s);
    while (!stop.stop_requested())
        co_await QCoro::sleepFor(10ms);
    store().leaveTrail(u"ours out"_s);
}

void InteropExecuteTest::ourJobWaitsForMedusas()
{
    const int theirs = beginJob({u"a"_s, u"b"_s}, 700);
    await(ours().execute(LockKeys("b", "c"), [this] { return holdFor(1ms); }));
    QCOMPARE(m_medusa.finish(theirs), QJsonValue(u"held"_s));
    QCOMPARE(trail(), medusaFirst);
    QVERIFY(keys().isEmpty());
    QTRY_COMPARE(store().advisoryLocks(), 0);
}

void InteropExecuteTest::medusasJobWaitsForOurs()
{
    Task<> running = ours().execute(LockKeys("a", "b"), [this] { return holdFor(700ms); });
    QTRY_COMPARE(trail().size(), 1);
    QVERIFY(owner(u"a"_s).startsWith(u"execute:")); // seen by whoever looks
    const int theirs = beginJob({u"b"_s}, 1);
    m_medusa.finish(theirs);
    await(std::move(running));
    QCOMPARE(trail(), oursFirst);
    QVERIFY(keys().isEmpty());
    QTRY_COMPARE(store().advisoryLocks(), 0);
}

void InteropExecuteTest::ourExecuteExcludesMedusasAcquire()
{
    std::stop_source stop;
    const auto hold = [this, token = stop.get_token()] { return holdUntil(token); };
    Task<> running = ours().execute("b", hold);
    QTRY_COMPARE(trail().size(), 1);
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s}, u"ann"_s)), refusalOf(u"b"_s));
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s})), refusalOf(u"b"_s));
    QCOMPARE(m_medusa.run(u"release"_s, call({u"b"_s}, u"ann"_s)), QJsonValue(false));
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(refusal(u"acquire"_s, call({u"b"_s}, u"ann"_s)), QString());
}

void InteropExecuteTest::medusasAcquireExcludesOurExecute()
{
    m_medusa.run(u"acquire"_s, call({u"a"_s}, u"ann"_s));
    bool ran = false;
    ExecuteOptions impatient;
    impatient.timingOutAfter(1s);
    thrownBy<TimedOut>(ours().execute(
        LockKeys("a", "b"), [&ran] { ran = true; }, impatient));
    QVERIFY(!ran);
    QCOMPARE(keys(), QStringList{u"a"_s});
    QTRY_COMPARE(store().advisoryLocks(), 0);

    Task<> waiting = ours().execute("a", [this] { return holdFor(1ms); });
    QTest::qWait(300);
    QVERIFY(trail().isEmpty());
    m_medusa.run(u"release"_s, call({u"a"_s}, u"ann"_s)); // it tells nobody: found by looking again
    await(std::move(waiting));
    QCOMPARE(trail().size(), 2);
}

void InteropExecuteTest::timesOutBesideMedusasJob()
{
    const int theirs = beginJob({u"a"_s}, 2500);
    const QStringList keysBefore = keys();
    const int advisoryLocksBefore = store().advisoryLocks();
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
    QTRY_COMPARE(keys(), keysBefore);
    QTRY_COMPARE(store().advisoryLocks(), advisoryLocksBefore);
    QCOMPARE(m_medusa.finish(theirs), QJsonValue(u"held"_s));
    QVERIFY(keys().isEmpty());
}

void InteropExecuteTest::medusaTimesOutBesideOurJob()
{
    std::stop_source stop;
    const auto hold = [this, token = stop.get_token()] { return holdUntil(token); };
    Task<> running = ours().execute("a", hold);
    QTRY_COMPARE(trail().size(), 1);
    const QString holder = owner(u"a"_s);
    const int theirs = m_medusa.begin(u"execute"_s, jobOf({u"a"_s}, 1, {{u"timeout"_s, 1}}));
    if (store().medusaTimesOutLate()) {
        QTest::qWait(1500);
        QVERIFY(!m_medusa.isDone(theirs));
    } else {
        QTRY_VERIFY(m_medusa.isDone(theirs));
    }
    QCOMPARE(owner(u"a"_s), holder);
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(m_medusa.refusal(theirs), u"Timed-out acquiring lock."_s);
    QCOMPARE(trail(), (QStringList{u"ours in"_s, u"ours out"_s}));
    QTRY_COMPARE(store().advisoryLocks(), 0);
}

void InteropExecuteTest::medusaTakesALockFromOurJob()
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
    QTRY_COMPARE(store().advisoryLocks(), 0);
}

static Task<> incrementOften(LockingModule& locks, Store& store, bool locked, int times)
{
    for (int i = 0; i < times; ++i) {
        if (locked) {
            ExecuteOptions options;
            options.timingOutAfter(60s);
            co_await locks.execute(
                "stock", [&store] { return store.increment(); }, options);
        } else {
            co_await store.increment();
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
    constexpr int workers = 4;
    QJsonObject theirs = locked ? call({u"stock"_s}) : QJsonObject();
    theirs.insert(u"counter"_s, u"counter"_s);
    theirs.insert(u"times"_s, each / workers);
    theirs.insert(u"pause"_s, store().pause());
    theirs[u"options"] = QJsonObject{{u"timeout"_s, 60}};
    QList<int> ids;
    std::vector<Task<>> tasks;
    for (int i = 0; i < workers; ++i) {
        ids.append(m_medusa.begin(u"count"_s, theirs));
        tasks.push_back(incrementOften(ours(), store(), locked, each / workers));
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
    // All get their turns while all want some.
    QVERIFY2(handOvers >= each / 20, qPrintable(QString::number(handOvers)));
    if (locked) {
        const QStringList early = turns.first(each);
        const qsizetype fewer = std::min(early.count(u"ours"_s), early.count(u"medusa"_s));
        QVERIFY2(fewer >= each / 10, qPrintable(QString::number(fewer)));
    }
    const int count = store().count();
    if (locked)
        QCOMPARE(count, 2 * each);
    else
        QVERIFY2(count < 2 * each, qPrintable(QString::number(count)));
}

} // namespace lockboard::test
