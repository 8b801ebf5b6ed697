// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"

#include <QCoroTimer>
#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! What goes over the wire, and what other programs of the same server see of it.
class RedisLocksTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<RedisServer>(); }
    void cleanup() { m_server->cli({u"FLUSHALL"_s}); }

    void writesWhatMedusaReads();
    void readsWhatOthersWrote();
    void keepsTheLeaseOfWhatIsHeld();
    void takesManyKeysOrNone();
    void refusesWhatIsNoLock();
    void takesKeysThatAreNotUtf8();
    void survivesScriptFlush();
    void runsTenThousandAtOnce();
    void releasesKeyByKey();
    void anOwnerNamedLikeAScriptsWordIsAnOwner();
    void wakesTheNextAtOnce();
    void renewsWhileAJobRuns();
    void stopsAJobThatLostItsLock();
    void anothersKeyOfTheSameOwnerStopsNoJob();

private:
    QString cli(const QString& command) const { return m_server->cli(command.split(u' ')); }
    std::unique_ptr<RedisServer> m_server;
};

void RedisLocksTest::writesWhatMedusaReads()
{
    RedisModule locks(*m_server);
    AcquireOptions options;
    options.ownedBy("user_1").expiringIn(60s);
    const TimePoint before = std::chrono::steady_clock::now();
    const Grant grant = await(locks->acquire("prod_1", options));
    QCOMPARE(cli(u"GET medusa_lock:prod_1"_s), u"user_1"_s);
    const int ttl = cli(u"PTTL medusa_lock:prod_1"_s).toInt();
    QVERIFY2(ttl > 55'000 && ttl <= 60'000, qPrintable(QString::number(ttl)));
    QVERIFY(grant.leaseEnd() >= before + 60s);
    QVERIFY(grant.leaseEnd() <= std::chrono::steady_clock::now() + 60s);
    QVERIFY(!grant.isExtension());

    const Grant forever = await(locks->acquire("prod_2"));
    QCOMPARE(cli(u"GET medusa_lock:prod_2"_s), u"*"_s);
    QCOMPARE(cli(u"PTTL medusa_lock:prod_2"_s), u"-1"_s);
    QVERIFY(!forever.leaseEnd());

    QVERIFY(await(locks->release("prod_1", ReleaseOptions().ownedBy("user_1"))).allReleased());
    QCOMPARE(cli(u"EXISTS medusa_lock:prod_1"_s), u"0"_s);
    QCOMPARE(cli(u"DBSIZE"_s), u"1"_s); // nothing of ours beside it

    RedisModule other(*m_server, u", \"namespace\": \"app\", \"redisOptions\": {\"db\": 3}"_s);
    await(other->acquire("k", AcquireOptions().ownedBy("me")));
    QCOMPARE(cli(u"-n 3 GET appk"_s), u"me"_s);
}

void RedisLocksTest::readsWhatOthersWrote()
{
    RedisModule locks(*m_server);
    cli(u"SET medusa_lock:a bob PX 30000"_s);
    const auto conflict = thrownBy<Conflict>(locks->acquire("a", AcquireOptions().ownedBy("eve")));
    QCOMPARE(conflict.message(), std::string("Failed to acquire lock for key \"a\""));
    QCOMPARE(conflict.holder(), Owner("bob"));
    QVERIFY(conflict.remaining() > 25s && conflict.remaining() <= 30s);
    QCOMPARE(cli(u"GET medusa_lock:a"_s), u"bob"_s);

    cli(u"SET medusa_lock:b *"_s);
    AcquireOptions exclusive;
    exclusive.ownedBy("eve").exclusively();
    const auto ownerless = thrownBy<Conflict>(locks->acquire("b", exclusive));
    QVERIFY(!ownerless.holder());
    QVERIFY(!ownerless.remaining());
    // The policy of Medusa's packages, because one of them is named.
    RedisModule medusa(u"\"redisUrl\": \"%1\""_s.arg(m_server->url()),
                       u"@medusajs/locking-redis"_s);
    thrownBy<Conflict>(medusa->acquire("b", AcquireOptions().ownedBy("eve")));
    QVERIFY(!await(medusa->release("b", ReleaseOptions().ownedBy("eve"))).allReleased());
    // The guide's: it may be claimed.
    QVERIFY(await(locks->acquire("b", AcquireOptions().ownedBy("eve"))).isExtension());
    QCOMPARE(cli(u"GET medusa_lock:b"_s), u"eve"_s);
}

void RedisLocksTest::keepsTheLeaseOfWhatIsHeld()
{
    RedisModule locks(*m_server);
    cli(u"SET medusa_lock:a bob PX 30000"_s);
    cli(u"SET medusa_lock:b * PX 20000"_s);
    const LockKeys keys("a", "b", "c");
    const Grant grant = await(locks->acquire(keys, AcquireOptions().ownedBy("bob")));
    QVERIFY(grant.isExtension());
    QVERIFY(grant.leaseEnd() <= std::chrono::steady_clock::now() + 20s);
    QVERIFY(cli(u"PTTL medusa_lock:a"_s).toInt() > 20'000);
    QCOMPARE(cli(u"GET medusa_lock:b"_s), u"bob"_s);
    const int claimed = cli(u"PTTL medusa_lock:b"_s).toInt();
    QVERIFY(claimed > 10'000 && claimed <= 20'000);
    QCOMPARE(cli(u"PTTL medusa_lock:c"_s), u"-1"_s);

    AcquireOptions longer;
    longer.ownedBy("bob").expiringIn(90s);
    await(locks->acquire("a", longer));
    QVERIFY(cli(u"PTTL medusa_lock:a"_s).toInt() > 80'000);
}

void RedisLocksTest::takesManyKeysOrNone()
{
    RedisModule locks(*m_server);
    cli(u"SET medusa_lock:k500 bob"_s);
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i)
        names.push_back("k" + std::to_string(i));
    AcquireOptions options;
    options.ownedBy("eve").expiringIn(60s);
    const auto conflict = thrownBy<Conflict>(locks->acquire(LockKeys(names), options));
    QCOMPARE(conflict.key(), std::string("k500"));
    QCOMPARE(cli(u"DBSIZE"_s), u"1"_s);
    cli(u"DEL medusa_lock:k500"_s);
    await(locks->acquire(LockKeys(names), options));
    QCOMPARE(cli(u"DBSIZE"_s), u"1000"_s);
    QCOMPARE(cli(u"GET medusa_lock:k999"_s), u"eve"_s);
}

void RedisLocksTest::refusesWhatIsNoLock()
{
    RedisModule locks(*m_server);
    cli(u"HSET medusa_lock:b field value"_s);
    const LockKeys keys("a", "b");
    const std::string sentence = "The key \"b\" holds a hash, not a lock.";
    QCOMPARE(thrownBy<InvalidArgument>(locks->acquire(keys)).message(), sentence);
    QCOMPARE(thrownBy<InvalidArgument>(locks->acquire("b")).message(), sentence);
    await(locks->acquire("a"));
    QCOMPARE(thrownBy<InvalidArgument>(locks->release(keys)).message(), sentence);
    QCOMPARE(cli(u"EXISTS medusa_lock:a medusa_lock:b"_s), u"2"_s);
    const auto job = [] {};
    QCOMPARE(thrownBy<InvalidArgument>(locks->execute("b", job)).message(), sentence);
}

void RedisLocksTest::takesKeysThatAreNotUtf8()
{
    RedisModule locks(*m_server);
    const std::string key("\xff\0\r\n *?[", 8);
    const std::string owner("o\xfe\0w", 4);
    AcquireOptions options;
    options.ownedBy(owner);
    await(locks->acquire(key, options));
    QCOMPARE(m_server->cli({u"--no-raw"_s, u"KEYS"_s, u"*"_s}),
             u"1) \"medusa_lock:\\xff\\x00\\r\\n *?[\""_s);
    const auto conflict = thrownBy<Conflict>(locks->acquire(key));
    QCOMPARE(conflict.key(), key);
    QCOMPARE(conflict.holder(), Owner(owner));
    QVERIFY(await(locks->release(key, ReleaseOptions().ownedBy(owner))).allReleased());
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
}

void RedisLocksTest::survivesScriptFlush()
{
    RedisModule locks(*m_server);
    const LockKeys keys("a", "b");
    for (int i = 0; i < 3; ++i) {
        await(locks->acquire(keys, AcquireOptions().ownedBy("me")));
        cli(u"SCRIPT FLUSH"_s);
        QVERIFY(await(locks->release(keys, ReleaseOptions().ownedBy("me"))).allReleased());
        cli(u"SCRIPT FLUSH"_s);
    }
}

static Task<void> takeThousands(LockingModule* locks, int count)
{
    std::vector<Task<Grant>> calls;
    AcquireOptions options;
    options.ownedBy("me").expiringIn(60s);
    for (int i = 0; i < count; ++i)
        calls.push_back(locks->acquire("k" + std::to_string(i), options));
    for (Task<Grant>& call : calls)
        co_await call;
}

void RedisLocksTest::runsTenThousandAtOnce()
{
    RedisModule locks(*m_server);
    await(takeThousands(locks.operator->(), 10'000));
    QCOMPARE(cli(u"DBSIZE"_s), u"10000"_s);
}

void RedisLocksTest::releasesKeyByKey()
{
    RedisModule locks(*m_server);
    cli(u"MSET medusa_lock:a me medusa_lock:b bob medusa_lock:c *"_s);
    const LockKeys keys("a", "b", "c", "d");
    const ReleaseResult result = await(locks->release(keys, ReleaseOptions().ownedBy("me")));
    QVERIFY(!result.allReleased());
    QCOMPARE(result.left().size(), 2u);
    QCOMPARE(result.of("a").outcome, ReleaseOutcome::Released);
    QCOMPARE(result.of("b").outcome, ReleaseOutcome::HeldByOther);
    QCOMPARE(result.of("b").holder, Owner("bob"));
    QCOMPARE(result.of("c").outcome, ReleaseOutcome::Released);
    QCOMPARE(result.of("d").outcome, ReleaseOutcome::NotHeld);
    QCOMPARE(cli(u"KEYS *"_s), u"medusa_lock:b"_s);
}

void RedisLocksTest::anOwnerNamedLikeAScriptsWordIsAnOwner()
{
    RedisModule locks(*m_server);
    for (const char* owner : {"type", "held", "done", "granted", "1"}) {
        await(locks->acquire("a", AcquireOptions().ownedBy(owner)));
        QCOMPARE(thrownBy<Conflict>(locks->acquire("a")).holder(), Owner(owner));
        const ReleaseResult refused = await(locks->release("a"));
        QCOMPARE(refused.of("a").outcome, ReleaseOutcome::HeldByOther);
        QCOMPARE(refused.of("a").holder, Owner(owner));
        QVERIFY(await(locks->release("a", ReleaseOptions().ownedBy(owner))).allReleased());
    }
}

void RedisLocksTest::wakesTheNextAtOnce()
{
    // Polling would rest for a minute.
    RedisModule locks(*m_server, u", \"defaultRetryInterval\": 60000"_s);
    await(locks->acquire("a", AcquireOptions().ownedBy("bob")));
    AcquireOptions waiting;
    waiting.ownedBy("eve").waiting(10s);
    Task<Grant> waiter = locks->acquire("a", waiting);
    Task<ReleaseResult> release = locks->release("a", ReleaseOptions().ownedBy("bob"));
    QElapsedTimer took;
    took.start();
    await(std::move(waiter));
    QVERIFY2(took.elapsed() < 2000, qPrintable(QString::number(took.elapsed())));
    QVERIFY(await(std::move(release)).allReleased());

    // And where nobody tells us: when the holder's lease ends.
    cli(u"SET medusa_lock:b bob PX 300"_s);
    took.restart();
    await(locks->acquire("b", waiting));
    QVERIFY2(took.elapsed() < 2000, qPrintable(QString::number(took.elapsed())));
}

static Task<int> sleepFor(std::chrono::milliseconds time, int result)
{
    QTimer timer;
    timer.setSingleShot(true);
    timer.start(time);
    co_await timer;
    co_return result;
}

void RedisLocksTest::renewsWhileAJobRuns()
{
    RedisModule locks(*m_server);
    const LockKeys keys("a", "b");
    int leastLeft = 1000;
    QTimer looks;
    connect(&looks, &QTimer::timeout, this, [&] {
        leastLeft = std::min(leastLeft, cli(u"PTTL medusa_lock:a"_s).toInt());
        leastLeft = std::min(leastLeft, cli(u"PTTL medusa_lock:b"_s).toInt());
    });
    looks.start(100ms);
    ExecuteOptions options;
    options.expiringIn(1s);
    const auto job = [] { return sleepFor(2500ms, 42); };
    QCOMPARE(await(locks->execute(keys, job, options)), 42);
    QVERIFY2(leastLeft > 200, qPrintable(QString::number(leastLeft)));
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
}

void RedisLocksTest::stopsAJobThatLostItsLock()
{
    RedisModule locks(*m_server);
    QTimer::singleShot(200, this, [this] { cli(u"DEL medusa_lock:a"_s); });
    bool stopped = false;
    const auto job = [&stopped](std::stop_token lost) -> Task<int> {
        const auto wait = [](std::stop_token token) -> Task<bool> {
            for (int i = 0; i < 300 && !token.stop_requested(); ++i)
                co_await sleepFor(10ms, 0);
            co_return token.stop_requested();
        };
        return [](Task<bool> waiting, bool* result) -> Task<int> {
            *result = co_await waiting;
            co_return 1;
        }(wait(std::move(lost)), &stopped);
    };
    ExecuteOptions options;
    options.expiringIn(1s);
    QCOMPARE(thrownBy<Lost>(locks->execute("a", job, options)).key(), std::string("a"));
    QVERIFY(stopped);
}

void RedisLocksTest::anothersKeyOfTheSameOwnerStopsNoJob()
{
    RedisModule locks(*m_server);
    await(locks->acquire("other", AcquireOptions().ownedBy("me")));
    ExecuteOptions options;
    options.ownedBy("me");
    const auto job = [&locks] {
        return [](LockingModule* module) -> Task<bool> {
            ReleaseOptions mine;
            mine.ownedBy("me");
            const ReleaseResult result = co_await module->release("other", mine);
            co_return result.allReleased();
        }(locks.operator->());
    };
    QVERIFY(await(locks->execute("a", job, options)));
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisLocksTest)
#include "redis_locks_test.moc"
