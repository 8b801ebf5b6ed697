// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "engine/postgres/view/rows.h"

#include <QTest>

#include <random>
#include <set>

using namespace std::chrono_literals;

namespace lockboard::test {

class PostgresRowsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsLikeASet();
    void keepsRowsOfOneHashApart();
    void tellsWhatIsDue();
};

void PostgresRowsTest::findsLikeASet()
{
    postgres::Rows rows;
    std::set<std::string> truth;
    std::mt19937 random(7);
    for (int round = 0; round < 200'000; ++round) {
        const std::string key = "prod_" + std::to_string(random() % 5000);
        // Few hashes, so that many keys have one.
        const std::uint32_t hash = medusaHash(key) % 3000;
        const postgres::Rows::Id id = rows.find(key, hash);
        QCOMPARE(id != postgres::Rows::none, truth.contains(key));
        if (id == postgres::Rows::none) {
            rows.insert(key, hash);
            truth.insert(key);
        } else {
            QCOMPARE(rows[id].key, key);
            rows.remove(id);
            truth.erase(key);
        }
        QCOMPARE(rows.size(), truth.size());
    }
    QVERIFY(rows.slots() <= 5000); // ids serve again
}

void PostgresRowsTest::keepsRowsOfOneHashApart()
{
    postgres::Rows rows;
    std::set<postgres::Rows::Id> ids;
    for (int i = 0; i < 100; ++i) {
        ids.insert(rows.insert("same" + std::to_string(i), 42));
        rows.insert("other" + std::to_string(i), static_cast<std::uint32_t>(i) + 100);
    }
    std::set<postgres::Rows::Id> found;
    for (postgres::Rows::Id id = rows.firstOf(42); id != postgres::Rows::none; id = rows.nextOf(id))
        QVERIFY(found.insert(id).second);
    QCOMPARE(found, ids);
    QCOMPARE(rows.firstOf(7), postgres::Rows::none);
}

void PostgresRowsTest::tellsWhatIsDue()
{
    postgres::Rows rows;
    const TimePoint start(1h);
    QVERIFY(!rows.nextDue());
    for (int i = 0; i < 10; ++i)
        rows.setDue(rows.insert("k" + std::to_string(i), 1), start + i * 1s);
    rows.setDue(rows.find("k0", 1), start + 5s); // renewed
    rows.setDue(rows.find("k1", 1), {});
    rows.remove(rows.find("k2", 1));
    QVERIFY(rows.takeDue(start + 2s, 100).empty());
    QVERIFY(rows.nextDue() > start + 2s && rows.nextDue() < start + 4s);
    QCOMPARE(rows.takeDue(start + 4s + 40ms, 1).size(), 1u);
    QCOMPARE(rows.takeDue(start + 4s + 40ms, 100).size(), 1u);
    QCOMPARE(rows.takeDue(start + 60s, 100).size(), 6u);
    QVERIFY(!rows.nextDue());
}

} // namespace lockboard::test

QTEST_APPLESS_MAIN(lockboard::test::PostgresRowsTest)
#include "postgres_rows_test.moc"
