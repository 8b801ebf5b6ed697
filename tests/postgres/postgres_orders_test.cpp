// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"

#include <QDeadlineTimer>

#include <random>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Many take and give back overlapping keys over connections of their own, in whatever order: the
//! server never has to break a deadlock.
class PostgresOrdersTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanupTestCase() { m_server.reset(); }

    void manyOwnersExclude();
    void oneOwnerEverywhere_data();
    void oneOwnerEverywhere();
    void releaseAllMeetsAcquire_data();
    void releaseAllMeetsAcquire();

private:
    enum class Sweep { None, OfOwner, OfAll };
    Task<void> exclude(PostgresModule* locks, std::string owner, unsigned seed);
    Task<void> inside(LockKeys keys);
    Task<void> meddle(PostgresModule* locks, Sweep sweep, unsigned seed);
    void makeProcesses();

    std::unique_ptr<PostgresServer> m_server;
    std::vector<std::unique_ptr<PostgresModule>> m_processes;
    QDeadlineTimer m_end;
    std::map<std::string, int> m_inside;
    int m_running = 0;
    int m_grants = 0;
    bool m_exclusive = true;
    QStringList m_surprises;
};

void PostgresOrdersTest::initTestCase()
{
    PostgresOptions options;
    options.settings = {u"deadlock_timeout = 20ms"_s}; // what would pass by itself is seen too
    m_server = std::make_unique<PostgresServer>(options);
    m_server->createTable();
}

void PostgresOrdersTest::init()
{
    m_grants = 0;
    m_exclusive = true;
    m_surprises.clear();
}

void PostgresOrdersTest::makeProcesses()
{
    m_processes.clear();
    for (int i = 0; i < 5; ++i)
        m_processes.push_back(std::make_unique<PostgresModule>(*m_server));
    for (const auto& one : m_processes)
        await((*one)->execute("warm", [] {}));
    m_end.setRemainingTime(3000);
}

static LockKeys someOf(std::mt19937& random)
{
    std::vector<std::string> keys;
    while (keys.empty()) {
        for (char key = 'a'; key <= 'h'; ++key) {
            if (random() % 3 == 0)
                keys.emplace_back(1, key);
        }
    }
    return LockKeys(std::move(keys));
}

Task<void> PostgresOrdersTest::inside(LockKeys keys)
{
    ++m_grants;
    for (const std::string& key : keys)
        m_exclusive = ++m_inside[key] == 1 && m_exclusive;
    co_await ResumeOn(this); // the others have their turn
    for (const std::string& key : keys)
        --m_inside[key];
}

Task<void> PostgresOrdersTest::exclude(PostgresModule* locks, std::string owner, unsigned seed)
{
    ++m_running;
    std::mt19937 random(seed);
    ReleaseOptions own;
    own.ownedBy(owner);
    ReleaseAllOptions allOwn;
    allOwn.ownedBy(owner);
    while (!m_end.hasExpired()) {
        const LockKeys keys = someOf(random);
        const auto job = [this, keys] { return inside(keys); };
        AcquireOptions options;
        options.ownedBy(owner).expiringIn(60s);
        if (random() % 3 != 0)
            options.waiting(20s);
        try {
            if (random() % 4 == 0) {
                co_await (*locks)->execute(keys, job);
                continue;
            }
            co_await (*locks)->acquire(keys, options);
            co_await inside(keys);
            if (random() % 3 == 0)
                co_await (*locks)->releaseAll(allOwn);
            else
                co_await (*locks)->release(keys, own);
        } catch (const Conflict&) {
            // nothing is held
        } catch (const LockError& error) {
            m_surprises += QString::fromStdString(error.message());
        }
    }
    --m_running;
}

void PostgresOrdersTest::manyOwnersExclude()
{
    makeProcesses();
    unsigned seed = 0;
    for (const auto& one : m_processes) {
        for (int i = 0; i < 2; ++i, ++seed)
            letRun(exclude(one.get(), "owner" + std::to_string(seed), seed));
    }
    QTRY_COMPARE_WITH_TIMEOUT(m_running, 0, 30'000);
    QVERIFY2(m_surprises.isEmpty(), qPrintable(m_surprises.join(u'\n')));
    QVERIFY(m_exclusive);
    QVERIFY2(m_grants > 50, qPrintable(QString::number(m_grants)));
    QCOMPARE(m_server->log().count(u"deadlock detected"_s), 0);
    QCOMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), u"0"_s);
}

Task<void> PostgresOrdersTest::meddle(PostgresModule* locks, Sweep sweep, unsigned seed)
{
    ++m_running;
    std::mt19937 random(seed);
    AcquireOptions options;
    options.ownedBy("everybody").expiringIn(60s);
    ReleaseOptions own;
    own.ownedBy("everybody");
    ReleaseAllOptions allOwn;
    allOwn.ownedBy("everybody");
    while (!m_end.hasExpired()) {
        const LockKeys keys = someOf(random);
        try {
            const unsigned choice = random() % 8;
            if (choice == 0 && sweep == Sweep::OfOwner) {
                co_await (*locks)->releaseAll(allOwn);
            } else if (choice == 0 && sweep == Sweep::OfAll) {
                co_await (*locks)->releaseAll();
            } else if (choice < 4) {
                co_await (*locks)->release(keys, own);
            } else {
                co_await (*locks)->acquire(keys, options);
                ++m_grants;
            }
        } catch (const Conflict&) {
            // nothing is held
        } catch (const LockError& error) {
            m_surprises += QString::fromStdString(error.message());
        }
    }
    --m_running;
}

void PostgresOrdersTest::oneOwnerEverywhere_data()
{
    QTest::addColumn<int>("sweep");
    QTest::newRow("key by key") << int(Sweep::None);
    QTest::newRow("with releaseAll of an owner") << int(Sweep::OfOwner);
    QTest::newRow("with releaseAll") << int(Sweep::OfAll);
}

void PostgresOrdersTest::oneOwnerEverywhere()
{
    QFETCH(const int, sweep);
    const qsizetype before = m_server->log().count(u"deadlock detected"_s);
    makeProcesses();
    unsigned seed = 100;
    for (const auto& one : m_processes) {
        for (int i = 0; i < 2; ++i)
            letRun(meddle(one.get(), Sweep(sweep), seed++));
    }
    QTRY_COMPARE_WITH_TIMEOUT(m_running, 0, 30'000);
    m_surprises.removeDuplicates();
    QCOMPARE(m_server->log().count(u"deadlock detected"_s), before);
    QVERIFY2(m_surprises.isEmpty(), qPrintable(m_surprises.join(u'\n')));
    QVERIFY2(m_grants > 50, qPrintable(QString::number(m_grants)));
    await((*m_processes.front())->releaseAll());
    QCOMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), u"0"_s);
    m_processes.clear();
}

void PostgresOrdersTest::releaseAllMeetsAcquire_data()
{
    QTest::addColumn<bool>("ofOwner");
    QTest::newRow("of an owner") << true;
    QTest::newRow("of all") << false;
}

void PostgresOrdersTest::releaseAllMeetsAcquire()
{
    QFETCH(const bool, ofOwner);
    const qsizetype before = m_server->log().count(u"deadlock detected"_s);
    m_server->query(u"TRUNCATE locking; INSERT INTO locking VALUES ('b', 'me'), ('m', 'me'), "
                    "('a', 'me')"_s); // where they lie, b is before a
    const PostgresModule one(*m_server), two(*m_server);
    Sql other(m_server->url());
    other.query(u"BEGIN; SELECT FROM locking WHERE id = 'm' FOR UPDATE"_s);
    ReleaseAllOptions options;
    if (ofOwner)
        options.ownedBy("me");
    Task<ReleaseAllResult> releasing = one->releaseAll(options);
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    const AcquireOptions mine = AcquireOptions().ownedBy("me");
    Task<Grant> grant = two->acquire(LockKeys("a", "b"), mine);
    QVERIFY(await(std::move(grant)).token()); // nothing is kept while it waits
    other.query(u"COMMIT"_s);
    QVERIFY(await(std::move(releasing)).released >= 3);
    QCOMPARE(m_server->log().count(u"deadlock detected"_s), before);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresOrdersTest)
#include "postgres_orders_test.moc"
