// SPDX-License-Identifier: MIT
#include "tests/support/medusa_session.h"

#include "engine/contract/medusa_hash.h"

#include <QTest>

#include <stdexcept>

namespace lockboard::test {

static QString lockStatement(const std::string& key)
{
    return QStringLiteral("SELECT pg_advisory_xact_lock(%1)").arg(medusaHash(key));
}

MedusaSession::MedusaSession(const QString& connection)
    : sql(connection)
    , m_connection(connection)
{
    sql.query(QStringLiteral("SET application_name = 'medusa'"));
}

void MedusaSession::execute(const std::string& key)
{
    sql.query(QStringLiteral("BEGIN"));
    sql.query(lockStatement(key));
}

void MedusaSession::waitFor(const std::string& key)
{
    sql.query(QStringLiteral("BEGIN"));
    sql.send(lockStatement(key));
    Sql other(m_connection);
    const QString waits =
        QStringLiteral("SELECT FROM pg_locks WHERE NOT granted AND pid = %1").arg(pid());
    if (!QTest::qWaitFor([&] { return !other.query(waits).isEmpty(); }, 20'000))
        throw std::runtime_error("it does not have to wait for the key");
}

void MedusaSession::end()
{
    sql.finish();
    sql.query(QStringLiteral("COMMIT"));
}

bool MedusaSession::isGone() const
{
    return Sql(m_connection)
        .query(QStringLiteral("SELECT FROM pg_stat_activity WHERE pid = %1").arg(pid()))
        .isEmpty();
}

} // namespace lockboard::test
