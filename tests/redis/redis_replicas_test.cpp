// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! The option waitReplicas: a lock counts when it has reached so many of them.
class RedisReplicasTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();

    void grantsWhatReplicasHave();
    void givesBackWhatTooFewHave();
    void leavesWhatWasHeldBefore();
    void withTokensAndNotes();
    void failuresTakeTheirTimeTogether();
    void holdsUpNobodyElse();
    void closesWhileItWaits();

private:
    [[nodiscard]] QString options(int count, int timeout) const
    {
        return u"\"redisUrl\": \"%1\", \"waitReplicas\": %2, \"waitReplicasTimeout\": %3"_s.arg(
            m_master->url(), QString::number(count), QString::number(timeout));
    }
    QString cli(const QString& command) const { return m_master->cli(command.split(u' ')); }

    std::unique_ptr<RedisServer> m_master;
    std::unique_ptr<RedisServer> m_replica;
    std::unique_ptr<RedisServer> m_paused;
};

void RedisReplicasTest::initTestCase()
{
    m_master = std::make_unique<RedisServer>();
    const QStringList follow{u"--replicaof"_s, u"127.0.0.1"_s, QString::number(m_master->port())};
    m_replica = std::make_unique<RedisServer>(follow);
    m_paused = std::make_unique<RedisServer>(follow);
    QTRY_COMPARE_WITH_TIMEOUT(cli(u"WAIT 2 100"_s), u"2"_s, 20'000);
}

void RedisReplicasTest::cleanup()
{
    m_paused->resume();
    cli(u"FLUSHALL"_s);
    QTRY_COMPARE_WITH_TIMEOUT(cli(u"WAIT 2 100"_s), u"2"_s, 20'000);
}

void RedisReplicasTest::grantsWhatReplicasHave()
{
    const RedisModule locks(options(2, 5000));
    AcquireOptions mine;
    mine.ownedBy("me").expiringIn(60s);
    await(locks->acquire("a", mine));
    QCOMPARE(m_replica->cli({u"GET"_s, u"medusa_lock:a"_s}), u"me"_s);
    QCOMPARE(m_paused->cli({u"GET"_s, u"medusa_lock:a"_s}), u"me"_s);
    const int ttl = cli(u"PTTL medusa_lock:a"_s).toInt();
    QVERIFY2(ttl > 50'000 && ttl <= 60'000, qPrintable(QString::number(ttl)));
    await(locks->acquire(LockKeys("b", "c"))); // without owner, and several
    QCOMPARE(m_replica->cli({u"GET"_s, u"medusa_lock:c"_s}), u"*"_s);
    thrownBy<Conflict>(locks->acquire("a", AcquireOptions().ownedBy("you")));
    QCOMPARE(await(locks->execute("d", [] { return 1; })), 1);
}

void RedisReplicasTest::givesBackWhatTooFewHave()
{
    m_paused->pause();
    const RedisModule locks(options(2, 200));
    const LockKeys keys("a", "b");
    QElapsedTimer took;
    took.start();
    const std::string said =
        thrownBy<Unavailable>(locks->acquire(keys, AcquireOptions().ownedBy("me"))).message();
    QVERIFY2(said.ends_with("only 1 of 2 replicas has the lock after 200 ms; it was given back."),
             said.c_str());
    QVERIFY(took.elapsed() >= 190);
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
    bool ran = false;
    thrownBy<Unavailable>(locks->execute("c", [&ran] { return ran = true; }));
    QVERIFY(!ran);
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);

    const RedisModule modest(options(1, 5000));
    await(modest->acquire("a"));
    const RedisModule greedy(options(3, 100));
    thrownBy<Unavailable>(greedy->acquire("b"));
    QCOMPARE(cli(u"DBSIZE"_s), u"1"_s);
}

void RedisReplicasTest::leavesWhatWasHeldBefore()
{
    const RedisModule locks(options(2, 200));
    await(locks->acquire("a", AcquireOptions().ownedBy("me")));
    m_paused->pause();
    const std::string said =
        thrownBy<Unavailable>(locks->acquire("a", AcquireOptions().ownedBy("me"))).message();
    QVERIFY2(said.ends_with("; what was held before is held still, as it was."), said.c_str());
    QCOMPARE(cli(u"GET medusa_lock:a"_s), u"me"_s);

    // Of several keys, the new ones are given back, and the others have the lease they had.
    cli(u"SET medusa_lock:nobodys *"_s);
    thrownBy<Unavailable>(locks->acquire(LockKeys("a", "b", "nobodys"),
                                         AcquireOptions().ownedBy("me").expiringIn(60s)));
    QCOMPARE(cli(u"GET medusa_lock:a"_s), u"me"_s);
    QCOMPARE(cli(u"PTTL medusa_lock:a"_s), u"-1"_s);
    QCOMPARE(cli(u"GET medusa_lock:nobodys"_s), u"*"_s);
    QCOMPARE(cli(u"DBSIZE"_s), u"2"_s);
}

void RedisReplicasTest::withTokensAndNotes()
{
    const QString more = u", \"fencing\": true, \"annotate\": true"_s;
    const RedisModule locks(options(2, 5000) + more);
    const auto mine = AcquireOptions().ownedBy("me").expiringIn(60s);
    const Grant first = await(locks->acquire("a", mine));
    QVERIFY(first.token());
    const QString note = cli(u"GET lockboard:note:{medusa_lock:a}"_s);
    QVERIFY2(note.contains(u"\"pid\""_s)
                 && note.contains(u"\"token\":%1"_s.arg(qint64(*first.token()))),
             qPrintable(note));
    for (const auto& replica : {m_replica.get(), m_paused.get()}) {
        QCOMPARE(replica->cli({u"GET"_s, u"lockboard:note:{medusa_lock:a}"_s}), note);
        QCOMPARE(replica->cli({u"GET"_s, u"lockboard:token"_s}).toLongLong(),
                 qint64(*first.token()));
    }
    m_paused->pause();
    const RedisModule hasty(options(2, 200) + more);
    thrownBy<Unavailable>(hasty->acquire(LockKeys("a", "b"), mine));
    QCOMPARE(cli(u"EXISTS medusa_lock:b lockboard:note:{medusa_lock:b}"_s), u"0"_s);
    QCOMPARE(cli(u"GET lockboard:note:{medusa_lock:a}"_s), note); // as it was
    m_paused->resume();
    QTRY_COMPARE_WITH_TIMEOUT(cli(u"WAIT 2 100"_s), u"2"_s, 20'000);
    QVERIFY(*await(locks->acquire("b", mine)).token() > *first.token());
}

static Task<void> failing(const RedisModule* locks, std::string key, int* failed)
{
    try {
        co_await (*locks)->acquire(key, AcquireOptions().ownedBy("me"));
    } catch (const Unavailable&) {
        ++*failed;
    }
}

void RedisReplicasTest::failuresTakeTheirTimeTogether()
{
    m_paused->pause();
    const RedisModule locks(options(2, 500));
    int failed = 0;
    QElapsedTimer took;
    took.start();
    for (int i = 0; i < 50; ++i)
        letRun(failing(&locks, std::to_string(i), &failed));
    QTRY_COMPARE_WITH_TIMEOUT(failed, 50, 20'000);
    QVERIFY2(took.elapsed() < 5000, qPrintable(QString::number(took.elapsed()))); // not 25 s
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
}

void RedisReplicasTest::holdsUpNobodyElse()
{
    const RedisModule locks(options(2, 1500));
    RunningJob job(locks, "k", ExecuteOptions().expiringIn(1200ms));
    QTRY_VERIFY(job.running);
    m_paused->pause();
    for (int i = 0; i < 2; ++i)
        thrownBy<Unavailable>(locks->acquire(std::to_string(i), AcquireOptions().ownedBy("me")));
    QVERIFY(!job.stoppedAt); // its renewals do not wait for replicas
    QCOMPARE(job.end(), std::string());
}

void RedisReplicasTest::closesWhileItWaits()
{
    m_paused->pause();
    RedisModule locks(options(2, 60'000));
    bool unknown = false; // it is taken already
    const auto waiting = [&]() -> Task<void> {
        try {
            co_await locks->acquire("a");
        } catch (const OutcomeUnknown&) {
            unknown = true;
        }
    };
    letRun(waiting());
    QTRY_COMPARE(cli(u"DBSIZE"_s), u"1"_s);
    QTest::qWait(100);
    locks.destroy();
    QVERIFY(unknown);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisReplicasTest)
#include "redis_replicas_test.moc"
