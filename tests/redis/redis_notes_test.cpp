// SPDX-License-Identifier: MIT
#include "engine/redis/wire/note.h"
#include "engine/redis/wire/slot.h"
#include "tests/redis/listed.h"

#include <QCoroTimer>
#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSysInfo>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Who took a lock, written beside it for people.
class RedisNotesTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<RedisServer>(); }
    void cleanup() { m_server->cli({u"FLUSHALL"_s}); }

    void saysWhoHoldsALock();
    void hasTheLeaseOfItsLock();
    void goesWithItsLock();
    void ofALockThatNeverExpiresLastsAWeek();
    void ofAnotherHolderDoesNotCount();
    void keysOfAnyKind_data();
    void keysOfAnyKind();
    void ownersOfAnyKind();
    void whatIsNoNoteIsNone_data();
    void whatIsNoNoteIsNone();
    void readsNoNotesUnasked();

private:
    QString cli(const QString& command) const { return m_server->cli(command.split(u' ')); }
    [[nodiscard]] qint64 pttl(const QString& key) const
    {
        return m_server->cli({u"PTTL"_s, key}).toLongLong();
    }

    const QString on = u", \"annotate\": true"_s;
    const QString noteOfA = u"lockboard:note:{medusa_lock:a}"_s;
    std::unique_ptr<RedisServer> m_server;
};

void RedisNotesTest::saysWhoHoldsALock()
{
    const RedisModule locks(*m_server, on);
    SharedContext context;
    context.edit().requestId = "req_1";
    const QDateTime before = QDateTime::currentDateTimeUtc();
    await(locks->acquire("a", AcquireOptions().ownedBy("worker-7").expiringIn(60s), context));
    await(locks->acquire("b"));

    const QString text = cli(u"GET "_s + noteOfA);
    const QJsonObject note = QJsonDocument::fromJson(text.toUtf8()).object();
    QCOMPARE(note.value("owner"_L1), u"worker-7"_s);
    QCOMPARE(note.value("host"_L1), QSysInfo::machineHostName());
    QCOMPARE(note.value("pid"_L1), QCoreApplication::applicationPid());
    QCOMPARE(note.value("program"_L1), u"redis_notes_test"_s);
    QCOMPARE(note.value("requestId"_L1), u"req_1"_s);
    QVERIFY(!note.contains("token"_L1));
    const QString at = note.value("acquiredAt"_L1).toString();
    const QDateTime time = QDateTime::fromString(at, Qt::ISODateWithMs);
    QVERIFY2(at.endsWith(u'Z') && time >= before.addMSecs(-1)
                 && time <= QDateTime::currentDateTimeUtc(),
             qPrintable(at));
    QCOMPARE(cli(u"GET medusa_lock:a"_s), u"worker-7"_s); // the lock is what it always was

    const RedisModule watcher(*m_server, on);
    const auto seen = listed(watcher);
    const HolderNote::Fields& fields = seen.at("a").note.fields();
    QCOMPARE(fields.host, QSysInfo::machineHostName().toStdString());
    QCOMPARE(fields.pid, QCoreApplication::applicationPid());
    QCOMPARE(fields.program, "redis_notes_test");
    QCOMPARE(fields.requestId, "req_1");
    QCOMPARE(fields.acquiredAt, at.toStdString());
    QCOMPARE(seen.at("b").note.fields().program, "redis_notes_test");
    QCOMPARE(seen.at("b").note.fields().requestId, "");
    QVERIFY(!seen.at("a").token);
}

void RedisNotesTest::hasTheLeaseOfItsLock()
{
    const RedisModule locks(*m_server, on);
    const AcquireOptions x = AcquireOptions().ownedBy("X").expiringIn(60s);
    await(locks->acquire("a", x));
    QVERIFY(pttl(noteOfA) > 50'000 && pttl(noteOfA) <= 60'000);
    await(locks->acquire("a", AcquireOptions().ownedBy("X"))); // keeps the lease
    QVERIFY(pttl(noteOfA) > 50'000 && pttl(noteOfA) <= 60'000);
    await(locks->acquire("a", AcquireOptions().ownedBy("X").expiringIn(90s)));
    QVERIFY(pttl(noteOfA) > 80'000 && pttl(noteOfA) <= 90'000);
    await(locks->acquire("a", AcquireOptions().ownedBy("X").expiringIn(100ms)));
    QTRY_COMPARE(cli(u"EXISTS medusa_lock:a %1"_s.arg(noteOfA)), u"0"_s);

    const auto job = [this]() -> Task<qint64> {
        QTimer timer;
        timer.start(900ms);
        co_await timer;
        co_return pttl(noteOfA); // renewed twice by now
    };
    QVERIFY(await(locks->execute("a", job, ExecuteOptions().expiringIn(600ms))) > 0);
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
}

void RedisNotesTest::goesWithItsLock()
{
    const RedisModule locks(*m_server, on + u", \"fencing\": true"_s);
    const LockKeys keys("a", "b", "c");
    const auto left = [this] { return cli(u"KEYS *"_s); };
    await(locks->acquire(keys, AcquireOptions().ownedBy("X")));
    await(locks->release("a", ReleaseOptions().ownedBy("X")));
    QCOMPARE(cli(u"DBSIZE"_s), u"5"_s); // two locks, two notes, the counter
    await(locks->release(LockKeys("b", "c"), ReleaseOptions().ownedBy("X")));
    QCOMPARE(left(), u"lockboard:token"_s);

    await(locks->acquire(keys, AcquireOptions().ownedBy("X")));
    await(locks->acquire("d", AcquireOptions().ownedBy("Y")));
    QCOMPARE(await(locks->releaseAll(ReleaseAllOptions().ownedBy("X"))).released, 3u);
    QCOMPARE(cli(u"DBSIZE"_s), u"3"_s);
    QCOMPARE(listed(locks).at("d").note.fields().program, "redis_notes_test");
    QCOMPARE(await(locks->releaseAll()).released, 1u);
    QCOMPARE(left(), u"lockboard:token"_s);
    // What is refused leaves no note.
    cli(u"SET medusa_lock:b bob"_s);
    thrownBy<Conflict>(locks->acquire(keys, AcquireOptions().ownedBy("X")));
    QCOMPARE(cli(u"KEYS *note*"_s), QString());
    await(locks->release("b", ReleaseOptions().ownedBy("X")));
    QCOMPARE(cli(u"GET medusa_lock:b"_s), u"bob"_s);
}

void RedisNotesTest::ofALockThatNeverExpiresLastsAWeek()
{
    const RedisModule locks(*m_server, on);
    await(locks->acquire("a"));
    QCOMPARE(pttl(u"medusa_lock:a"_s), -1);
    const qint64 week = 7LL * 86'400'000;
    QVERIFY(pttl(noteOfA) > week - 60'000 && pttl(noteOfA) <= week);
}

void RedisNotesTest::ofAnotherHolderDoesNotCount()
{
    const RedisModule locks(*m_server, on + u", \"fencing\": true"_s);
    await(locks->acquire("a", AcquireOptions().ownedBy("X").expiringIn(60s)));
    await(locks->acquire("b", AcquireOptions().ownedBy("X").expiringIn(60s)));
    cli(u"SET medusa_lock:a Y"_s); // by a program that knows of no notes
    const auto seen = listed(locks);
    QVERIFY(seen.at("a").note.isEmpty());
    QVERIFY(!seen.at("a").token);
    QVERIFY(!seen.at("b").note.isEmpty());
    // Whoever writes notes says it anew.
    await(locks->acquire("a", AcquireOptions().ownedBy("Y")));
    QVERIFY(!listed(locks).at("a").note.isEmpty());
}

void RedisNotesTest::keysOfAnyKind_data()
{
    QTest::addColumn<QByteArray>("key");
    QTest::addColumn<QByteArray>("note");
    QTest::newRow("plain") << QByteArray("a") << QByteArray("lockboard:note:{medusa_lock:a}");
    QTest::newRow("hash tag") << QByteArray("cart:{7}:x")
                              << QByteArray("lockboard:note:medusa_lock:cart:{7}:x");
    QTest::newRow("open") << QByteArray("a{b") << QByteArray("lockboard:note:{medusa_lock:a{b}");
    QTest::newRow("empty tag") << QByteArray("{}a") << QByteArray();
    QTest::newRow("closed") << QByteArray("a}b") << QByteArray();
    QTest::newRow("closed, then a tag")
        << QByteArray("a}{b}") << QByteArray("lockboard:note:medusa_lock:a}{b}");
    QTest::newRow("bytes") << QByteArray("\xff\xfe\r\n \"'\\") << QByteArray();
}

void RedisNotesTest::keysOfAnyKind()
{
    QFETCH(QByteArray, key);
    QFETCH(QByteArray, note);
    const RedisModule locks(*m_server, on);
    await(locks->acquire(key.toStdString(), AcquireOptions().ownedBy("X").expiringIn(60s)));
    QCOMPARE(cli(u"DBSIZE"_s), u"2"_s);
    QVERIFY(!listed(locks).at(key.toStdString()).note.isEmpty());
    if (!note.isEmpty())
        QCOMPARE(m_server->cli({u"EXISTS"_s, QString::fromUtf8(note)}), u"1"_s);
    // In a cluster one script may touch both.
    const std::string stored = "medusa_lock:" + key.toStdString();
    QCOMPARE(redis::slot::of(redis::Notes::keyFor(stored)), redis::slot::of(stored));
    await(locks->release(key.toStdString(), ReleaseOptions().ownedBy("X")));
    QCOMPARE(cli(u"DBSIZE"_s), u"0"_s);
}

void RedisNotesTest::ownersOfAnyKind()
{
    const RedisModule locks(*m_server, on);
    const std::vector<std::string> owners{"b\xc3\xb6se \xf0\x9f\x94\x92", "\xff\xfe\"\\\n",
                                          "\xef\xbb\xbf"
                                          "bom",
                                          "{\"a\":1}"};
    for (const std::string& owner : owners) {
        await(locks->acquire("a", AcquireOptions().ownedBy(owner).expiringIn(60s)));
        QVERIFY(!listed(locks).at("a").note.isEmpty());
        await(locks->release("a", ReleaseOptions().ownedBy(owner)));
    }
}

void RedisNotesTest::whatIsNoNoteIsNone_data()
{
    QTest::addColumn<QStringList>("command");
    QTest::newRow("no JSON") << QStringList{u"SET"_s, noteOfA, u"{\"owner\":"_s};
    QTest::newRow("no object") << QStringList{u"SET"_s, noteOfA, u"[\"X\"]"_s};
    QTest::newRow("no owner") << QStringList{u"SET"_s, noteOfA, u"{\"host\":\"h\"}"_s};
    QTest::newRow("odd types") << QStringList{u"SET"_s, noteOfA,
                                              u"{\"owner\":\"X\",\"host\":7,\"token\":\"9\"}"_s};
    QTest::newRow("another type") << QStringList{u"HSET"_s, noteOfA, u"owner"_s, u"X"_s};
}

void RedisNotesTest::whatIsNoNoteIsNone()
{
    QFETCH(QStringList, command);
    cli(u"SET medusa_lock:a X"_s);
    m_server->cli(command);
    const RedisModule locks(*m_server, on);
    const Lock lock = listed(locks).at("a");
    QCOMPARE(lock.owner, Owner("X"));
    QVERIFY(lock.note.isEmpty());
    QVERIFY(!lock.token);
    await(locks->acquire("a", AcquireOptions().ownedBy("X")));
    QVERIFY(!listed(locks).at("a").note.isEmpty());
}

void RedisNotesTest::readsNoNotesUnasked()
{
    const RedisModule locks(*m_server, on);
    const RedisModule plain(*m_server);
    await(locks->acquire("a", AcquireOptions().ownedBy("X").expiringIn(60s)));
    QVERIFY(listed(plain).at("a").note.isEmpty());
    // It releases all the same, and the note ends with its lease.
    QVERIFY(await(plain->release("a", ReleaseOptions().ownedBy("X"))).allReleased());
    QVERIFY(pttl(noteOfA) > 0);
    QVERIFY(!listed(locks).contains("a"));
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisNotesTest)
#include "redis_notes_test.moc"
