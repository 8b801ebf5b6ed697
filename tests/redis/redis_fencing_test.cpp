// SPDX-License-Identifier: MIT
#include "tests/redis/listed.h"
#include "tests/support/proxy.h"

#include <QCoroTimer>
#include <QDateTime>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Tokens that a resource can tell an old holder by: they grow, come what may.
class RedisFencingTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<RedisServer>(); }
    void cleanup()
    {
        m_server->cli({u"FLUSHALL"_s});
        m_server->cli({u"CONFIG"_s, u"RESETSTAT"_s});
    }

    void growsFromWhomeverItIsAsked();
    void growsThoughTheCounterIsLost_data();
    void growsThoughTheCounterIsLost();
    void goesOnFromACounterAheadOfTheClock();
    void takesNothingWithABadCounter_data();
    void takesNothingWithABadCounter();
    void isKeptByRenewal();
    void survivesALostAnswer();
    void isListed();
    void lastTokenIsExact();
    void takesOneRoundTrip();
    void costsNothingIfNotAskedFor();
    void judgesItsOptions_data();
    void judgesItsOptions();

private:
    QString cli(const QString& command) const { return m_server->cli(command.split(u' ')); }

    const QString on = u", \"fencing\": true"_s;
    std::unique_ptr<RedisServer> m_server;
};

void RedisFencingTest::growsFromWhomeverItIsAsked()
{
    const RedisModule one(*m_server, on);
    const RedisModule other(*m_server, on + u", \"namespace\": \"app:\""_s);
    QVERIFY(one->providers().front().features.fencingTokens);
    FencingToken last = 0;
    for (int i = 0; i < 20; ++i) {
        const RedisModule& turn = i % 2 == 0 ? one : other;
        const Grant grant = await(turn->acquire("k", AcquireOptions().expiringIn(60s)));
        QVERIFY(grant.token() > last);
        last = *grant.token();
        const Grant many = await(turn->acquire(LockKeys("k", "l", "m"), AcquireOptions()));
        QVERIFY(many.token() > last);
        last = *many.token();
        await(turn->releaseAll());
    }
    QCOMPARE(cli(u"GET lockboard:token"_s).toULongLong(), last);
    QCOMPARE(cli(u"DBSIZE"_s), u"1"_s); // and nothing else stays
    // A refused call takes no token.
    await(one->acquire("k", AcquireOptions().ownedBy("X")));
    const QString before = cli(u"GET lockboard:token"_s);
    thrownBy<Conflict>(one->acquire(LockKeys("j", "k"), AcquireOptions().ownedBy("Y")));
    QCOMPARE(cli(u"GET lockboard:token"_s), before);
}

void RedisFencingTest::growsThoughTheCounterIsLost_data()
{
    QTest::addColumn<QString>("command");
    QTest::newRow("flushed") << u"FLUSHALL"_s;
    QTest::newRow("deleted") << u"DEL lockboard:token"_s;
    QTest::newRow("set back") << u"SET lockboard:token 7"_s; // an old snapshot, a late replica
    QTest::newRow("restarted") << QString();
}

void RedisFencingTest::growsThoughTheCounterIsLost()
{
    QFETCH(QString, command);
    const RedisModule locks(*m_server, on);
    const AcquireOptions x = AcquireOptions().ownedBy("X");
    const Grant before = await(locks->acquire("k", x));
    if (command.isEmpty()) {
        m_server->kill();
        m_server->start();
        QTRY_VERIFY_WITH_TIMEOUT(await(locks->check("shop")).reachable,
                                 20'000); // it is connected again
    } else {
        cli(command);
    }
    const Grant after = await(locks->acquire("k", x));
    QVERIFY2(after.token() > before.token(),
             qPrintable(u"%1 after %2"_s.arg(*after.token()).arg(*before.token())));
    QVERIFY(*after.token() < (FencingToken(1) << 53)); // whole in a double, as in Lua and JSON
}

void RedisFencingTest::goesOnFromACounterAheadOfTheClock()
{
    // The server's clock was set back by a year, say.
    const qint64 ahead = (QDateTime::currentMSecsSinceEpoch() + 365LL * 86'400'000) * 1000;
    cli(u"SET lockboard:token %1"_s.arg(ahead));
    const RedisModule locks(*m_server, on);
    for (qint64 i = 1; i <= 3; ++i)
        QCOMPARE(await(locks->acquire("k")).token(), FencingToken(ahead + i));
}

void RedisFencingTest::takesNothingWithABadCounter_data()
{
    QTest::addColumn<QString>("command");
    QTest::newRow("text") << u"SET lockboard:token many"_s;
    QTest::newRow("used up") << u"SET lockboard:token 9007199254740992"_s;
    QTest::newRow("below zero") << u"SET lockboard:token -1"_s;
    QTest::newRow("of another type") << u"HSET lockboard:token a b"_s;
}

void RedisFencingTest::takesNothingWithABadCounter()
{
    QFETCH(QString, command);
    cli(command);
    const RedisModule locks(*m_server, on);
    thrownBy<Unavailable>(locks->acquire("k"));
    QCOMPARE(cli(u"KEYS *"_s), u"lockboard:token"_s);
}

void RedisFencingTest::isKeptByRenewal()
{
    const RedisModule locks(*m_server, on);
    std::vector<FencingToken> seen;
    const auto job = [&](std::stop_token, const Grant& grant) -> Task<FencingToken> {
        const FencingToken mine = *grant.token();
        for (int i = 0; i < 12; ++i) {
            QTimer timer;
            timer.start(50ms);
            co_await timer;
            const Lock lock = listed(locks).at("k");
            seen.push_back(lock.token.value_or(0));
        }
        co_return mine;
    };
    const FencingToken mine = await(locks->execute("k", job, ExecuteOptions().expiringIn(300ms)));
    QCOMPARE(seen, std::vector<FencingToken>(12, mine));
}

void RedisFencingTest::survivesALostAnswer()
{
    Proxy proxy(m_server->port());
    const RedisModule locks(u"\"redisUrl\": \"redis://127.0.0.1:%1\""_s.arg(proxy.port()) + on);
    const AcquireOptions x = AcquireOptions().ownedBy("X").expiringIn(60s);
    const Grant before = await(locks->acquire("k", x)); // the server knows the scripts
    await(locks->execute("k2", [] {}));
    await(locks->release("k", ReleaseOptions().ownedBy("X")));
    proxy.failAt("EVALSHA", Proxy::Fault::DropsAfter);
    const Grant grant = await(locks->acquire("k", x));
    QVERIFY(proxy.hasFailed());
    QVERIFY(grant.token() > before.token());
    QCOMPARE(listed(locks).at("k").token, grant.token());
}

void RedisFencingTest::isListed()
{
    const RedisModule locks(*m_server, on);
    const RedisModule watcher(*m_server, on);
    const Grant a = await(locks->acquire("a", AcquireOptions().ownedBy("X").expiringIn(60s)));
    const Grant b = await(locks->acquire("b"));
    cli(u"SET medusa_lock:c bob"_s);
    const auto seen = listed(watcher);
    QCOMPARE(seen.at("a").token, a.token());
    QCOMPARE(seen.at("b").token, b.token());
    QVERIFY(!seen.at("c").token);
    QVERIFY(seen.at("a").note.isEmpty()); // that is another option

    // Of a view that is open already.
    const LiveViewPtr view = await(watcher->liveView());
    std::map<std::string, Lock> now;
    QObject::connect(view.get(), &LiveView::snapshotBatch, [&](const LockBatch& batch) {
        for (const Lock& lock : batch)
            now[lock.key] = lock;
    });
    QObject::connect(view.get(), &LiveView::changed, [&](const ChangeBatch& changes) {
        for (const LockChange& change : changes)
            now[change.lock.key] = change.lock;
    });
    view->start();
    QTRY_COMPARE(now.size(), std::size_t(3));
    const Grant again = await(locks->acquire("b")); // the same but for the token
    QTRY_COMPARE(now["b"].token, again.token());
    const Grant own = await(watcher->acquire("d"));
    QTRY_COMPARE(now["d"].token, own.token());
}

void RedisFencingTest::lastTokenIsExact()
{
    // Near the end of what a double can count, no digit is lost on the way.
    cli(u"SET lockboard:token 9007199254739990"_s);
    const RedisModule locks(*m_server, on);
    const Grant grant = await(locks->acquire("k", AcquireOptions().ownedBy("X")));
    QCOMPARE(grant.token(), FencingToken(9007199254739991));
    QCOMPARE(listed(locks).at("k").token, grant.token());
}

void RedisFencingTest::takesOneRoundTrip()
{
    const RedisModule locks(*m_server, on + u", \"annotate\": true"_s);
    await(locks->acquire("warm", AcquireOptions().ownedBy("X")));
    cli(u"CONFIG RESETSTAT"_s);
    for (int i = 0; i < 3; ++i)
        await(locks->acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("X")));
    const QString stats = cli(u"INFO commandstats"_s);
    QVERIFY2(stats.contains(u"cmdstat_evalsha:calls=3,"_s), qPrintable(stats));
}

void RedisFencingTest::costsNothingIfNotAskedFor()
{
    const RedisModule locks(*m_server);
    QVERIFY(!locks->providers().front().features.fencingTokens);
    await(locks->release("warm"));
    cli(u"CONFIG RESETSTAT"_s);
    QVERIFY(!await(locks->acquire("a", AcquireOptions().ownedBy("X"))).token());
    QCOMPARE(cli(u"KEYS *"_s), u"medusa_lock:a"_s);
    const QString stats = cli(u"INFO commandstats"_s);
    QVERIFY2(stats.contains(u"cmdstat_set:calls=1,"_s), qPrintable(stats));
    QVERIFY2(!stats.contains(u"eval"_s), qPrintable(stats));
    listed(locks);
    QVERIFY(cli(u"INFO commandstats"_s).contains(u"cmdstat_get:calls=1,"_s));
}

void RedisFencingTest::judgesItsOptions_data()
{
    QTest::addColumn<QString>("options");
    QTest::addColumn<QString>("path");
    QTest::newRow("no boolean") << u", \"fencing\": \"yes\""_s << u"/providers/0/options/fencing"_s;
    QTest::newRow("number") << u", \"annotate\": 1"_s << u"/providers/0/options/annotate"_s;
    QTest::newRow("ours") << on + u", \"namespace\": \"lockboard:shop:\""_s
                          << u"/providers/0/options/namespace"_s;
    QTest::newRow("ours in it") << u", \"annotate\": true, \"namespace\": \"lock\""_s
                                << u"/providers/0/options/namespace"_s;
}

void RedisFencingTest::judgesItsOptions()
{
    QFETCH(QString, options);
    QFETCH(QString, path);
    try {
        const RedisModule locks(*m_server, options);
        QFAIL("taken");
    } catch (const ConfigError& error) {
        QVERIFY2(error.message().find(path.toStdString()) != std::string::npos,
                 error.message().c_str());
        QVERIFY2(error.message().find("test.json:3") != std::string::npos, error.message().c_str());
    }
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisFencingTest)
#include "redis_fencing_test.moc"
