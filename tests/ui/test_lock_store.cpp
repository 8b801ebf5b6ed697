// SPDX-License-Identifier: MIT
#include "ui/locks/lock_store.h"

#include <QTest>

#include <map>
#include <random>

using namespace lockboard;

class TestLockStore final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sessionsAreNotTheirKeysRow()
    {
        LockStore store;
        const auto session = [](std::int64_t pid, LockState state) {
            Lock lock("k", {}, {}, state);
            lock.note.edit().pid = pid;
            return lock;
        };
        const Lock holder = session(1, LockState::Advisory);
        const Lock waiter = session(2, LockState::Waiting);
        for (const Lock& lock : {Lock("k", "ann"), holder, waiter})
            QCOMPARE(store.upsert(lock, 1), LockStore::Effect::Added);
        QCOMPARE(store.upsert(holder, 1), LockStore::Effect::Nothing);
        QCOMPARE(store.size(), 3u);
        QVERIFY(store.remove(waiter));
        QVERIFY(!store.remove(waiter));
        QVERIFY(store.remove("k"));
        QVERIFY(store.remove(holder));
        QCOMPARE(store.size(), 0u);
    }

    void countsOwnersLikeAMap()
    {
        LockStore store;
        std::map<std::string, Owner> truth;
        std::mt19937 random(7);
        for (int i = 0; i < 20'000; ++i) {
            const std::string key = "k" + std::to_string(random() % 700);
            if (random() % 3 == 0) {
                QCOMPARE(store.remove(key), truth.erase(key) == 1);
                if (random() % 5 == 0)
                    store.reclaim();
            } else {
                const Owner owner =
                    random() % 4 == 0 ? Owner() : Owner("o" + std::to_string(random() % 90));
                store.upsert(Lock(key, owner), 1);
                truth[key] = owner;
            }
        }
        QCOMPARE(store.size(), truth.size());
        std::map<Owner, std::uint64_t> counts;
        for (const auto& [key, owner] : truth)
            ++counts[owner];
        for (const auto& [owner, count] : counts)
            QCOMPARE(store.countOf(owner), count);
        QCOMPARE(store.countOf("nobody"), 0U);
        // Ids serve again: churn must not make the store grow.
        QVERIFY(store.slots() < 1500);
        QVERIFY(store.ownerSlots() <= 91);
    }

    void copiesStandStill()
    {
        LockStore store;
        store.upsert(Lock("a", "ann"), 1);
        const LockTable before = store.table();
        store.upsert(Lock("a", "bob"), 1);
        store.remove("a");
        store.reclaim();
        store.upsert(Lock("b", "cy"), 1);
        QCOMPARE(before.rows[0].key, std::string("a"));
        QVERIFY(before.rows[0].alive);
        QCOMPARE(before.owners[before.rows[0].owner], std::string("ann"));
        QCOMPARE(store.row(0).key, std::string("b"));
    }

    void saysWhatChanged()
    {
        LockStore store;
        const Lock lock("a", "ann", TimePoint(std::chrono::seconds(5)));
        QCOMPARE(store.upsert(lock, 1), LockStore::Effect::Added);
        QCOMPARE(store.upsert(lock, 1), LockStore::Effect::Nothing);
        QCOMPARE(store.upsert(Lock("a", "ann"), 1), LockStore::Effect::Touched);
        QCOMPARE(store.upsert(Lock("a", {}), 1), LockStore::Effect::Touched);
        QCOMPARE(store.countOf("ann"), 0U);
    }
};

QTEST_APPLESS_MAIN(TestLockStore)
#include "test_lock_store.moc"
