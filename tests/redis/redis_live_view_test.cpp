// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"
#include "tests/support/watcher.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

class RedisLiveViewTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<RedisServer>(); }
    void cleanup() { cli(u"FLUSHALL"_s); }

    void showsWhatIsThere();
    void seesWhatOthersDo();
    void seesWhatThisProcessDoesAtOnce();
    void seesLeasesEndInTime();
    void saysNothingWhenNothingHappens();
    void noticesAFlush();
    void listsManyEachOnce();
    void marksWhatItShowsStale();
    void saysWhyItFails();
    void fallsSilentWithTheProvider();
    void canGoBeforeItsAnswersCome();

private:
    QString cli(const QString& command) const { return m_server->cli(command.split(u' ')); }
    void write(int count) const;
    std::unique_ptr<RedisServer> m_server;
};

void RedisLiveViewTest::write(int count) const
{
    QByteArray commands;
    for (int i = 0; i < count; ++i) {
        const QByteArray n = QByteArray::number(i);
        commands += "SET medusa_lock:k" + n + " o" + n + " PX 600000\r\n";
    }
    m_server->cli({u"--pipe"_s}, commands);
}

void RedisLiveViewTest::showsWhatIsThere()
{
    cli(u"SET medusa_lock:a ann PX 60000"_s);
    cli(u"SET medusa_lock:b *"_s);
    cli(u"HSET medusa_lock:h f v"_s);
    cli(u"SADD medusa_lock:s v"_s);
    cli(u"SET other_lock:x ann"_s);
    m_server->cli({u"SET"_s, u"medusa_lock:"_s, u"nameless"_s});
    const RedisModule module(*m_server);
    Watcher watcher(module);
    const TimePoint before = std::chrono::steady_clock::now();
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.states.first().kind, SourceState::Connecting);
    QCOMPARE(watcher.locks.size(), 5u);
    const Lock& a = watcher.locks["a"];
    QCOMPARE(a.owner, Owner("ann"));
    QCOMPARE(a.state, LockState::Held);
    QVERIFY(a.leaseEnd > before + 50s && a.leaseEnd <= std::chrono::steady_clock::now() + 60s);
    QVERIFY(!watcher.locks["b"].owner);
    QVERIFY(!watcher.locks["b"].leaseEnd);
    QCOMPARE(watcher.locks["h"].state, LockState::WrongType);
    QCOMPARE(watcher.locks["h"].detail, std::string("hash"));
    QCOMPARE(watcher.locks["s"].detail, std::string("set"));
    QCOMPARE(watcher.locks[""].owner, Owner("nameless"));
    QVERIFY(watcher.clean);
}

void RedisLiveViewTest::seesWhatOthersDo()
{
    const RedisModule module(*m_server);
    Watcher watcher(module);
    QTRY_VERIFY(watcher.isLive());
    cli(u"SET medusa_lock:a ann PX 60000"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("a"));
    cli(u"PEXPIRE medusa_lock:a 90000"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("ae"));
    QVERIFY(watcher.locks["a"].leaseEnd > std::chrono::steady_clock::now() + 80s);
    cli(u"PERSIST medusa_lock:a"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("aee"));
    QVERIFY(!watcher.locks["a"].leaseEnd);
    cli(u"SET medusa_lock:a bob"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("aeeo"));
    QCOMPARE(watcher.locks["a"].owner, Owner("bob"));
    cli(u"DEL medusa_lock:a"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("aeeor"));
    cli(u"HSET medusa_lock:a f v"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("aeeora"));
    QCOMPARE(watcher.locks["a"].state, LockState::WrongType);
    QCOMPARE(watcher.locks["a"].detail, std::string("hash"));
    QVERIFY(watcher.clean);
}

void RedisLiveViewTest::seesWhatThisProcessDoesAtOnce()
{
    write(2000); // so that a scan is no instant
    const RedisModule module(*m_server);
    Watcher watcher(module);
    QTRY_VERIFY(watcher.isLive());
    QElapsedTimer took;
    took.start();
    const auto await200 = [&](const char* kinds) {
        while (watcher.kinds("a") != kinds && took.elapsed() < 600)
            QTest::qWait(1);
        return watcher.kinds("a") == kinds;
    };
    AcquireOptions options;
    options.ownedBy("ann").expiringIn(60s);
    await(module->acquire("a", options));
    QVERIFY(await200("a"));
    options.expiringIn(90s);
    await(module->acquire("a", options));
    QVERIFY(await200("ae"));
    await(module->release("a", ReleaseOptions().ownedBy("ann")));
    QVERIFY(await200("aer"));
    await(module->acquire("a"));
    QVERIFY(await200("aera"));
    await(module->acquire("a", AcquireOptions().ownedBy("bob"))); // claims, and keeps the lease
    QVERIFY(await200("aerao"));
    QVERIFY2(took.elapsed() < 600, qPrintable(QString::number(took.elapsed())));
    QTest::qWait(1500); // the next scan finds nothing new in it
    QCOMPARE(watcher.kinds("a"), QByteArray("aerao"));
    QVERIFY(watcher.clean);
}

void RedisLiveViewTest::seesLeasesEndInTime()
{
    const RedisModule module(*m_server);
    cli(u"SET medusa_lock:a ann PX 1500"_s);
    cli(u"SET medusa_lock:b ann PX 1500"_s);
    Watcher watcher(module);
    QTRY_VERIFY(watcher.isLive());
    const auto end = watcher.locks["a"].leaseEnd;
    QVERIFY(end);
    cli(u"PEXPIRE medusa_lock:b 60000"_s);
    QTRY_COMPARE(watcher.kinds("a"), QByteArray("x"));
    const auto late = std::chrono::steady_clock::now() - *end;
    QVERIFY2(late > -5ms && late < 400ms, // with the batch's delay, on a busy machine
             qPrintable(QString::number(late / 1ms)));
    QCOMPARE(watcher.kinds("b"), QByteArray("e"));
    QCOMPARE(watcher.locks.size(), 1u);
    QVERIFY(watcher.clean);
}

void RedisLiveViewTest::saysNothingWhenNothingHappens()
{
    write(3000);
    // One that is told nothing and so has to look.
    cli(u"ACL SETUSER poller on >pw ~* +@all -client|tracking"_s);
    const RedisModule module(
        u"\"redisUrl\": \"redis://poller:pw@127.0.0.1:%1\""_s.arg(m_server->port()));
    Watcher watcher(module);
    QTRY_VERIFY(watcher.isLive());
    const QString before = m_server->cli({u"INFO"_s, u"commandstats"_s});
    QTest::qWait(3500);
    const QString after = m_server->cli({u"INFO"_s, u"commandstats"_s});
    QVERIFY(before.section(u"cmdstat_scan:calls="_s, 1).section(u',', 0, 0)
            != after.section(u"cmdstat_scan:calls="_s, 1).section(u',', 0, 0)); // it looked
    QVERIFY(watcher.told.isEmpty());
    QCOMPARE(watcher.snapshots, 1);
    QVERIFY(watcher.clean);
}

void RedisLiveViewTest::noticesAFlush()
{
    write(5000);
    const RedisModule module(*m_server);
    Watcher watcher(module);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.locks.size(), 5000u);
    cli(u"FLUSHALL"_s);
    QTRY_VERIFY(watcher.locks.empty());
    QCOMPARE(watcher.kinds("k0"), QByteArray("r"));
    QVERIFY(watcher.clean);
}

void RedisLiveViewTest::listsManyEachOnce()
{
    write(50'000);
    const RedisModule module(*m_server);
    Watcher watcher(module);
    int turns = 0;
    QTimer ticks;
    connect(&ticks, &QTimer::timeout, this, [&turns] { ++turns; });
    ticks.start(0);
    QTRY_VERIFY_WITH_TIMEOUT(watcher.isLive(), 20'000);
    QVERIFY2(turns > 50, qPrintable(QString::number(turns))); // the loop had its turns
    QCOMPARE(watcher.locks.size(), 50'000u);
    QCOMPARE(watcher.locks["k49999"].owner, Owner("o49999"));
    watcher.view->refresh();
    QTRY_COMPARE_WITH_TIMEOUT(watcher.snapshots, 2, 20'000);
    QCOMPARE(watcher.locks.size(), 50'000u);
    QVERIFY(watcher.clean);
    QVERIFY(m_server->cli({u"INFO"_s, u"commandstats"_s}).contains(u"cmdstat_keys"_s) == false);
}

void RedisLiveViewTest::marksWhatItShowsStale()
{
    RedisServer server;
    server.cli({u"SET"_s, u"medusa_lock:old"_s, u"ann"_s});
    const RedisModule module(server);
    Watcher watcher(module);
    QTRY_VERIFY(watcher.isLive());
    server.kill();
    QTRY_COMPARE(watcher.state().kind, SourceState::Stale);
    QVERIFY2(watcher.states.last().why.contains(u"127.0.0.1"_s),
             qPrintable(watcher.states.last().why));
    QCOMPARE(watcher.locks.size(), 1u); // what was shown stands
    server.start();
    server.cli({u"SET"_s, u"medusa_lock:new"_s, u"ann"_s});
    QTRY_VERIFY_WITH_TIMEOUT(watcher.isLive(), 15'000);
    QTRY_VERIFY(watcher.locks.contains("new"));
    QVERIFY(!watcher.locks.contains("old"));
    QCOMPARE(watcher.snapshots, 2);
    QVERIFY(watcher.clean);
}

void RedisLiveViewTest::saysWhyItFails()
{
    RedisServer server({u"--requirepass"_s, u"right"_s});
    const RedisModule module(server);
    Watcher watcher(module);
    QTRY_COMPARE(watcher.state().kind, SourceState::Failed);
    QVERIFY(watcher.states.last().why.contains(u"asks for a password"_s));

    RedisServer limited;
    limited.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"on"_s, u">pw"_s, u"~*"_s, u"+set"_s});
    const RedisModule second(
        u"\"redisUrl\": \"redis://ann:pw@127.0.0.1:%1\""_s.arg(limited.port()));
    Watcher blind(second);
    QTRY_COMPARE(blind.state().kind, SourceState::Failed);
    QVERIFY2(blind.states.last().why.contains(u"scan"_s), qPrintable(blind.states.last().why));
    limited.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"+@read"_s});
    QTRY_VERIFY(blind.isLive());
    QVERIFY(blind.clean);
}

void RedisLiveViewTest::fallsSilentWithTheProvider()
{
    write(20'000);
    RedisModule module(*m_server);
    Watcher watcher(module);
    QTRY_VERIFY(watcher.inSnapshot);
    module.destroy();
    QCOMPARE(watcher.state().kind, SourceState::Failed);
    QCOMPARE(watcher.states.last().why, u"The provider was closed."_s);
    watcher.view->refresh();
    QTest::qWait(50);
    QCOMPARE(watcher.snapshots, 0);
}

void RedisLiveViewTest::canGoBeforeItsAnswersCome()
{
    write(20'000);
    const RedisModule module(*m_server);
    for (int i = 0; i < 20; ++i) {
        Watcher watcher(module);
        QTRY_VERIFY(watcher.inSnapshot || watcher.snapshots > 0);
        QTest::qWait(i);
    }
    await(module->acquire("after"));
    QCOMPARE(cli(u"EXISTS medusa_lock:after"_s), u"1"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisLiveViewTest)
#include "redis_live_view_test.moc"
