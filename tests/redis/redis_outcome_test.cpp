// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"
#include "tests/support/proxy.h"

#include <QCoroTimer>
#include <QElapsedTimer>
#include <QSet>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

using Fault = Proxy::Fault;

//! What becomes of calls whose line dies. An acquire of unknown outcome is settled by looking who
//! holds the keys, and nothing stays held that nobody holds.
class RedisOutcomeTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void whatWasTakenIsGranted();
    void whatWasNotTakenIsSafeToRepeat();
    void severalKeysAreSettledAsOne();
    void withoutOwnerNobodyCanTell();
    void anOwnerMayHaveHeldItBefore();
    void someKeysOfAnOwnerTellNothing();
    void itIsLookedForOnlySoLong();

    void aWaiterGoesOnWaiting();
    void anExecuteGoesOn_data();
    void anExecuteGoesOn();
    void anExecuteUnderANameOfTheCallersIsNotGuessedAt();
    void whatATimedOutExecuteTookIsGivenBack();
    void whatAnUnsettledExecuteTookIsGivenBack();
    void whatAStoppedServerTakesLateIsGivenBack();
    void aJobsLockIsReleasedAfterTheLineIsBack_data();
    void aJobsLockIsReleasedAfterTheLineIsBack();
    void closesWhileItSettles();

    void tenThousandAcquiresEndOnceEach();
    void aThousandExecutesLeaveNothing();

private:
    QString cli(const QString& command) const { return m_server->cli(command.split(u' ')); }
    QString holder(const QString& key) const { return cli(u"GET medusa_lock:"_s + key); }
    [[nodiscard]] QString options(const QString& more = {}) const
    {
        return u"\"redisUrl\": \"redis://127.0.0.1:%1\""_s.arg(m_proxy->port()) + more;
    }
    //! Takes and frees a lock, so that the server knows the scripts.
    static void warmUp(const RedisModule& locks)
    {
        const LockKeys keys("w1", "w2");
        await(locks->acquire(keys, AcquireOptions().ownedBy("w")));
        await(locks->release(keys, ReleaseOptions().ownedBy("w")));
        const auto nothing = [] {};
        await(locks->execute("w1", nothing));
    }

    std::unique_ptr<RedisServer> m_server;
    std::unique_ptr<Proxy> m_proxy;
};

static AcquireOptions mine(std::optional<Duration> lease = {})
{
    return AcquireOptions().ownedBy("me").expiringIn(lease);
}

static const QString impatient =
    u", \"redisOptions\": {\"connectTimeout\": 500, \"commandTimeout\": 500}"_s;

void RedisOutcomeTest::init()
{
    m_server = std::make_unique<RedisServer>();
    m_proxy = std::make_unique<Proxy>(m_server->port());
}

void RedisOutcomeTest::cleanup()
{
    m_proxy.reset();
    m_server.reset();
}

void RedisOutcomeTest::whatWasTakenIsGranted()
{
    RedisModule locks(options());
    warmUp(locks);
    int sent = 0;
    m_proxy->onRequest = [&sent](const QByteArray& bytes) { sent += bytes.contains("SET\r\n"); };
    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    const TimePoint before = std::chrono::steady_clock::now();
    const Grant grant = await(locks->acquire("a", mine(60s)));
    QVERIFY(m_proxy->hasFailed());
    QCOMPARE(holder(u"a"_s), u"me"_s);
    QCOMPARE(sent, 1);
    QVERIFY(grant.leaseEnd() > before + 55s);
    QVERIFY(grant.leaseEnd() <= std::chrono::steady_clock::now() + 60s);

    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    QVERIFY(!await(locks->acquire("b", mine())).leaseEnd()); // for ever
    QCOMPARE(holder(u"b"_s), u"me"_s);
}

void RedisOutcomeTest::whatWasNotTakenIsSafeToRepeat()
{
    RedisModule locks(options());
    warmUp(locks);
    int sent = 0;
    m_proxy->onRequest = [&sent](const QByteArray& bytes) { sent += bytes.contains("SET\r\n"); };
    m_proxy->failAt("SET\r\n", Fault::DropsBefore);
    const std::string said = thrownBy<Unavailable>(locks->acquire("a", mine(60s))).message();
    QVERIFY2(said.ends_with("the lock was not taken"), said.c_str());
    QCOMPARE(sent, 1); // never again by itself
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
    await(locks->acquire("a", mine(60s)));

    // Somebody else was quicker.
    m_proxy->onFault = [this] { cli(u"SET medusa_lock:b eve"_s); };
    m_proxy->failAt("SET\r\n", Fault::DropsBefore);
    thrownBy<NotTaken>(locks->acquire("b", mine(60s)));
    QCOMPARE(holder(u"b"_s), u"eve"_s);
}

void RedisOutcomeTest::severalKeysAreSettledAsOne()
{
    RedisModule locks(options());
    warmUp(locks);
    m_proxy->failAt("EVALSHA", Fault::DropsAfter);
    await(locks->acquire(LockKeys("a", "b", "c"), mine(60s)));
    QCOMPARE(holder(u"a"_s), u"me"_s);
    QCOMPARE(holder(u"c"_s), u"me"_s);
    m_proxy->failAt("EVALSHA", Fault::DropsBefore);
    thrownBy<NotTaken>(locks->acquire(LockKeys("d", "e"), mine(60s)));
    QCOMPARE(cli(u"DBSIZE"_s), u"3"_s);
}

void RedisOutcomeTest::withoutOwnerNobodyCanTell()
{
    RedisModule locks(options());
    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    const std::string said = thrownBy<OutcomeUnknown>(locks->acquire("a")).message();
    QVERIFY2(contains(said, "lock without owner"), said.c_str());
}

void RedisOutcomeTest::anOwnerMayHaveHeldItBefore()
{
    RedisModule locks(options());
    warmUp(locks);
    cli(u"SET medusa_lock:a me PX 5000"_s);
    cli(u"SET medusa_lock:b me"_s);
    // With the lease it had: the call has done nothing.
    for (const char* key : {"a", "b"}) {
        m_proxy->failAt("EVALSHA", Fault::DropsBefore);
        thrownBy<NotTaken>(locks->acquire(key, mine(60s)));
    }
    QVERIFY(cli(u"PTTL medusa_lock:a"_s).toInt() <= 5000);
    m_proxy->failAt("EVALSHA", Fault::DropsAfter);
    QVERIFY(await(locks->acquire("a", mine(60s))).isExtension());
    QVERIFY(cli(u"PTTL medusa_lock:a"_s).toInt() > 50'000);
    // Without asking for a lease there is nothing to extend.
    m_proxy->failAt("EVALSHA", Fault::DropsBefore);
    QVERIFY(!await(locks->acquire("b", mine())).leaseEnd());
}

void RedisOutcomeTest::someKeysOfAnOwnerTellNothing()
{
    RedisModule locks(options());
    warmUp(locks);
    cli(u"SET medusa_lock:b me"_s);
    m_proxy->failAt("EVALSHA", Fault::DropsBefore);
    const std::string said =
        thrownBy<OutcomeUnknown>(locks->acquire(LockKeys("a", "b"), mine(60s))).message();
    QVERIFY2(contains(said, "some of the keys"), said.c_str());
    QCOMPARE(holder(u"b"_s), u"me"_s);
}

void RedisOutcomeTest::itIsLookedForOnlySoLong()
{
    RedisModule locks(options(impatient));
    warmUp(locks);
    m_proxy->onFault = [this] { m_proxy->isCut = true; };
    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    QElapsedTimer took;
    took.start();
    const std::string said = thrownBy<OutcomeUnknown>(locks->acquire("a", mine(60s))).message();
    QVERIFY2(contains(said, "looking again was not possible"), said.c_str());
    QVERIFY2(took.elapsed() >= 450 && took.elapsed() < 4000,
             qPrintable(QString::number(took.elapsed())));
    QCOMPARE(holder(u"a"_s), u"me"_s); // the owner is the caller's own: it is for him to look
}

void RedisOutcomeTest::aWaiterGoesOnWaiting()
{
    RedisModule locks(options());
    warmUp(locks);
    cli(u"SET medusa_lock:a eve"_s);
    m_proxy->failAt("SET\r\n", Fault::DropsBefore);
    Task<Grant> waiter = locks->acquire("a", mine(60s).waiting(20s));
    QTRY_VERIFY(m_proxy->hasFailed());
    QTest::qWait(500); // time enough to look again
    cli(u"DEL medusa_lock:a"_s);
    await(std::move(waiter));
    QCOMPARE(holder(u"a"_s), u"me"_s);
}

void RedisOutcomeTest::anExecuteGoesOn_data()
{
    QTest::addColumn<Fault>("fault");
    QTest::newRow("before") << Fault::DropsBefore;
    QTest::newRow("after") << Fault::DropsAfter;
}

void RedisOutcomeTest::anExecuteGoesOn()
{
    QFETCH(const Fault, fault);
    RedisModule locks(options());
    warmUp(locks);
    m_proxy->failAt("SET\r\n", fault);
    QString held;
    const auto job = [&] { held = holder(u"a"_s); };
    await(locks->execute("a", job));
    QVERIFY(m_proxy->hasFailed());
    QVERIFY2(held.startsWith(u"execute:"_s), qPrintable(held));
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
    QTest::qWait(1200); // nothing of it comes late
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
}

void RedisOutcomeTest::anExecuteUnderANameOfTheCallersIsNotGuessedAt()
{
    RedisModule locks(options());
    warmUp(locks);
    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    bool ran = false;
    const auto job = [&ran] { ran = true; };
    thrownBy<OutcomeUnknown>(locks->execute("a", job, ExecuteOptions().ownedBy("me")));
    QVERIFY(!ran);
    QVERIFY(cli(u"PTTL medusa_lock:a"_s).toInt() > 0); // until then
}

void RedisOutcomeTest::whatATimedOutExecuteTookIsGivenBack()
{
    RedisModule locks(options());
    warmUp(locks);
    m_proxy->onFault = [this] { m_proxy->isCut = true; };
    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    const auto job = [] { QFAIL("it has no lock"); };
    thrownBy<TimedOut>(locks->execute("a", job, ExecuteOptions().timingOutAfter(1s)));
    QVERIFY(holder(u"a"_s).startsWith(u"execute:"_s));
    m_proxy->cut(false);
    QTRY_COMPARE(cli(u"DBSIZE"_s), u"0"_s);
    QTRY_VERIFY2(contains(locks.log, "Gave back the lock for key \"a\""), locks.log.c_str());
}

void RedisOutcomeTest::whatAnUnsettledExecuteTookIsGivenBack()
{
    RedisModule locks(options(impatient));
    warmUp(locks);
    m_proxy->onFault = [this] { m_proxy->isCut = true; };
    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    const auto job = [] { QFAIL("it has no lock"); };
    thrownBy<OutcomeUnknown>(locks->execute("a", job, ExecuteOptions().timingOutAfter(10s)));
    QVERIFY(holder(u"a"_s).startsWith(u"execute:"_s));
    QTest::qWait(500);
    m_proxy->cut(false);
    QTRY_COMPARE(cli(u"DBSIZE"_s), u"0"_s);
}

void RedisOutcomeTest::whatAStoppedServerTakesLateIsGivenBack()
{
    RedisModule locks(options(impatient));
    warmUp(locks);
    m_server->pause();
    const auto job = [] { QFAIL("it has no lock"); };
    thrownBy<LockError>(locks->execute("a", job, ExecuteOptions().timingOutAfter(1s)));
    m_server->resume();
    QTRY_VERIFY(contains(locks.log, "again.")); // connected
    QTRY_COMPARE(cli(u"DBSIZE"_s), u"0"_s);
    QTest::qWait(1500);
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
}

void RedisOutcomeTest::aJobsLockIsReleasedAfterTheLineIsBack_data()
{
    anExecuteGoesOn_data();
}

void RedisOutcomeTest::aJobsLockIsReleasedAfterTheLineIsBack()
{
    QFETCH(const Fault, fault);
    RedisModule locks(options());
    warmUp(locks);
    m_proxy->onFault = [this] { m_proxy->isCut = true; };
    const auto job = [&] { m_proxy->failAt("EVALSHA", fault); };
    await(locks->execute("a", job)); // the job is done, and not held up
    QVERIFY(m_proxy->hasFailed());
    QCOMPARE(cli(u"DBSIZE"_s), fault == Fault::DropsBefore ? u"1"_s : u"0"_s);
    // What somebody else takes meanwhile is his.
    cli(u"SET medusa_lock:b eve"_s);
    m_proxy->cut(false);
    QTRY_COMPARE(cli(u"DBSIZE"_s), u"1"_s);
    QCOMPARE(holder(u"b"_s), u"eve"_s);
}

void RedisOutcomeTest::closesWhileItSettles()
{
    RedisModule locks(options(impatient));
    warmUp(locks);
    m_proxy->onFault = [this] { m_proxy->isCut = true; };
    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    const auto job = [] { QFAIL("it has no lock"); };
    thrownBy<LockError>(locks->execute("a", job, ExecuteOptions().timingOutAfter(2s)));
    m_proxy->cut(false); // and so the next is sent
    Task<Grant> settling = locks->acquire("b", mine(60s));
    m_proxy->failAt("SET\r\n", Fault::DropsAfter);
    QTRY_VERIFY(m_proxy->hasFailed());
    locks.destroy();
    thrownBy<OutcomeUnknown>(std::move(settling)); // it was sent
}

//! One of many calls: how it ended, and how often.
struct Ending {
    int granted = 0;
    int notDone = 0;
    int other = 0;
    [[nodiscard]] int times() const { return granted + notDone + other; }
};

static Task<void> watch(Task<Grant> call, Ending* ending)
{
    try {
        co_await call;
        ++ending->granted;
    } catch (const Unavailable&) {
        ++ending->notDone;
    } catch (const LockError&) {
        ++ending->other;
    }
}

void RedisOutcomeTest::tenThousandAcquiresEndOnceEach()
{
    constexpr int count = 10'000;
    RedisModule locks(options());
    warmUp(locks);
    std::vector<Ending> endings(count);
    qint64 passed = 0;
    m_proxy->onRequest = [&](const QByteArray& bytes) {
        passed += bytes.size();
        if (passed > 200'000) { // the rest never reaches the server
            m_proxy->onRequest = {};
            m_proxy->dropAll();
        }
    };
    for (int i = 0; i < count; ++i)
        letRun(watch(locks->acquire("k" + std::to_string(i), mine(60s)), &endings[std::size_t(i)]));
    const auto ended = [&endings] {
        return std::all_of(endings.begin(), endings.end(),
                           [](const Ending& ending) { return ending.times() > 0; });
    };
    QTRY_VERIFY_WITH_TIMEOUT(ended(), 30'000);
    QTest::qWait(100);
    const QStringList held = cli(u"KEYS medusa_lock:k*"_s).split(u'\n', Qt::SkipEmptyParts);
    const QSet<QString> keys(held.begin(), held.end());
    int granted = 0;
    for (int i = 0; i < count; ++i) {
        const Ending& ending = endings[std::size_t(i)];
        QCOMPARE(ending.times(), 1);
        QCOMPARE(ending.other, 0);
        QCOMPARE(ending.granted == 1, keys.contains(u"medusa_lock:k%1"_s.arg(i)));
        granted += ending.granted;
    }
    QVERIFY2(granted > 0 && granted < count, qPrintable(QString::number(granted)));
    await(locks->acquire("after", mine(60s)));
}

static Task<void> watchJob(Task<void> call, int* ended)
{
    try {
        co_await call;
    } catch (const LockError&) {
    }
    ++*ended;
}

void RedisOutcomeTest::aThousandExecutesLeaveNothing()
{
    constexpr int count = 1000;
    RedisModule locks(options());
    warmUp(locks);
    qint64 passed = 0;
    int drops = 0;
    m_proxy->onRequest = [&](const QByteArray& bytes) {
        passed += bytes.size();
        if (passed > 20'000 && drops < 5) {
            passed = 0;
            ++drops;
            m_proxy->dropAll();
        }
    };
    int ended = 0;
    int inside = 0;
    const auto job = [&inside] {
        return [](int* running) -> Task<void> {
            ++*running;
            co_await ResumeOn(qApp);
            --*running;
        }(&inside);
    };
    for (int i = 0; i < count; ++i)
        letRun(watchJob(locks->execute("k" + std::to_string(i), job), &ended));
    QTRY_COMPARE_WITH_TIMEOUT(ended, count, 30'000);
    QTest::qWait(100);
    QCOMPARE(ended, count);
    QCOMPARE(drops, 5);
    QCOMPARE(inside, 0);
    QTRY_COMPARE_WITH_TIMEOUT(cli(u"DBSIZE"_s), u"0"_s, 10'000);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisOutcomeTest)
#include "redis_outcome_test.moc"
