// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "tests/postgres/watched.h"
#include "tests/support/medusa_session.h"

#include <QCoroTimer>
#include <QFile>
#include <QTemporaryDir>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Advisory locks of Medusa's executes, and the sessions that hold them or wait for them.
class PostgresSessionsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server = std::make_unique<PostgresServer>();
        m_server->createTable();
        m_server->query(u"CREATE ROLE shop LOGIN"_s);
        m_server->query(u"GRANT SELECT, INSERT, UPDATE, DELETE ON locking TO shop"_s);
    }
    void cleanup() { m_server->query(u"DELETE FROM locking"_s); }

    void showsHolderAndWaiter();
    void tellsAges();
    void tellsWhoIsLocal();
    void namesWhatItHasSeen();
    void namesOneOfTwoKeysOfOneHash();
    void listsThemInTheSnapshot();
    void showsRowAndSessionOfOneKey();
    void listsWhatHasLostItsRow();
    void listsNoLockThatWasReleasedMeanwhile();
    void showsNoExecuteTwice_data();
    void showsNoExecuteTwice();
    void showsMedusaBesideAnExecuteOfOurs();
    void saysWhichRightIsMissing();
    void endsASession();
    void cancelsAWait();
    void leavesOthersAlone();
    void needsTheRightToEnd();
    void endsNoneInReadOnlyMode();

private:
    [[nodiscard]] PostgresModule module(const QString& user = u"postgres"_s) const
    {
        return PostgresModule(m_server->url(user));
    }
    std::unique_ptr<PostgresServer> m_server;
};

static const Lock* findLock(const Watcher& watcher, LockState state)
{
    for (const auto& [identity, lock] : watcher.locks) {
        if (lock.state == state)
            return &lock;
    }
    return nullptr;
}

void PostgresSessionsTest::showsHolderAndWaiter()
{
    MedusaSession holder(*m_server);
    MedusaSession waiter(*m_server);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QVERIFY(watcher.locks.empty());
    holder.execute("k");
    QTRY_COMPARE(watcher.ofSessions().size(), 1);
    const Lock held = watcher.ofSessions().first();
    QCOMPARE(held.key, "advisory:" + std::to_string(medusaHash("k")));
    QCOMPARE(held.state, LockState::Advisory);
    const HolderNote::Fields& note = held.note.fields();
    QCOMPARE(note.pid, std::int64_t(holder.pid()));
    QCOMPARE(note.program, std::string("medusa"));
    QCOMPARE(note.host, std::string("127.0.0.1"));
    QCOMPARE(note.user, std::string("postgres"));
    QVERIFY(note.transactionBegan && note.queryBegan && !note.session.empty());
    QTRY_COMPARE(watcher.ofSessions().first().note.fields().activity,
                 std::string("idle in transaction"));
    waiter.waitFor("k");
    QTRY_VERIFY(findLock(watcher, LockState::Waiting));
    const Lock waits = *findLock(watcher, LockState::Waiting);
    QCOMPARE(waits.note.fields().pid, std::int64_t(waiter.pid()));
    QCOMPARE(waits.note.fields().blockedBy, std::vector<std::int64_t>{std::int64_t(holder.pid())});
    QCOMPARE(waits.note.fields().activity, std::string("active"));
    holder.end();
    QTRY_VERIFY(!findLock(watcher, LockState::Waiting));
    QTRY_COMPARE(watcher.ofSessions().size(), 1);
    QCOMPARE(watcher.ofSessions().first().note.fields().pid, std::int64_t(waiter.pid()));
    waiter.end();
    QTRY_VERIFY(watcher.locks.empty());
    QVERIFY(watcher.clean);
}

void PostgresSessionsTest::tellsAges()
{
    MedusaSession holder(*m_server);
    holder.execute("k");
    QTest::qWait(2000);
    holder.sql.query(u"SELECT 1"_s);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.ofSessions().size(), 1);
    const HolderNote::Fields note = watcher.ofSessions().first().note.fields();
    const TimePoint now = std::chrono::steady_clock::now();
    QVERIFY(note.transactionBegan && note.queryBegan);
    const auto transaction = now - *note.transactionBegan;
    QVERIFY2(transaction > 1500ms && transaction < 6s,
             qPrintable(QString::number(transaction / 1ms)));
    const auto between = *note.queryBegan - *note.transactionBegan;
    QVERIFY2(between > 1990ms && between < transaction, qPrintable(QString::number(between / 1ms)));
    // They grow by themselves: that is nothing to tell.
    QTest::qWait(2500);
    QVERIFY(watcher.told.isEmpty());
    QCOMPARE(watcher.ofSessions().first().note.fields(), note);
}

void PostgresSessionsTest::tellsWhoIsLocal()
{
    const QString socket = u"host='%1' port=%2 user=postgres dbname=postgres"_s.arg(
        m_server->socketDir(), QString::number(m_server->port()));
    MedusaSession holder(socket);
    holder.execute("k");
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.ofSessions().size(), 1);
    QCOMPARE(watcher.ofSessions().first().note.fields().host, std::string("local"));
}

void PostgresSessionsTest::namesWhatItHasSeen()
{
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    await(shop->acquire("ключ 😀", AcquireOptions().ownedBy("ann")));
    await(shop->release("ключ 😀", ReleaseOptions().ownedBy("ann")));
    MedusaSession holder(*m_server);
    holder.execute("ключ 😀");
    QTRY_COMPARE(watcher.ofSessions().size(), 1);
    QCOMPARE(watcher.ofSessions().first().key, std::string("ключ 😀"));
    MedusaSession other(*m_server);
    other.execute("later");
    QTRY_COMPARE(watcher.ofSessions().size(), 2);
    m_server->query(u"INSERT INTO locking VALUES ('later', 'ann', NULL)"_s);
    // It is the same lock, under its name now.
    QTRY_VERIFY(std::ranges::any_of(watcher.ofSessions(),
                                    [](const Lock& lock) { return lock.key == "later"; }));
    QCOMPARE(watcher.ofSessions().size(), 2);
    QVERIFY(watcher.clean);
}

//! Which of them it is, the hash does not tell.
void PostgresSessionsTest::namesOneOfTwoKeysOfOneHash()
{
    const std::string one = "prod_955", other = "cart_58810";
    QCOMPARE(medusaHash(one), medusaHash(other));
    m_server->query(u"INSERT INTO locking VALUES ('prod_955', 'ann', NULL), "
                    "('cart_58810', 'ann', NULL)"_s);
    MedusaSession holder(*m_server);
    holder.execute(other);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.ofSessions().size(), 1);
    const std::string shown = watcher.ofSessions().first().key;
    QVERIFY2(shown == one || shown == other, shown.c_str());
    QTest::qWait(2500); // it does not waver
    QVERIFY(watcher.told.isEmpty());
    // What is known still goes before what was.
    m_server->query(u"DELETE FROM locking WHERE id = $1"_s, {QString::fromStdString(shown)});
    const std::string left = shown == one ? other : one;
    QTRY_COMPARE(watcher.ofSessions().first().key, left);
    QCOMPARE(watcher.locks.size(), 2u);
    QVERIFY(watcher.clean);
}

void PostgresSessionsTest::listsThemInTheSnapshot()
{
    MedusaSession holder(*m_server);
    holder.execute("k");
    // Of no Medusa's: of two numbers, above 32 bits, of another database.
    Sql others(m_server->url());
    others.query(u"SELECT pg_advisory_lock(1, 2), pg_advisory_lock(1::bigint << 40)"_s);
    m_server->query(u"INSERT INTO locking VALUES ('k', 'ann', now() - interval '1 hour')"_s);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_COMPARE(watcher.snapshots, 1);
    QCOMPARE(watcher.locks.size(), 2u);
    QCOMPARE(watcher.ofSessions().size(), 1);
    QCOMPARE(watcher.ofSessions().first().key, std::string("k"));
    QCOMPARE(watcher.locks["k"].state, LockState::Residue);
}

void PostgresSessionsTest::showsRowAndSessionOfOneKey()
{
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    await(shop->acquire("k", AcquireOptions().ownedBy("ann")));
    MedusaSession holder(*m_server);
    holder.execute("k"); // Medusa's execute does not mind rows
    QTRY_COMPARE(watcher.ofSessions().size(), 1);
    QCOMPARE(watcher.locks.size(), 2u);
    await(shop->release("k", ReleaseOptions().ownedBy("ann")));
    QTRY_COMPARE(watcher.locks.size(), 1u);
    QCOMPARE(watcher.ofSessions().first().key, std::string("k"));
    QVERIFY(watcher.clean);
}

static Task<> runUntil(const PostgresModule* shop, bool* started, bool* done)
{
    const std::function<Task<>(std::stop_token)> job = [started, done](std::stop_token) -> Task<> {
        *started = true;
        while (!*done)
            co_await QCoro::sleepFor(10ms);
    };
    co_await (*shop)->execute("k", job);
}

//! A look at a list that ends with the first snapshot, as on the command line.
void PostgresSessionsTest::listsWhatHasLostItsRow()
{
    Sql other(m_server->url());
    other.query(u"SET application_name = 'lockboard locks'"_s);
    other.query(u"SELECT pg_advisory_lock(%1)"_s.arg(medusaHash("k")));
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_COMPARE(watcher.snapshots, 1);
    QCOMPARE(watcher.ofSessions().size(), 1);
    QCOMPARE(watcher.ofSessions().first().note.fields().pid, std::int64_t(other.pid()));
    QTest::qWait(2500);
    QVERIFY(watcher.told.isEmpty()); // it stays
    QVERIFY(watcher.clean);
}

void PostgresSessionsTest::listsNoLockThatWasReleasedMeanwhile()
{
    // Locks are looked at before the rows: this one goes while the rows are waited for.
    Sql other(m_server->url());
    other.query(u"SET application_name = 'lockboard locks'"_s);
    other.query(u"SELECT pg_advisory_lock(%1)"_s.arg(medusaHash("k")));
    Sql keeper(m_server->url());
    keeper.query(u"BEGIN; LOCK TABLE locking IN ACCESS EXCLUSIVE MODE"_s);
    const PostgresModule shop = module();
    Watcher watcher(shop);
    QTRY_COMPARE(m_server->value(u"SELECT count(*) FROM pg_stat_activity WHERE "
                                 "application_name = 'lockboard bulk' AND wait_event_type = "
                                 "'Lock'"_s),
                 u"1"_s);
    other.query(u"SELECT pg_advisory_unlock_all()"_s);
    keeper.query(u"COMMIT"_s);
    QTRY_COMPARE(watcher.snapshots, 1);
    QVERIFY(watcher.locks.empty());
    QTest::qWait(1500);
    QVERIFY(watcher.told.isEmpty());
}

void PostgresSessionsTest::showsNoExecuteTwice_data()
{
    QTest::addColumn<QString>("application");
    QTest::newRow("by its own name") << QString();
    QTest::newRow("named otherwise") << u"?application_name=shop"_s;
}

void PostgresSessionsTest::showsNoExecuteTwice()
{
    QFETCH(const QString, application);
    const PostgresModule shop(m_server->url() + application);
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    bool started = false;
    bool done = false;
    const Task<> running = runUntil(&shop, &started, &done);
    QTRY_VERIFY(started);
    QTRY_VERIFY(watcher.locks.contains("k"));
    const PostgresModule other = module();
    Watcher second(other);
    QTRY_VERIFY(second.isLive());
    QCOMPARE(second.locks.size(), 1u);
    QTest::qWait(3000);
    for (const Watcher* const one : {&watcher, &second}) {
        QVERIFY(one->ofSessions().isEmpty());
        QVERIFY(one->told.size() <= 1);
    }
    done = true;
    QTRY_VERIFY(watcher.locks.empty());
    QTRY_VERIFY(second.locks.empty());
}

void PostgresSessionsTest::showsMedusaBesideAnExecuteOfOurs()
{
    const PostgresModule shop = module();
    PostgresJob job(shop, "k");
    QTRY_VERIFY(job.running);
    MedusaSession waiter(*m_server);
    waiter.waitFor("k");
    // Where a Lockboard's lock is only a row, as behind some poolers.
    m_server->query(u"INSERT INTO locking VALUES ('l', 'execute:1', NULL)"_s);
    MedusaSession holder(*m_server);
    holder.execute("l");
    Watcher watcher(shop);
    QTRY_VERIFY(watcher.isLive());
    QTRY_COMPARE(watcher.ofSessions().size(), 2);
    QCOMPARE(findLock(watcher, LockState::Waiting)->key, std::string("k"));
    QCOMPARE(findLock(watcher, LockState::Advisory)->key, std::string("l"));
    QCOMPARE(job.end(), std::string());
    waiter.sql.finish();
}

void PostgresSessionsTest::saysWhichRightIsMissing()
{
    MedusaSession holder(*m_server);
    holder.execute("k");
    const PostgresModule shop = module(u"shop"_s);
    Watcher watcher(shop);
    QTRY_COMPARE(watcher.ofSessions().size(), 1);
    const HolderNote::Fields note = watcher.ofSessions().first().note.fields();
    QCOMPARE(note.pid, std::int64_t(holder.pid()));
    QVERIFY(note.host.empty() && note.activity.empty() && !note.transactionBegan);
    QCOMPARE(note.program, std::string("medusa"));
    QCOMPARE(note.user, std::string("postgres"));
    const auto isSaid = [&watcher] {
        return watcher.state().warnings.join(u' ').contains(u"pg_read_all_stats"_s);
    };
    QTRY_VERIFY(isSaid());
    m_server->query(u"GRANT pg_read_all_stats TO shop"_s);
    QTRY_COMPARE(watcher.ofSessions().first().note.fields().host, std::string("127.0.0.1"));
    QTRY_VERIFY(!isSaid());
    m_server->query(u"REVOKE pg_read_all_stats FROM shop"_s);
    QVERIFY(watcher.clean);
}

void PostgresSessionsTest::endsASession()
{
    QTemporaryDir folder;
    const QString file = folder.filePath(u"audit.jsonl"_s);
    LockingModule::Settings settings;
    settings.audit = std::make_shared<AuditLog>(file, "me@here");
    const PostgresModule shop(m_server->url(), {}, u"postgres"_s, settings);
    MedusaSession holder(*m_server);
    holder.execute("k");
    Watcher watcher(shop);
    await(shop->acquire("k", AcquireOptions().ownedBy("ann")));
    QTRY_COMPARE(watcher.ofSessions().size(), 1);
    const std::string pid = std::to_string(holder.pid());
    const SeenSession listed({watcher.ofSessions().first()});
    SeenSession other = listed;
    other.expectSession("0.0");
    QVERIFY_THROWS_EXCEPTION(InvalidArgument,
                             await(shop->endSession(other, SessionEnd::Terminate)));
    QVERIFY(!holder.isGone());
    const std::string done = await(shop->endSession(listed, SessionEnd::Terminate));
    QCOMPARE(
        QString::fromStdString(done),
        u"Ended the session of process %1 (medusa, 127.0.0.1), which held \"k\". If that was for "
        "a job of Medusa's, it may run on without the lock, and the next one beside it."_s.arg(
            holder.pid()));
    QTRY_VERIFY(watcher.ofSessions().isEmpty());
    QVERIFY(holder.isGone());
    QFile audit(file);
    QVERIFY(audit.open(QIODevice::ReadOnly));
    const QByteArray last = audit.readAll().trimmed().split('\n').last();
    QVERIFY2(last.contains("\"end-session\"") && last.contains(QByteArray::fromStdString(pid))
                 && last.contains("which held") && last.contains("me@here"),
             last.constData());
}

void PostgresSessionsTest::cancelsAWait()
{
    MedusaSession holder(*m_server);
    MedusaSession waiter(*m_server);
    holder.execute("k");
    waiter.waitFor("k");
    const PostgresModule shop = module();
    const std::string done = await(shop->endSession(SeenSession(waiter.pid()), SessionEnd::Cancel));
    QVERIFY2(done.starts_with("Cancelled"), done.c_str());
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, waiter.sql.finish());
    QVERIFY(!waiter.isGone());
    // To cancel what is idle would do nothing.
    QVERIFY_THROWS_EXCEPTION(
        InvalidArgument, await(shop->endSession(SeenSession(holder.pid()), SessionEnd::Cancel)));
}

void PostgresSessionsTest::leavesOthersAlone()
{
    const PostgresModule shop = module();
    Sql innocent(m_server->url());
    innocent.query(u"SELECT pg_advisory_lock(1, 2)"_s);
    for (const std::int64_t pid : {std::int64_t(innocent.pid()), std::int64_t(0), std::int64_t(1),
                                   std::int64_t(-7), std::int64_t(99'999'999'999)}) {
        QVERIFY_THROWS_EXCEPTION(InvalidArgument,
                                 await(shop->endSession(SeenSession(pid), SessionEnd::Terminate)));
    }
    QVERIFY(innocent.isAlive());
    innocent.query(u"SELECT 1"_s);
    QVERIFY_THROWS_EXCEPTION(
        InvalidArgument,
        await(shop->endSession(SeenSession(innocent.pid()), SessionEnd::Terminate, "in-memory")));
    QVERIFY_THROWS_EXCEPTION(InvalidArgument, await(shop->installNotices("in-memory")));
}

void PostgresSessionsTest::needsTheRightToEnd()
{
    MedusaSession holder(*m_server);
    holder.execute("k");
    const PostgresModule shop = module(u"shop"_s);
    QVERIFY_THROWS_EXCEPTION(
        Denied, await(shop->endSession(SeenSession(holder.pid()), SessionEnd::Terminate)));
    QVERIFY(!holder.isGone());
}

void PostgresSessionsTest::endsNoneInReadOnlyMode()
{
    LockingModule::Settings settings;
    settings.readOnly = true;
    const PostgresModule shop(m_server->url(), {}, u"postgres"_s, settings);
    MedusaSession holder(*m_server);
    holder.execute("k");
    QVERIFY_THROWS_EXCEPTION(
        ReadOnly, await(shop->endSession(SeenSession(holder.pid()), SessionEnd::Terminate)));
    QVERIFY_THROWS_EXCEPTION(ReadOnly, await(shop->installNotices()));
    holder.end();
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresSessionsTest)
#include "postgres_sessions_test.moc"
