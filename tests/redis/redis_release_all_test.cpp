// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"
#include "tests/support/proxy.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

class RedisReleaseAllTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<RedisServer>(); }
    void cleanup() { m_server->cli({u"FLUSHALL"_s}); }

    void freesOneOwnersAmongThousands();
    void freesAllAndLeavesWhatIsNoLock();
    void takesTheNamespaceByTheLetter();
    void leavesWhatWasTakenMeanwhile_data();
    void leavesWhatWasTakenMeanwhile();
    void canBeStopped();
    void wakesWaitersAndStopsJobs();

private:
    void write(int count, const QByteArray& owner, const QByteArray& prefix) const;
    std::unique_ptr<RedisServer> m_server;
};

void RedisReleaseAllTest::write(int count, const QByteArray& owner, const QByteArray& prefix) const
{
    QByteArray commands;
    for (int i = 0; i < count; ++i)
        commands += "SET medusa_lock:" + prefix + QByteArray::number(i) + ' ' + owner + '\n';
    m_server->cli({u"--pipe"_s}, commands.replace('\n', "\r\n"));
}

void RedisReleaseAllTest::freesOneOwnersAmongThousands()
{
    write(3000, "ann", "a");
    write(4000, "bob", "b");
    write(100, "*", "none");
    RedisModule locks(*m_server);
    ReleaseAllOptions options;
    std::uint64_t reported = 0;
    std::uint64_t seen = 0;
    int reports = 0;
    options.ownedBy("ann").reportingTo([&](std::uint64_t released, std::uint64_t all) {
        QVERIFY(released >= reported && all >= seen);
        reported = released;
        seen = all;
        ++reports;
    });
    const ReleaseAllResult result = await(locks->releaseAll(options));
    QCOMPARE(result.released, 3000u);
    QCOMPARE(result.left(), 0u);
    QVERIFY(!result.cancelled);
    QCOMPARE(reported, 3000u);
    QVERIFY(seen >= 7100);
    QVERIFY(reports >= 5);
    QCOMPARE(m_server->cli({u"DBSIZE"_s}), u"4100"_s);
    QCOMPARE(m_server->cli({u"--raw"_s, u"EVAL"_s,
                            u"return #redis.call('KEYS', 'medusa_lock:a*')"_s, u"0"_s}),
             u"0"_s);
    // SCAN, never KEYS: that one call is redis-cli's own.
    QVERIFY(m_server->cli({u"INFO"_s, u"commandstats"_s}).contains(u"cmdstat_keys:calls=1,"_s));
}

void RedisReleaseAllTest::freesAllAndLeavesWhatIsNoLock()
{
    write(1500, "ann", "a");
    write(10, "*", "none");
    m_server->cli({u"HSET"_s, u"medusa_lock:h"_s, u"f"_s, u"v"_s});
    m_server->cli({u"RPUSH"_s, u"medusa_lock:l"_s, u"v"_s});
    m_server->cli({u"SET"_s, u"elsewhere"_s, u"v"_s});
    RedisModule locks(*m_server);
    const ReleaseAllResult result = await(locks->releaseAll());
    QCOMPARE(result.released, 1510u);
    QCOMPARE(result.left(), 2u);
    QVERIFY(result.reasons.front().first.find("another type") != std::string::npos);
    QCOMPARE(m_server->cli({u"EXISTS"_s, u"medusa_lock:h"_s, u"medusa_lock:l"_s, u"elsewhere"_s}),
             u"3"_s);
    QCOMPARE(m_server->cli({u"DBSIZE"_s}), u"3"_s);
}

void RedisReleaseAllTest::takesTheNamespaceByTheLetter()
{
    const QString odd = u"a[b]*c?d\\e^-"_s;
    RedisModule locks(*m_server, u", \"namespace\": \"a[b]*c?d\\\\e^-\""_s);
    await(locks->acquire("k1"));
    QCOMPARE(m_server->cli({u"GET"_s, odd + u"k1"_s}), u"*"_s);
    for (const QString& near : {u"abXc1d\\e^-k"_s, u"a[b]*c?de^-k"_s, u"ab*c?d\\e^-k"_s,
                                u"a[b]XXc?d\\e^-k"_s, u"a[b]*cXd\\e^-k"_s})
        m_server->cli({u"SET"_s, near, u"*"_s});
    const ReleaseAllResult result = await(locks->releaseAll());
    QCOMPARE(result.released, 1u);
    QCOMPARE(m_server->cli({u"DBSIZE"_s}), u"5"_s);
}

void RedisReleaseAllTest::leavesWhatWasTakenMeanwhile_data()
{
    QTest::addColumn<bool>("byOwner");
    QTest::newRow("one owner's") << true;
    QTest::newRow("all") << false;
}

void RedisReleaseAllTest::leavesWhatWasTakenMeanwhile()
{
    QFETCH(const bool, byOwner);
    Proxy proxy(m_server->port());
    RedisModule locks(u"\"redisUrl\": \"redis://127.0.0.1:%1\""_s.arg(proxy.port()));
    write(10, "ann", "a");
    // Ann lets go and Eve comes in, after the page was read and before the server is asked to free.
    proxy.onRequest = [this](const QByteArray& bytes) {
        if (bytes.contains("EVALSHA"))
            m_server->cli({u"SET"_s, u"medusa_lock:a5"_s, u"eve"_s});
    };
    ReleaseAllOptions options;
    if (byOwner)
        options.ownedBy("ann");
    const ReleaseAllResult result = await(locks->releaseAll(options));
    QCOMPARE(result.released, 9u);
    QCOMPARE(result.left(), byOwner ? 0u : 1u);
    if (!byOwner)
        QCOMPARE(result.reasons.front().first, std::string("taken by somebody else meanwhile"));
    QCOMPARE(m_server->cli({u"GET"_s, u"medusa_lock:a5"_s}), u"eve"_s);
}

void RedisReleaseAllTest::canBeStopped()
{
    write(20'000, "ann", "a");
    RedisModule locks(*m_server);
    std::stop_source stop;
    ReleaseAllOptions options;
    options.stoppedBy(stop.get_token()).reportingTo([&stop](std::uint64_t released, std::uint64_t) {
        if (released >= 5000)
            stop.request_stop();
    });
    const ReleaseAllResult result = await(locks->releaseAll(options));
    QVERIFY(result.cancelled);
    QVERIFY(result.released >= 5000 && result.released < 10'000);
    QCOMPARE(m_server->cli({u"DBSIZE"_s}).toULongLong(), 20'000 - result.released);
}

void RedisReleaseAllTest::wakesWaitersAndStopsJobs()
{
    RedisModule locks(*m_server, u", \"defaultRetryInterval\": 60000"_s);
    await(locks->acquire("a", AcquireOptions().ownedBy("bob")));
    AcquireOptions waits;
    waits.ownedBy("eve").waiting(10s);
    Task<Grant> waiter = locks->acquire("a", waits);
    const auto job = [](std::stop_token lost) {
        return [](std::stop_token token) -> Task<void> {
            while (!token.stop_requested())
                co_await ResumeOn(qApp);
        }(std::move(lost));
    };
    Task<void> execution = locks->execute("job", job);
    QTRY_COMPARE(m_server->cli({u"DBSIZE"_s}), u"2"_s);
    QCOMPARE(await(locks->releaseAll()).released, 2u);
    await(std::move(waiter));
    thrownBy<Lost>(std::move(execution));
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisReleaseAllTest)
#include "redis_release_all_test.moc"
