// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "tests/interop/execute_cases.h"
#include "tests/interop/postgres_store.h"

namespace lockboard::test {

//! By Medusa's advisory locks.
class InteropPostgresExecuteTest final : public InteropExecuteTest {
    Q_OBJECT

public:
    InteropPostgresExecuteTest()
        : InteropExecuteTest(std::make_unique<PostgresStore>())
    {
    }

private Q_SLOTS:
    void medusasExecuteIsNothingToAcquire();
    void showsWhoHoldsAndWhoWaits();

private:
    [[nodiscard]] PostgresServer& server() const
    {
        return static_cast<PostgresStore&>(store()).server;
    }
};

//! Neither to Medusa's own: acquire looks at the table only, and Medusa's execute leaves no row.
void InteropPostgresExecuteTest::medusasExecuteIsNothingToAcquire()
{
    const int theirs = beginJob({u"a"_s, u"b"_s}, 500);
    QVERIFY(keys().isEmpty());
    QCOMPARE(refusal(u"acquire"_s, call({u"a"_s}, u"ann"_s)), QString());
    await(ours().acquire("b", AcquireOptions().ownedBy("ann")));
    QVERIFY(!m_medusa.isDone(theirs));
    m_medusa.finish(theirs);
}

//! Medusa's sessions as a Lockboard sees them that has nothing to do with either.
void InteropPostgresExecuteTest::showsWhoHoldsAndWhoWaits()
{
    const PostgresModule console(server());
    Watcher watcher(console);
    QTRY_VERIFY(watcher.isLive());
    QVERIFY(watcher.locks.empty());
    std::stop_source stop;
    const auto hold = [this, token = stop.get_token()] { return holdUntil(token); };
    Task<> running = ours().execute("ours", hold);
    QTRY_COMPARE(trail().size(), 1);
    const int holding = beginJob({u"theirs"_s}, 60'000);
    const int waiting = m_medusa.begin(u"execute"_s, jobOf({u"theirs"_s}, 1));
    const int behindUs = m_medusa.begin(u"execute"_s, jobOf({u"ours"_s}, 1));

    const auto session = [&](const std::string& key, LockState state) {
        const QList<Lock> shown = watcher.ofSessions();
        const auto found = std::ranges::find_if(
            shown, [&](const Lock& lock) { return lock.key == key && lock.state == state; });
        return found == shown.end() ? HolderNote::Fields() : found->note.fields();
    };
    // Ours is its row, which gives a name to what waits behind it.
    QTRY_VERIFY_WITH_TIMEOUT(watcher.locks.size() == 4 && watcher.locks.contains("ours")
                                 && session("ours", LockState::Waiting).pid != 0,
                             20'000);
    QVERIFY(watcher.locks["ours"].owner->starts_with("execute:"));
    const std::string theirs = "advisory:" + std::to_string(medusaHash("theirs"));
    const HolderNote::Fields holder = session(theirs, LockState::Advisory);
    const HolderNote::Fields waiter = session(theirs, LockState::Waiting);
    const HolderNote::Fields second = session("ours", LockState::Waiting);
    const auto pid = [this](const char* key, bool granted) {
        return server()
            .value(u"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND "
                   "objid = %1 AND granted = %2"_s.arg(medusaHash(key))
                       .arg(granted ? u"true"_s : u"false"_s))
            .toLongLong();
    };
    QCOMPARE(server().advisoryLocks(), 2);
    QCOMPARE(holder.pid, pid("theirs", true));
    QCOMPARE(waiter.pid, pid("theirs", false));
    QCOMPARE(second.pid, pid("ours", false));
    for (const HolderNote::Fields& one : {holder, waiter, second}) {
        QCOMPARE(one.host, std::string("127.0.0.1"));
        QCOMPARE(one.user, std::string("postgres"));
        QVERIFY(one.transactionBegan && one.queryBegan && !one.session.empty());
    }
    QCOMPARE(waiter.activity, std::string("active"));
    QCOMPARE(waiter.blockedBy, std::vector{holder.pid});
    QCOMPARE(second.blockedBy, std::vector<std::int64_t>{pid("ours", true)});
    QVERIFY(holder.blockedBy.empty());

    m_medusa.run(u"end"_s, {{u"job"_s, holding}});
    QCOMPARE(m_medusa.finish(holding), QJsonValue(u"held"_s));
    QCOMPARE(m_medusa.finish(waiting), QJsonValue(u"held"_s));
    stop.request_stop();
    await(std::move(running));
    QCOMPARE(m_medusa.finish(behindUs), QJsonValue(u"held"_s));
    QTRY_VERIFY_WITH_TIMEOUT(watcher.locks.empty(), 20'000);
    QVERIFY(watcher.clean);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::InteropPostgresExecuteTest)
#include "tst_interop_postgres_execute.moc"
