// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "tests/postgres/postgres_fixture.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Of many who fight for the same keys over connections of their own, exactly one holds each at a
//! time, and has a higher token than all before.
class PostgresTokensTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server = std::make_unique<PostgresServer>();
        m_server->createTable();
    }
    void cleanupTestCase() { m_server.reset(); }

    void hashIsMedusas();
    void growAcrossProcesses();
    void overlappingAcquiresGrantOne();

private:
    Task<void> fight(PostgresModule* locks, int rounds);

    std::unique_ptr<PostgresServer> m_server;
    std::map<std::string, FencingToken> m_last;
    std::map<std::string, int> m_inside;
    int m_done = 0;
    int m_grants = 0;
    bool m_ordered = true;
    bool m_exclusive = true;
};

void PostgresTokensTest::hashIsMedusas()
{
    // Of its hashStringToInt, by Node.
    QCOMPARE(medusaHash(""), 5381U);
    QCOMPARE(medusaHash("cart_1"), 3828828399U);
    QCOMPARE(medusaHash("\xf0\x9f\x94\x92\xc3\xa9"), 193537955U);
}

Task<void> PostgresTokensTest::fight(PostgresModule* locks, int rounds)
{
    for (int i = 0; i < rounds; ++i) {
        const LockKeys keys = i % 3 == 0 ? LockKeys("a", "b") : LockKeys(i % 2 == 0 ? "a" : "b");
        AcquireOptions options;
        options.expiringIn(30s).waiting(20s);
        const Grant grant = co_await (*locks)->acquire(keys, options);
        ++m_grants;
        for (const std::string& key : keys) {
            m_exclusive = m_exclusive && ++m_inside[key] == 1;
            m_ordered = m_ordered && *grant.token() > m_last[key];
            m_last[key] = *grant.token();
        }
        co_await ResumeOn(this);
        for (const std::string& key : keys)
            --m_inside[key];
        co_await (*locks)->release(keys);
    }
    ++m_done;
}

void PostgresTokensTest::growAcrossProcesses()
{
    std::vector<std::unique_ptr<PostgresModule>> processes;
    for (int i = 0; i < 6; ++i)
        processes.push_back(std::make_unique<PostgresModule>(*m_server));
    for (const auto& one : processes)
        letRun(fight(one.get(), 40));
    QTRY_COMPARE_WITH_TIMEOUT(m_done, 6, 60'000);
    QCOMPARE(m_grants, 240);
    QVERIFY(m_exclusive);
    QVERIFY(m_ordered);
    QCOMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), u"0"_s);
}

static Task<void> tryOnce(PostgresModule* locks, int* granted, int* refused)
{
    try {
        AcquireOptions options;
        options.expiringIn(10s).exclusively();
        co_await (*locks)->acquire("one", options);
        ++*granted;
    } catch (const Conflict&) {
        ++*refused;
    }
}

void PostgresTokensTest::overlappingAcquiresGrantOne()
{
    std::vector<std::unique_ptr<PostgresModule>> processes;
    for (int i = 0; i < 6; ++i)
        processes.push_back(std::make_unique<PostgresModule>(*m_server));
    for (const auto& one : processes)
        await((*one)->release("warm"));
    for (int round = 0; round < 50; ++round) {
        int granted = 0, refused = 0;
        for (const auto& one : processes)
            letRun(tryOnce(one.get(), &granted, &refused));
        QTRY_COMPARE(granted + refused, 6);
        QCOMPARE(granted, 1);
        await((*processes.front())->release("one"));
    }
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresTokensTest)
#include "postgres_tokens_test.moc"
