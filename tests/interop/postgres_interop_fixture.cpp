// SPDX-License-Identifier: MIT
#include "tests/interop/postgres_interop_fixture.h"

namespace lockboard::test {

void PostgresInteropTest::initTestCase_data()
{
    QTest::addColumn<QString>("resolve");
    QTest::newRow("postgres") << u"postgres"_s;
    QTest::newRow("medusa") << u"@medusajs/locking-postgres"_s;
}

void PostgresInteropTest::initTestCase()
{
    m_server.createTable();
    m_server.query(u"CREATE TABLE trail (place serial PRIMARY KEY, what text);"
                   "CREATE TABLE counters (name text PRIMARY KEY, count int)"_s);
    QVERIFY2(m_medusa.start(), qPrintable(m_medusa.problem()));
}

void PostgresInteropTest::init()
{
    QFETCH_GLOBAL(QString, resolve);
    m_server.query(u"TRUNCATE locking, trail, counters;"
                   "INSERT INTO counters VALUES ('counter', 0)"_s);
    m_module = std::make_unique<PostgresModule>(m_server.url(), QString(), resolve);
}

void PostgresInteropTest::cleanup()
{
    m_module.reset();
}

double PostgresInteropTest::lease(const QString& key)
{
    const QString left = u"SELECT extract(epoch FROM expiration - clock_timestamp()) FROM locking "
                         "WHERE id = $1"_s;
    return m_server.value(left, {key}).toDouble();
}

QStringList PostgresInteropTest::keys()
{
    QStringList keys;
    const Sql::Rows rows = m_server.query(u"SELECT id FROM locking ORDER BY id COLLATE \"C\""_s);
    for (const QStringList& row : rows)
        keys += row[0];
    return keys;
}

} // namespace lockboard::test
