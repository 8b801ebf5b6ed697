// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"

#include <QDeadlineTimer>
#include <QTcpServer>
#include <QTcpSocket>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! A server that hangs up on everyone is not called again and again.
class PostgresBackoffTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();

    void attemptsGrowRare();
    void callsShareAttempts();

private:
    Task<void> insist(const PostgresModule* locks, int i, int* failures);
    //! One socket for each attempt: libpq would try again without encryption.
    [[nodiscard]] QString url() const
    {
        return u"postgres://u@127.0.0.1:%1/d?gssencmode=disable&sslmode=disable"_s.arg(
            m_listener->serverPort());
    }

    std::unique_ptr<QTcpServer> m_listener;
    std::vector<TimePoint> m_attempts;
    QDeadlineTimer m_end;
};

void PostgresBackoffTest::init()
{
    m_attempts.clear();
    m_listener = std::make_unique<QTcpServer>();
    QVERIFY(m_listener->listen(QHostAddress::LocalHost));
    connect(m_listener.get(), &QTcpServer::newConnection, this, [this] {
        while (QTcpSocket* const client = m_listener->nextPendingConnection()) {
            m_attempts.push_back(std::chrono::steady_clock::now());
            client->abort();
            client->deleteLater();
        }
    });
}

void PostgresBackoffTest::attemptsGrowRare()
{
    const PostgresModule locks(url());
    // After 50 ms, and twice as long each time, give or take a quarter.
    QTest::qWait(4000);
    const auto attempts = m_attempts.size();
    QVERIFY2(attempts >= 5 && attempts <= 9, qPrintable(QString::number(attempts)));
    for (std::size_t i = 3; i < attempts; ++i) {
        const auto gap = m_attempts[i] - m_attempts[i - 1];
        const auto before = m_attempts[i - 2] - m_attempts[i - 3];
        QVERIFY2(gap > before, qPrintable(u"%1 ms, then %2 ms"_s.arg(before / 1ms).arg(gap / 1ms)));
    }
    QVERIFY(m_attempts.back() - *(m_attempts.end() - 2) > 500ms);
    // That nothing has changed is not said anew each time.
    QCOMPARE(std::count(locks.log.begin(), locks.log.end(), '\n'), 1);
}

Task<void> PostgresBackoffTest::insist(const PostgresModule* locks, int i, int* failures)
{
    while (!m_end.hasExpired()) {
        try {
            co_await (*locks)->acquire("k" + std::to_string(i));
        } catch (const Unavailable&) {
            ++*failures;
        }
    }
}

void PostgresBackoffTest::callsShareAttempts()
{
    const PostgresModule locks(url());
    QTRY_VERIFY(m_attempts.size() >= 4); // the next would be long in coming
    const auto before = m_attempts.size();
    const TimePoint start = std::chrono::steady_clock::now();
    m_end.setRemainingTime(1000);
    int failures = 0;
    std::vector<Task<void>> all;
    for (int i = 0; i < 200; ++i)
        all.push_back(insist(&locks, i, &failures));
    QTRY_VERIFY(std::all_of(all.begin(), all.end(), [](const auto& one) { return one.isReady(); }));
    const auto attempts = static_cast<qint64>(m_attempts.size() - before);
    const qint64 ms = (std::chrono::steady_clock::now() - start) / 1ms;
    QVERIFY2(attempts >= 2, qPrintable(QString::number(attempts))); // a call hastens the next
    QVERIFY2(attempts <= ms / 50 + 2, qPrintable(u"%1 in %2 ms"_s.arg(attempts).arg(ms)));
    QVERIFY(failures >= 200 * (attempts - 1)); // and each of them tells all that wait for it
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresBackoffTest)
#include "postgres_backoff_test.moc"
