// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"
#include "tests/support/proxy.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! What becomes of calls when the server, or the way to it, is not as it should be.
class RedisConnectionTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void speaksOverAUnixSocket();
    void saysWhenNobodyListens();
    void refusesAWrongPassword();
    void logsInWithUserAndPassword();
    void namesWhatTheUserMayNotDo();
    void saysWhatDatabaseIsMissing();
    void noticesWhatIsNoRedis();
    void givesUpOnSilence();
    void doesNotKnowWhatBecameOfWhatItSent();
    void readsAreSafeToRepeat();
    void comesBackAfterARestart();
    void callsMadeBeforeTheServerListensFail();
    void closesWithCallsUnderWay();
    void closesWithCallsUnanswered();
    void aReplicaIsReadOnly();
    void checksTheServer();
};

static QString url(quint16 port, const QString& login = {})
{
    return u"\"redisUrl\": \"redis://"_s + login + u"127.0.0.1:%1\""_s.arg(port);
}

static quint16 silentPort()
{
    QTcpServer probe;
    probe.listen(QHostAddress::LocalHost);
    return probe.serverPort();
}

void RedisConnectionTest::speaksOverAUnixSocket()
{
    RedisServer server;
    for (const QString& prefix : {u""_s, u"unix:"_s, u"unix://"_s}) {
        RedisModule locks(u"\"redisUrl\": \"%1%2\""_s.arg(prefix, server.socketPath()));
        await(locks->acquire("a", AcquireOptions().ownedBy("me")));
        QCOMPARE(server.cli({u"GET"_s, u"medusa_lock:a"_s}), u"me"_s);
    }
    RedisModule missing(u"\"redisUrl\": \"/nowhere/redis.sock\""_s);
    const std::string said = thrownBy<Unavailable>(missing->acquire("a")).message();
    QVERIFY2(said.starts_with("Redis at /nowhere/redis.sock can't be reached: "), said.c_str());
}

void RedisConnectionTest::saysWhenNobodyListens()
{
    const quint16 port = silentPort();
    QElapsedTimer took;
    took.start();
    RedisModule locks(url(port, u":s3cret@"_s));
    const std::string sentence =
        "Redis at 127.0.0.1:" + std::to_string(port) + " can't be reached: Connection refused";
    QCOMPARE(thrownBy<Unavailable>(locks->acquire("a")).message(), sentence);
    QCOMPARE(thrownBy<Unavailable>(locks->release("a")).message(), sentence);
    QCOMPARE(thrownBy<Unavailable>(locks->releaseAll()).message(), sentence);
    const auto job = [] {};
    QCOMPARE(thrownBy<Unavailable>(locks->execute("a", job)).message(), sentence);
    QVERIFY2(took.elapsed() < 3000, qPrintable(QString::number(took.elapsed())));
    const CheckReport report = await(locks->check());
    QVERIFY(!report.reachable);
    QCOMPARE(report.findings.front().sentence, sentence);
    QVERIFY(locks.log.find("s3cret") == std::string::npos);
}

void RedisConnectionTest::refusesAWrongPassword()
{
    RedisServer server({u"--requirepass"_s, u"right"_s});
    RedisModule wrong(url(server.port(), u":wr0ng@"_s));
    const std::string who = "Redis at 127.0.0.1:" + std::to_string(server.port());
    QCOMPARE(thrownBy<Denied>(wrong->acquire("a")).message(),
             who + " does not accept this user name and password.");
    RedisModule none(url(server.port()));
    QCOMPARE(thrownBy<Denied>(none->acquire("a")).message(), who + " asks for a password.");
    for (const Finding& finding : await(wrong->check()).findings)
        QVERIFY(finding.sentence.find("wr0ng") == std::string::npos);
    QVERIFY(!wrong.log.empty());
    QVERIFY(wrong.log.find("wr0ng") == std::string::npos);

    // A server without AUTH repeats its arguments in the error.
    RedisServer renamed({u"--rename-command"_s, u"AUTH"_s, u"LOGIN"_s});
    RedisModule echoed(url(renamed.port(), u"me:wr0ng@"_s));
    QVERIFY(thrownBy<Denied>(echoed->acquire("a")).message().find("wr0ng") == std::string::npos);
    QVERIFY(echoed.log.find("wr0ng") == std::string::npos);
}

void RedisConnectionTest::logsInWithUserAndPassword()
{
    RedisServer server;
    server.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"on"_s, u">p@ss"_s, u"~*"_s, u"+@all"_s});
    RedisModule byUrl(url(server.port(), u"ann:p%40ss@"_s));
    await(byUrl->acquire("a"));
    RedisModule byOptions(
        u"\"redisOptions\": {\"host\": \"127.0.0.1\", \"port\": %1, \"username\": "
        "\"ann\", \"password\": \"p@ss\", \"db\": 2}"_s.arg(server.port()));
    await(byOptions->acquire("b"));
    QCOMPARE(server.cli({u"-n"_s, u"2"_s, u"GET"_s, u"medusa_lock:b"_s}), u"*"_s);
    QVERIFY(server.cli({u"CLIENT"_s, u"LIST"_s}).contains(u"name=lockboard"_s));
    RedisModule needless(url(server.port(), u":any@"_s));
    await(needless->acquire("c"));
}

void RedisConnectionTest::namesWhatTheUserMayNotDo()
{
    RedisServer server;
    server.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"on"_s, u">pw"_s, u"~*"_s, u"+get"_s});
    RedisModule locks(url(server.port(), u"ann:pw@"_s));
    const std::string said = thrownBy<Denied>(locks->acquire("a")).message();
    QVERIFY2(said.find("does not permit") != std::string::npos, said.c_str());
    thrownBy<Denied>(locks->release("a"));
    thrownBy<Denied>(locks->releaseAll());
    const CheckReport report = await(locks->check());
    QVERIFY(report.reachable);
    server.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"+eval"_s, u"+evalsha"_s});
    thrownBy<Denied>(locks->acquire(LockKeys("a", "b")));
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
}

void RedisConnectionTest::saysWhatDatabaseIsMissing()
{
    RedisServer server;
    RedisModule locks(u"\"redisUrl\": \"redis://127.0.0.1:%1/99\""_s.arg(server.port()));
    const std::string said = thrownBy<Unavailable>(locks->acquire("a")).message();
    QVERIFY2(said.ends_with("has no database 99."), said.c_str());
}

void RedisConnectionTest::noticesWhatIsNoRedis()
{
    QTcpServer web;
    web.listen(QHostAddress::LocalHost);
    connect(&web, &QTcpServer::newConnection, this, [&web] {
        QTcpSocket* socket = web.nextPendingConnection();
        connect(socket, &QTcpSocket::readyRead, socket,
                [socket] { socket->write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
    });
    RedisModule locks(url(web.serverPort()));
    const std::string said = thrownBy<Unavailable>(locks->acquire("a")).message();
    QVERIFY2(said.find("does not speak the protocol of Redis") != std::string::npos, said.c_str());
}

void RedisConnectionTest::givesUpOnSilence()
{
    RedisServer server;
    RedisModule locks(server,
                      u", \"redisOptions\": {\"connectTimeout\": 500, \"commandTimeout\": 500}"_s);
    await(locks->acquire("a"));
    server.pause();
    QElapsedTimer took;
    took.start();
    thrownBy<OutcomeUnknown>(locks->acquire("b"));
    QVERIFY2(took.elapsed() >= 490 && took.elapsed() < 3000,
             qPrintable(QString::number(took.elapsed())));
    // The kernel still takes connections; nobody answers the handshake.
    const std::string said = thrownBy<Unavailable>(locks->acquire("c")).message();
    QVERIFY2(said.ends_with("can't be reached: no answer within 500 ms"), said.c_str());
    server.resume();
    // The lock whose outcome was not known is there; asking anew tells.
    const auto acquired = [&] {
        try {
            await(locks->acquire("d"));
            return true;
        } catch (const Unavailable&) {
            return false;
        }
    };
    QTRY_VERIFY_WITH_TIMEOUT(acquired(), 5000);
    QCOMPARE(server.cli({u"EXISTS"_s, u"medusa_lock:b"_s}), u"1"_s);
    QCOMPARE(server.cli({u"EXISTS"_s, u"medusa_lock:c"_s}), u"0"_s);
}

void RedisConnectionTest::doesNotKnowWhatBecameOfWhatItSent()
{
    RedisServer server;
    Proxy proxy(server.port());
    RedisModule locks(url(proxy.port()));
    await(locks->acquire("a", AcquireOptions().ownedBy("me")));

    proxy.swallowsReplies = true;
    QTimer::singleShot(100, this, [&proxy] { proxy.dropAll(); });
    const std::string said = thrownBy<OutcomeUnknown>(locks->acquire("b")).message();
    QVERIFY2(said.find("is not known") != std::string::npos, said.c_str());
    QCOMPARE(server.cli({u"GET"_s, u"medusa_lock:b"_s}), u"*"_s);

    proxy.swallowsReplies = false;
    await(locks->acquire("c", AcquireOptions().ownedBy("me")));
    proxy.swallowsReplies = true;
    QTimer::singleShot(100, this, [&proxy] { proxy.dropAll(); });
    const LockKeys keys("b", "c");
    const ReleaseResult result = await(locks->release(keys, ReleaseOptions().ownedBy("me")));
    QCOMPARE(result.left().size(), 2u);
    QCOMPARE(result.left()[0].outcome, ReleaseOutcome::Unknown);
    QCOMPARE(result.left()[1].outcome, ReleaseOutcome::Unknown);
    QVERIFY(!result.allReleased());
}

void RedisConnectionTest::readsAreSafeToRepeat()
{
    RedisServer server;
    Proxy proxy(server.port());
    RedisModule locks(url(proxy.port()));
    await(locks->acquire("a"));
    proxy.swallowsReplies = true;
    QTimer::singleShot(100, this, [&proxy] { proxy.dropAll(); });
    thrownBy<Unavailable>(locks->releaseAll()); // SCAN only was sent
    QCOMPARE(server.cli({u"EXISTS"_s, u"medusa_lock:a"_s}), u"1"_s);
}

void RedisConnectionTest::comesBackAfterARestart()
{
    RedisServer server;
    RedisModule locks(server);
    await(locks->acquire("a"));
    server.kill();
    QTRY_VERIFY(!locks.log.empty());
    thrownBy<Unavailable>(locks->acquire("b"));
    server.start();
    await(locks->acquire("b")); // at once, whatever the pause between attempts had grown to
    QVERIFY(locks.log.find("again") != std::string::npos);
}

void RedisConnectionTest::callsMadeBeforeTheServerListensFail()
{
    const quint16 port = silentPort();
    RedisModule locks(url(port));
    Task<Grant> first = locks->acquire("a");
    Task<Grant> second = locks->acquire("b");
    thrownBy<Unavailable>(std::move(first));
    thrownBy<Unavailable>(std::move(second));
}

static Task<void> endsCancelled(Task<Grant> call, bool* cancelled)
{
    try {
        co_await call;
    } catch (const Cancelled&) {
        *cancelled = true;
    }
}

void RedisConnectionTest::closesWithCallsUnderWay()
{
    RedisServer server;
    server.cli({u"MSET"_s, u"medusa_lock:b"_s, u"bob"_s, u"medusa_lock:c"_s, u"bob"_s});
    RedisModule locks(server);
    await(locks->acquire("a"));
    server.pause();
    bool sent = false;
    bool unsent = false;
    bool waiting = false;
    bool trying = false;
    const Task<void> first = endsCancelled(locks->acquire("x"), &sent);
    const Task<void> third =
        endsCancelled(locks->acquire("b", AcquireOptions().waiting(1min)), &trying);
    QTest::qWait(50);
    const Task<void> second = endsCancelled(locks->acquire("y"), &unsent);
    server.resume();
    QTest::qWait(100);
    const Task<void> fourth =
        endsCancelled(locks->acquire("c", AcquireOptions().waiting(1min)), &waiting);
    QTest::qWait(100);
    server.pause();
    bool late = false;
    const Task<void> fifth = endsCancelled(locks->acquire("z"), &late);
    locks.destroy();
    QVERIFY(!sent && !unsent); // they were answered
    QVERIFY(trying);
    QVERIFY(waiting);
    QVERIFY(late);
}

//! What was sent and not answered may have been done: it is not told that nothing is held.
void RedisConnectionTest::closesWithCallsUnanswered()
{
    RedisServer server;
    RedisModule locks(server);
    await(locks->acquire("held"));
    await(locks->acquire("mine", AcquireOptions().ownedBy("me")));
    server.pause();
    Task<Grant> one = locks->acquire("a");
    Task<Grant> owned = locks->acquire("b", AcquireOptions().ownedBy("me"));
    Task<Grant> many = locks->acquire(LockKeys("c", "d"));
    Task<ReleaseResult> released = locks->release("held");
    Task<ReleaseAllResult> all = locks->releaseAll(); // has only looked so far
    QTest::qWait(100);
    Task<Grant> unsent = locks->acquire("e");
    locks.destroy();
    thrownBy<OutcomeUnknown>(std::move(one));
    thrownBy<OutcomeUnknown>(std::move(owned));
    thrownBy<OutcomeUnknown>(std::move(many));
    thrownBy<Cancelled>(std::move(unsent));
    thrownBy<Cancelled>(std::move(all));
    QCOMPARE(await(std::move(released)).of("held").outcome, ReleaseOutcome::Unknown);
    server.resume();
}

void RedisConnectionTest::aReplicaIsReadOnly()
{
    RedisServer server;
    server.cli({u"REPLICAOF"_s, u"127.0.0.1"_s, QString::number(silentPort())});
    RedisModule locks(server);
    const std::string said = thrownBy<Unavailable>(locks->acquire("a")).message();
    QVERIFY2(said.ends_with("is a read-only replica."), said.c_str());
    const CheckReport report = await(locks->check());
    QVERIFY(report.reachable);
    const bool told =
        std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& finding) {
            return finding.level == Finding::Problem
                && finding.sentence.find("replica") != std::string::npos;
        });
    QVERIFY(told);
}

void RedisConnectionTest::checksTheServer()
{
    RedisServer server({u"--maxmemory-policy"_s, u"allkeys-lru"_s});
    RedisModule locks(server);
    const CheckReport report = await(locks->check());
    QVERIFY(report.reachable);
    std::string all;
    for (const Finding& finding : report.findings) {
        QVERIFY(finding.level != Finding::Problem);
        all += finding.sentence + '\n';
    }
    QVERIFY2(all.find("(standalone) at 127.0.0.1:") != std::string::npos, all.c_str());
    QVERIFY2(all.find("allkeys-lru") != std::string::npos, all.c_str());
    QVERIFY2(all.find("\"medusa_lock:\" in database 0") != std::string::npos, all.c_str());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisConnectionTest)
#include "redis_connection_test.moc"
