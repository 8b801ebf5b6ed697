// SPDX-License-Identifier: MIT
#include "tests/postgres/watched.h"

#include <QTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! A monotonic clock, which stands still while the machine is asleep.
class SleepyClock final : public Clock {
public:
    SleepyClock()
    {
        m_timer.setSingleShot(true);
        connect(&m_timer, &QTimer::timeout, this, [this] { fireDue(); });
    }
    [[nodiscard]] TimePoint now() const override
    {
        return m_asleepSince.value_or(std::chrono::steady_clock::now() - m_slept);
    }
    void sleep(std::chrono::milliseconds time)
    {
        m_asleepSince = now();
        QTest::qWait(static_cast<int>(time.count()));
        m_slept = std::chrono::steady_clock::now() - *m_asleepSince;
        m_asleepSince.reset();
    }

protected:
    void arm(std::optional<TimePoint> next) override
    {
        if (next)
            m_timer.start(std::max<Duration>(std::chrono::ceil<Duration>(*next - now()), 0ms));
    }

private:
    QTimer m_timer;
    std::optional<TimePoint> m_asleepSince;
    TimePoint::duration m_slept{0};
};

//! The list after this machine was asleep: leases went on meanwhile.
class PostgresSuspendTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<PostgresServer>();
        m_server->createTable();
        m_clock = std::make_unique<SleepyClock>();
        m_module = std::make_unique<LockingModule>(PostgresModule::configOf(m_server->url()),
                                                   Container(*m_clock, [](auto...) {}));
    }
    void cleanup()
    {
        m_module.reset();
        m_clock.reset();
    }

    void showsWhatIsLeft_data();
    void showsWhatIsLeft();

private:
    std::unique_ptr<PostgresServer> m_server;
    std::unique_ptr<SleepyClock> m_clock;
    std::unique_ptr<LockingModule> m_module;
};

void PostgresSuspendTest::showsWhatIsLeft_data()
{
    QTest::addColumn<bool>("hasTrigger");
    QTest::newRow("polling") << false;
    QTest::newRow("push") << true;
}

void PostgresSuspendTest::showsWhatIsLeft()
{
    QFETCH(const bool, hasTrigger);
    if (hasTrigger)
        await(m_module->installNotices());
    m_server->query(u"INSERT INTO locking VALUES ('k', 'o', now() + interval '1 minute'), "
                    "('for ever', 'o', NULL), ('long', 'o', '294276-01-01')"_s);
    Watcher watcher(*m_module);
    QTRY_VERIFY(watcher.isLive());
    QCOMPARE(watcher.state().mode, hasTrigger ? u"push (trigger)"_s : u"polling"_s);
    m_clock->sleep(3s);
    QTRY_COMPARE_WITH_TIMEOUT(watcher.kinds("k"), QByteArray("e"), 10'000);
    const QString left =
        m_server->value(u"SELECT extract(epoch FROM expiration - clock_timestamp()) FROM locking "
                        "WHERE id = 'k'"_s);
    const std::chrono::duration<double> shown = *watcher.locks["k"].leaseEnd - m_clock->now();
    QVERIFY2(std::abs(shown.count() - left.toDouble()) < 0.5, qPrintable(left));
    QTest::qWait(2500); // that was all
    QCOMPARE(watcher.kinds("k"), QByteArray("e"));
    QCOMPARE(watcher.told.size(), 1);
    QVERIFY(watcher.clean);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresSuspendTest)
#include "postgres_suspend_test.moc"
