// SPDX-License-Identifier: MIT
#include "tests/postgres/far_server.h"
#include "tests/postgres/watched.h"

#include <QElapsedTimer>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! The list of a server that is far away.
class PostgresFarViewTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server = std::make_unique<PostgresServer>();
        m_server->createTable();
        m_far = std::make_unique<FarServer>(*m_server, 100ms);
    }
    void cleanup() { m_server->query(u"DELETE FROM locking"_s); }

    void keepsUp();
    void looksAtAllRightAfterSome();

private:
    std::unique_ptr<PostgresServer> m_server;
    std::unique_ptr<FarServer> m_far;
};

//! A long way is no load: what is read in no time is read as often as from next door.
void PostgresFarViewTest::keepsUp()
{
    m_server->query(u"INSERT INTO locking VALUES ('a', 'o', NULL)"_s);
    const PostgresModule shop(m_far->url());
    Watcher watcher(shop);
    QTRY_VERIFY_WITH_TIMEOUT(watcher.isLive(), 10'000);
    for (const QString& owner : {u"p"_s, u"q"_s, u"r"_s}) {
        m_server->query(u"UPDATE locking SET owner_id = $1"_s, {owner});
        QTRY_COMPARE_WITH_TIMEOUT(watcher.locks["a"].owner, Owner(owner.toStdString()), 6000);
    }
    QVERIFY(watcher.clean);
}

//! That anything may have changed is told while some rows are being read.
void PostgresFarViewTest::looksAtAllRightAfterSome()
{
    const PostgresModule near(m_server->url());
    await(near->installNotices());
    m_server->query(u"INSERT INTO locking VALUES ('a', 'o', NULL)"_s);
    const PostgresModule shop(m_far->url());
    Watcher watcher(shop);
    QTRY_COMPARE_WITH_TIMEOUT(watcher.state().mode, u"push (trigger)"_s, 10'000);
    // Right after a look, at a time when they are seldom.
    const auto looks = [this] { return m_far->asked("pg_locks"); };
    QTest::qWait(8000);
    const int before = looks();
    QTRY_VERIFY_WITH_TIMEOUT(looks() > before, 10'000);
    QTest::qWait(300);
    m_server->query(u"INSERT INTO locking VALUES ('b', 'o', NULL)"_s);
    const int readings = m_far->asked("UNION ALL SELECT NULL");
    QTRY_VERIFY(m_far->asked("UNION ALL SELECT NULL") > readings);
    m_server->query(u"TRUNCATE locking"_s);
    QElapsedTimer took;
    took.start();
    QTRY_VERIFY_WITH_TIMEOUT(watcher.locks.empty(), 15'000);
    QVERIFY2(took.elapsed() < 2500, qPrintable(QString::number(took.elapsed())));
    QVERIFY(watcher.clean);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresFarViewTest)
#include "postgres_far_view_test.moc"
