// SPDX-License-Identifier: MIT
#include "tests/interop/execute_cases.h"
#include "tests/interop/redis_store.h"

namespace lockboard::test {

class InteropRedisExecuteTest final : public InteropExecuteTest {
    Q_OBJECT

public:
    InteropRedisExecuteTest()
        : InteropExecuteTest(std::make_unique<RedisStore>())
    {
    }

private Q_SLOTS:
    void medusasExecuteExcludesOurAcquire();
    void ourAcquireExcludesMedusasExecute();
    void weTakeALockFromMedusasJob();
};

void InteropRedisExecuteTest::medusasExecuteExcludesOurAcquire()
{
    const int theirs = beginJob({u"a"_s}, 500);
    const auto conflict = thrownBy<Conflict>(ours().acquire("a", AcquireOptions().ownedBy("ann")));
    QVERIFY(conflict.holder()->starts_with("execute:"));
    await(ours().acquire("a", AcquireOptions().ownedBy("ann").waiting(5s)));
    store().leaveTrail(u"ann"_s);
    m_medusa.finish(theirs); // whose release spares what is ours
    QCOMPARE(trail(), (QStringList{u"medusa in"_s, u"medusa out"_s, u"ann"_s}));
    QCOMPARE(owner(u"a"_s), u"ann"_s);
}

void InteropRedisExecuteTest::ourAcquireExcludesMedusasExecute()
{
    await(ours().acquire("c"));
    QCOMPARE(refusal(u"execute"_s, jobOf({u"c"_s}, 1, {{u"timeout"_s, 1}})),
             u"Timed-out acquiring lock."_s);
    QCOMPARE(keys(), QStringList{u"c"_s});
    QVERIFY(owner(u"c"_s).isNull());
    QVERIFY(trail().isEmpty());
}

void InteropRedisExecuteTest::weTakeALockFromMedusasJob()
{
    const int theirs = beginJob({u"a"_s}, 20'000, {{u"expire"_s, 1}});
    QTest::qWait(1200); // it lives on renewals
    ReleaseOptions holder;
    holder.ownedBy(owner(u"a"_s).toStdString());
    QVERIFY(holder.owner()->starts_with("execute:"));
    QVERIFY(await(ours().release("a", holder)).allReleased());
    await(ours().acquire("a", AcquireOptions().ownedBy("ann")));
    const QString complaint = m_medusa.refusal(theirs);
    QVERIFY2(complaint.startsWith(u"Lost the lock for key(s) \"a\""), qPrintable(complaint));
    QVERIFY(m_medusa.hasSaid(theirs, u"aborted"_s));
    QCOMPARE(owner(u"a"_s), u"ann"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::InteropRedisExecuteTest)
#include "tst_interop_execute.moc"
