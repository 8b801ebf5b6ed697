// SPDX-License-Identifier: MIT
#pragma once

#include "tests/interop/medusa.h"
#include "tests/postgres/postgres_fixture.h"

namespace lockboard::test {

using namespace Qt::StringLiterals;

//! One database with Medusa and Lockboard at it. Each case runs twice: Lockboard under its own name
//! and under that of Medusa's package, where a lock without owner is nobody's to claim.
class PostgresInteropTest : public QObject {
    Q_OBJECT

protected Q_SLOTS:
    void initTestCase_data();
    void initTestCase();
    void init();
    void cleanup();

protected:
    //! What lies in the table, whoever wrote it; null: no owner, or no such row.
    [[nodiscard]] QString owner(const QString& key)
    {
        return m_server.value(u"SELECT owner_id FROM locking WHERE id = $1"_s, {key});
    }
    //! In seconds, by the database's clock.
    [[nodiscard]] double lease(const QString& key);
    //! Of all rows, be their leases over or not.
    [[nodiscard]] QStringList keys();
    //! Medusa's message; empty if the call succeeded.
    [[nodiscard]] QString refusal(const QString& name, const QJsonObject& call)
    {
        return m_medusa.refusal(m_medusa.begin(name, call));
    }
    [[nodiscard]] LockingModule& ours() const { return *m_module->operator->(); }

    PostgresServer m_server;
    Medusa m_medusa{m_server.url()};
    std::unique_ptr<PostgresModule> m_module;
};

[[nodiscard]] inline QString refusalOf(const QString& key)
{
    return u"Failed to acquire lock for key \"%1\""_s.arg(key);
}

} // namespace lockboard::test
