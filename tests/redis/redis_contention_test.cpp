// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Several processes want one key; each module here stands for one.
class RedisContentionTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<RedisServer>(); }
    void cleanup() { cli(u"FLUSHALL"_s); }

    void takesTurnsWithOtherProcesses();
    void takesOverWhatAKilledHolderLeft();
    void survivesSwapDb();

private:
    QString cli(const QString& command) const { return m_server->cli(command.split(u' ')); }
    //! Connections that hear of changes: they track, or have subscribed.
    [[nodiscard]] int subscribers() const
    {
        return cli(u"CLIENT LIST"_s).count(QRegularExpression(u" flags=[A-Za-z]*[tP]"_s));
    }
    [[nodiscard]] int commands() const
    {
        const QString info = cli(u"INFO stats"_s);
        return info.section(u"total_commands_processed:"_s, 1).section(u'\r', 0, 0).toInt();
    }

    const QString m_slow = u", \"defaultRetryInterval\": 20000, \"maximumRetryInterval\": 20000"_s;
    std::unique_ptr<RedisServer> m_server;
};

class Pause final {
public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const
    {
        QTimer::singleShot(5, Qt::PreciseTimer, qApp, [waiting] { waiting.resume(); });
    }
    void await_resume() const noexcept { }
};

static Task<void> job(std::string* served, char who)
{
    *served += who;
    const Pause pause;
    co_await pause;
}

static Task<> worker(LockingModule* module, std::string* served, char who, int jobs)
{
    for (int i = 0; i < jobs; ++i) {
        const auto body = [served, who] { return job(served, who); };
        co_await module->execute("hot", body, ExecuteOptions().timingOutAfter(30s));
    }
}

void RedisContentionTest::takesTurnsWithOtherProcesses()
{
    constexpr int each = 20;
    const RedisModule a(*m_server, m_slow);
    const RedisModule b(*m_server, m_slow);
    cli(u"SET medusa_lock:hot medusa"_s);
    std::string served;
    std::vector<Task<>> calls;
    for (int i = 0; i < 4; ++i) {
        calls.push_back(worker(a.operator->(), &served, 'a', each));
        calls.push_back(worker(b.operator->(), &served, 'b', each));
    }
    QTRY_COMPARE(subscribers(), 2);
    QTest::qWait(100);
    const int before = commands();
    cli(u"DEL medusa_lock:hot"_s);
    for (Task<>& call : calls)
        await(std::move(call), 30s);
    const double perJob = double(commands() - before) / double(served.size());
    const std::string firstHalf = served.substr(0, served.size() / 2);
    const auto share = std::count(firstHalf.begin(), firstHalf.end(), 'a');
    qInfo("%.2f commands a job; %td of the first %zu went to one process", perJob, share,
          firstHalf.size());
    QCOMPARE(served.size(), std::size_t(8 * each));
    QVERIFY2(share > 4 * each / 4 && share < 4 * each * 3 / 4, served.c_str());
    QVERIFY2(perJob < 8, qPrintable(QString::number(perJob)));
}

static Task<> waitFor(LockingModule* module, std::optional<TimePoint>* granted)
{
    co_await module->acquire("a", AcquireOptions().ownedBy("bob").expiringIn(60s).waiting());
    *granted = std::chrono::steady_clock::now();
}

void RedisContentionTest::takesOverWhatAKilledHolderLeft()
{
    // So many others with a lease that Redis does not come round to telling of this one's end.
    m_server->cli({u"EVAL"_s,
                   u"for i = 1, 200000 do redis.call('SET', 'o' .. i, 1, 'PX', 100000 + i) end"_s,
                   u"0"_s});
    QCOMPARE(cli(u"DBSIZE"_s), u"200000"_s);
    const RedisModule module(*m_server, m_slow);
    const TimePoint set = std::chrono::steady_clock::now();
    cli(u"SET medusa_lock:a killed PX 1500"_s);
    std::optional<TimePoint> granted;
    letRun(waitFor(module.operator->(), &granted));
    QTRY_VERIFY(granted);
    const auto late = *granted - set - 1500ms;
    qInfo("taken over %.1f ms after the lease's end at the earliest", double(late / 1us) / 1000);
    QVERIFY2(late > 0ms && late < 500ms, qPrintable(QString::number(late / 1ms)));
}

void RedisContentionTest::survivesSwapDb()
{
    const RedisModule module(*m_server, m_slow);
    cli(u"SET medusa_lock:a medusa"_s);
    std::optional<TimePoint> granted;
    letRun(waitFor(module.operator->(), &granted));
    QTRY_COMPARE(subscribers(), 1);
    QTest::qWait(100);
    QVERIFY(!granted);
    cli(u"SWAPDB 0 1"_s); // of which nothing is pushed
    QTRY_VERIFY_WITH_TIMEOUT(granted, 3000);
    QCOMPARE(cli(u"GET medusa_lock:a"_s), u"bob"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisContentionTest)
#include "redis_contention_test.moc"
