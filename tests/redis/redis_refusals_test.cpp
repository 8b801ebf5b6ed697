// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"

#include <QElapsedTimer>
#include <QProcess>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! A server that is there and refuses: what calls end with, what the live view says, and that all
//! is well again when it gives in. (Wrong passwords, rights and replicas: redis_connection_test;
//! SCRIPT FLUSH and keys of another type: redis_locks_test.)
class RedisRefusalsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void busyWithAScript();
    void outOfMemory();
    void stillLoading();
    void passwordSetMeanwhile();
    void rightsTakenMeanwhile();
    void madeAReplicaMeanwhile();
    void aReplicaWithoutItsMaster();
    void aClusterThatIsDown();
    void scriptsForgotten();
    void anotherTypeUnderTheNamespace();
    void anOwnerOfTenMegabytes();
};

//! What the live view says.
class Watched final : public QObject {
public:
    explicit Watched(const RedisModule& module)
        : m_view(await(module->liveView()))
    {
        connect(m_view.get(), &LiveView::stateChanged, this,
                [this](const SourceState& state) { m_state = state; });
        connect(m_view.get(), &LiveView::snapshotBatch, this,
                [this](const LockBatch& batch) { locks += batch; });
        m_view->start();
    }
    [[nodiscard]] bool isLive() const { return m_state.kind == SourceState::Live; }
    [[nodiscard]] bool says(const QString& part) const
    {
        return !isLive() && m_state.why.contains(part);
    }

    LockBatch locks;

private:
    LiveViewPtr m_view;
    SourceState m_state;
};

static std::string at(const RedisServer& server)
{
    return "Redis at 127.0.0.1:" + std::to_string(server.port()) + ' ';
}

static QString get(const RedisServer& server, const QString& key)
{
    return server.cli({u"GET"_s, u"medusa_lock:"_s + key});
}

//! Whether an acquire by "me" succeeds; another error than Unavailable is thrown.
static bool takes(const RedisModule& locks, const std::string& key)
{
    try {
        await(locks->acquire(key, AcquireOptions().ownedBy("me")));
        return true;
    } catch (const Unavailable&) {
        return false;
    }
}

void RedisRefusalsTest::busyWithAScript()
{
    RedisServer server({u"--busy-reply-threshold"_s, u"20"_s});
    RedisModule locks(server);
    Watched view(locks);
    QTRY_VERIFY(view.isLive());
    await(locks->acquire("mine", AcquireOptions().ownedBy("me")));
    QProcess script;
    script.start(
        u"redis-cli"_s,
        {u"-p"_s, QString::number(server.port()), u"EVAL"_s, u"while true do end"_s, u"0"_s});
    QTRY_VERIFY(server.cli({u"GET"_s, u"x"_s}).startsWith(u"BUSY"_s));
    const std::string sentence = at(server) + "is busy with somebody's script.";
    QCOMPARE(thrownBy<Unavailable>(locks->acquire("a")).message(), sentence);
    QCOMPARE(thrownBy<Unavailable>(locks->acquire(LockKeys("a", "b"))).message(), sentence);
    QCOMPARE(
        thrownBy<Unavailable>(locks->release("mine", ReleaseOptions().ownedBy("me"))).message(),
        sentence);
    QCOMPARE(thrownBy<Unavailable>(locks->releaseAll()).message(), sentence);
    QTRY_VERIFY(view.says(u"is busy with somebody's script"_s));
    server.cli({u"SCRIPT"_s, u"KILL"_s});
    QVERIFY(script.waitForFinished());
    QTRY_VERIFY(takes(locks, "a"));
    QCOMPARE(await(locks->releaseAll()).released, 2u);
    QTRY_VERIFY(view.isLive());
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
}

void RedisRefusalsTest::outOfMemory()
{
    RedisServer server({u"--maxmemory-policy"_s, u"noeviction"_s});
    RedisModule locks(server);
    Watched view(locks);
    await(locks->acquire("mine", AcquireOptions().ownedBy("me").expiringIn(60s)));
    server.cli({u"CONFIG"_s, u"SET"_s, u"maxmemory"_s, u"1mb"_s});
    server.cli({u"EVAL"_s, u"redis.call('SET', 'big', string.rep('x', 2000000))"_s, u"0"_s});
    const std::string sentence = at(server) + "is out of memory and takes no more writes.";
    QCOMPARE(thrownBy<Unavailable>(locks->acquire("a")).message(), sentence);
    QCOMPARE(thrownBy<Unavailable>(locks->acquire(LockKeys("a", "b"))).message(), sentence);
    const auto job = [] { QFAIL("it has no lock"); };
    QCOMPARE(thrownBy<Unavailable>(locks->execute("a", job)).message(), sentence);
    // What is held can be seen and let go of.
    QTRY_VERIFY(view.isLive());
    QCOMPARE(view.locks.size(), 1);
    QVERIFY(await(locks->release("mine", ReleaseOptions().ownedBy("me"))).allReleased());
    server.cli({u"CONFIG"_s, u"SET"_s, u"maxmemory"_s, u"0"_s});
    QVERIFY(takes(locks, "a"));
    QCOMPARE(server.cli({u"KEYS"_s, u"medusa_lock:*"_s}), u"medusa_lock:a"_s);
}

void RedisRefusalsTest::stillLoading()
{
    // A tenth of a millisecond a key.
    RedisServer server({u"--appendonly"_s, u"yes"_s, u"--appendfsync"_s, u"always"_s,
                        u"--loading-process-events-interval-bytes"_s, u"1024"_s,
                        u"--key-load-delay"_s, u"100"_s});
    RedisModule locks(server);
    Watched view(locks);
    await(locks->acquire("mine", AcquireOptions().ownedBy("me")));
    server.cli({u"EVAL"_s, u"for i = 1, 30000 do redis.call('SET', 'k' .. i, i) end"_s, u"0"_s});
    server.kill();
    QTRY_VERIFY(!locks.log.empty()); // what is sent from now on is sent to the next one
    server.start();
    const std::string sentence = at(server) + "is still loading its data.";
    const auto refusal = [&locks] { return thrownBy<Unavailable>(locks->acquire("a")).message(); };
    QTRY_COMPARE(refusal(), sentence);
    QCOMPARE(thrownBy<Unavailable>(locks->release("mine")).message(), sentence);
    QTRY_VERIFY(view.says(u"is still loading its data"_s));
    QTRY_VERIFY_WITH_TIMEOUT(takes(locks, "a"), 30'000);
    QCOMPARE(get(server, u"mine"_s), u"me"_s);
    QTRY_VERIFY(view.isLive());
}

void RedisRefusalsTest::passwordSetMeanwhile()
{
    RedisServer server;
    RedisModule locks(server);
    Watched view(locks);
    QTRY_VERIFY(view.isLive());
    server.cli({u"CONFIG"_s, u"SET"_s, u"requirepass"_s, u"s3cret"_s});
    server.cli({u"-a"_s, u"s3cret"_s, u"CLIENT"_s, u"KILL"_s, u"TYPE"_s, u"normal"_s});
    const auto denied = [&locks] {
        try {
            await(locks->acquire("a"));
        } catch (const Denied& error) {
            return error.message();
        } catch (const LockError&) {
        }
        return std::string();
    };
    QTRY_COMPARE(denied(), at(server) + "asks for a password.");
    QTRY_VERIFY(view.says(u"asks for a password"_s));
    server.cli({u"-a"_s, u"s3cret"_s, u"CONFIG"_s, u"SET"_s, u"requirepass"_s, QString()});
    QTRY_VERIFY_WITH_TIMEOUT(denied().empty(), 15'000);
    QTRY_VERIFY_WITH_TIMEOUT(view.isLive(), 15'000);
}

void RedisRefusalsTest::rightsTakenMeanwhile()
{
    RedisServer server;
    server.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"on"_s, u">pw"_s, u"~*"_s, u"&*"_s, u"+@all"_s});
    RedisModule locks(u"\"redisUrl\": \"redis://ann:pw@127.0.0.1:%1\""_s.arg(server.port()));
    Watched view(locks);
    QTRY_VERIFY(view.isLive());
    await(locks->acquire("mine", AcquireOptions().ownedBy("me").expiringIn(60s)));
    server.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"-@write"_s, u"-@scripting"_s});
    const std::string said = thrownBy<Denied>(locks->acquire("a")).message();
    QVERIFY2(said.starts_with(at(server) + "does not permit this user to do that. (NOPERM "),
             said.c_str());
    thrownBy<Denied>(locks->release("mine", ReleaseOptions().ownedBy("me")));
    QVERIFY(view.isLive()); // it may still look
    server.cli({u"ACL"_s, u"SETUSER"_s, u"ann"_s, u"+@all"_s});
    QVERIFY(await(locks->release("mine", ReleaseOptions().ownedBy("me"))).allReleased());
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
}

void RedisRefusalsTest::madeAReplicaMeanwhile()
{
    RedisServer other;
    RedisServer server;
    RedisModule locks(server);
    await(locks->acquire("mine", AcquireOptions().ownedBy("me").expiringIn(60s)));
    // Of a master that does not answer, so that it keeps what it has.
    other.pause();
    server.cli({u"REPLICAOF"_s, u"127.0.0.1"_s, QString::number(other.port())});
    const std::string sentence = at(server) + "is a read-only replica.";
    QCOMPARE(thrownBy<Unavailable>(locks->acquire("a")).message(), sentence);
    QCOMPARE(thrownBy<Unavailable>(locks->acquire(LockKeys("a", "b"))).message(), sentence);
    QCOMPARE(
        thrownBy<Unavailable>(locks->release("mine", ReleaseOptions().ownedBy("me"))).message(),
        sentence);
    QCOMPARE(thrownBy<Unavailable>(locks->releaseAll()).message(), sentence);
    server.cli({u"REPLICAOF"_s, u"NO"_s, u"ONE"_s});
    QVERIFY(await(locks->release("mine", ReleaseOptions().ownedBy("me"))).allReleased());
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
}

void RedisRefusalsTest::aReplicaWithoutItsMaster()
{
    RedisServer master;
    RedisServer replica({u"--replica-serve-stale-data"_s, u"no"_s});
    replica.cli({u"REPLICAOF"_s, u"127.0.0.1"_s, QString::number(master.port())});
    QTRY_VERIFY(replica.cli({u"INFO"_s, u"replication"_s}).contains(u"master_link_status:up"_s));
    RedisModule locks(replica);
    Watched view(locks);
    QTRY_VERIFY(view.isLive());
    master.kill();
    QTRY_VERIFY(view.says(u"is a replica that has lost its master"_s));
    thrownBy<Unavailable>(locks->acquire("a"));
    QCOMPARE(thrownBy<Unavailable>(locks->releaseAll()).message(),
             at(replica) + "is a replica that has lost its master.");
    master.start();
    QTRY_VERIFY_WITH_TIMEOUT(view.isLive(), 15'000);
}

void RedisRefusalsTest::aClusterThatIsDown()
{
    RedisServer server({u"--cluster-enabled"_s, u"yes"_s});
    RedisModule locks(server);
    const std::string said = thrownBy<Unavailable>(locks->acquire("a")).message();
    QVERIFY2(said.find("cluster") != std::string::npos, said.c_str());
    thrownBy<Unavailable>(locks->acquire(LockKeys("{a}1", "{a}2")));
}

void RedisRefusalsTest::scriptsForgotten()
{
    RedisServer server;
    RedisModule locks(server);
    for (const QStringList& restart :
         {QStringList{u"SCRIPT"_s, u"FLUSH"_s}, QStringList{u"FUNCTION"_s, u"FLUSH"_s}}) {
        await(locks->acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("me")));
        server.cli(restart);
        QVERIFY(await(locks->release(LockKeys("a", "b"), ReleaseOptions().ownedBy("me")))
                    .allReleased());
        server.cli(restart);
        const auto job = [&server, &restart] { server.cli(restart); };
        await(locks->execute("a", job));
    }
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"0"_s);
}

void RedisRefusalsTest::anotherTypeUnderTheNamespace()
{
    RedisServer server;
    server.cli({u"HSET"_s, u"medusa_lock:h"_s, u"f"_s, u"v"_s});
    RedisModule locks(server);
    const std::string sentence = "The key \"h\" holds a hash, not a lock.";
    QCOMPARE(thrownBy<InvalidArgument>(locks->acquire("h")).message(), sentence);
    QCOMPARE(thrownBy<InvalidArgument>(locks->acquire(LockKeys("a", "h"))).message(), sentence);
    QCOMPARE(thrownBy<InvalidArgument>(locks->release("h")).message(), sentence);
    const auto job = [] { QFAIL("it has no lock"); };
    QCOMPARE(thrownBy<InvalidArgument>(locks->execute("h", job)).message(), sentence);
    QCOMPARE(server.cli({u"DBSIZE"_s}), u"1"_s);
    QCOMPARE(server.cli({u"HGET"_s, u"medusa_lock:h"_s, u"f"_s}), u"v"_s);
}

void RedisRefusalsTest::anOwnerOfTenMegabytes()
{
    RedisServer server;
    server.cli({u"EVAL"_s, u"redis.call('SET', KEYS[1], string.rep('x', 10485760))"_s, u"1"_s,
                u"medusa_lock:fat"_s});
    RedisModule locks(server);
    Watched view(locks);
    QTRY_VERIFY(view.isLive());
    QCOMPARE(view.locks.size(), 1);
    QCOMPARE(view.locks.front().owner->size(), 10'485'760u);
    const Conflict conflict = thrownBy<Conflict>(locks->acquire("fat"));
    QCOMPARE(conflict.holder()->size(), 10'485'760u);
    QVERIFY(conflict.message().size() < 200);
    const ReleaseResult left = await(locks->release("fat", ReleaseOptions().ownedBy("me")));
    QCOMPARE(left.of("fat").outcome, ReleaseOutcome::HeldByOther);
    QElapsedTimer took;
    took.start();
    QVERIFY(takes(locks, "other"));
    QVERIFY2(took.elapsed() < 1000, qPrintable(QString::number(took.elapsed())));
    // An operator can let go of it.
    QVERIFY(
        await(locks->release("fat", ReleaseOptions().ownedBy(conflict.holder()))).allReleased());
    QCOMPARE(get(server, u"fat"_s), QString());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisRefusalsTest)
#include "redis_refusals_test.moc"
