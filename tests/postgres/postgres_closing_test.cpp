// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"

#include <QElapsedTimer>
#include <QThread>

#include <dlfcn.h>
#include <libpq-fe.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

static int defaultsAsked = 0;

//! libpq's, counted.
extern "C" PQconninfoOption* PQconndefaults()
{
    using Function = PQconninfoOption* (*)();
    static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "PQconndefaults"));
    ++defaultsAsked;
    return real();
}

namespace lockboard::test {

//! The provider goes while calls are under way.
class PostgresClosingTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server = std::make_unique<PostgresServer>();
        m_server->createTable();
    }
    void cleanup()
    {
        m_server->resume();
        m_server->query(u"DELETE FROM locking"_s);
    }
    void cleanupTestCase() { m_server.reset(); }

    void whatWasSentIsInDoubt();
    void whatWasNotSentIsCancelled();
    void whatWasAnsweredStands();
    void defaultsAreAskedForOnce();

private:
    enum class End : std::uint8_t { Running, Done, Cancelled, Unknown, Other };
    static Task<void> acquire(const PostgresModule* locks, End* end)
    {
        try {
            co_await (*locks)->acquire("k", AcquireOptions().ownedBy("me").expiringIn(30s));
            *end = End::Done;
        } catch (const OutcomeUnknown&) {
            *end = End::Unknown;
        } catch (const Cancelled&) {
            *end = End::Cancelled;
        } catch (const LockError&) {
            *end = End::Other;
        }
    }
    static Task<void> release(const PostgresModule* locks, ReleaseOutcome* outcome, End* end)
    {
        try {
            const ReleaseResult result =
                co_await (*locks)->release("r", ReleaseOptions().ownedBy("me"));
            *outcome = result.of("r").outcome;
            *end = End::Done;
        } catch (const OutcomeUnknown&) {
            *end = End::Unknown;
        } catch (const LockError&) {
            *end = End::Other;
        }
    }

    std::unique_ptr<PostgresServer> m_server;
};

void PostgresClosingTest::whatWasSentIsInDoubt()
{
    PostgresModule locks(*m_server);
    await(locks->acquire("r", AcquireOptions().ownedBy("me")));
    m_server->pause();
    End acquired = End::Running, released = End::Running;
    ReleaseOutcome outcome = ReleaseOutcome::Released;
    letRun(acquire(&locks, &acquired));
    letRun(release(&locks, &outcome, &released));
    QTest::qWait(100);
    QVERIFY(acquired == End::Running && released == End::Running);
    locks.destroy();
    QTRY_VERIFY(acquired != End::Running && released != End::Running);
    QVERIFY(acquired == End::Unknown);
    QVERIFY(released == End::Unknown || outcome == ReleaseOutcome::Unknown);
}

void PostgresClosingTest::whatWasNotSentIsCancelled()
{
    m_server->pause();
    PostgresModule locks(*m_server);
    End acquired = End::Running;
    letRun(acquire(&locks, &acquired));
    QTest::qWait(100);
    locks.destroy();
    QTRY_VERIFY(acquired != End::Running);
    QVERIFY(acquired == End::Cancelled);
}

//! The answer is here, and only not read yet.
void PostgresClosingTest::whatWasAnsweredStands()
{
    PostgresModule locks(*m_server);
    await(locks->acquire("r", AcquireOptions().ownedBy("me")));
    End released = End::Running;
    ReleaseOutcome outcome = ReleaseOutcome::Unknown;
    letRun(release(&locks, &outcome, &released));
    QElapsedTimer waited;
    waited.start();
    while (m_server->value(u"SELECT count(*) FROM locking"_s) != u"0"_s)
        QVERIFY2(waited.elapsed() < 10'000, "it was not sent");
    QThread::msleep(100);
    QVERIFY(released == End::Running);
    locks.destroy();
    QTRY_VERIFY(released != End::Running);
    QVERIFY(released == End::Done);
    QCOMPARE(outcome, ReleaseOutcome::Released);
}

//! Reading them costs files; a wordy provider asks for nothing anew.
void PostgresClosingTest::defaultsAreAskedForOnce()
{
    defaultsAsked = 0;
    const PostgresModule locks(u"postgres://me@127.0.0.1:1/none"_s);
    const int begun = defaultsAsked;
    QVERIFY(begun <= 2); // once to read the URL
    for (int i = 0; i < 5; ++i)
        thrownBy<Unavailable>(locks->acquire("k"));
    QCOMPARE(defaultsAsked, begun);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresClosingTest)
#include "postgres_closing_test.moc"
