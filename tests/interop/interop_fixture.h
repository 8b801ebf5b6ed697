// SPDX-License-Identifier: MIT
#pragma once

#include "tests/interop/medusa.h"
#include "tests/redis/redis_fixture.h"

namespace lockboard::test {

using namespace Qt::StringLiterals;

//! One Redis with Medusa and Lockboard at it. Each case runs twice: Lockboard under its own name
//! and under that of Medusa's package, where a lock without owner is nobody's to claim.
class InteropTest : public QObject {
    Q_OBJECT

protected Q_SLOTS:
    void initTestCase_data();
    void initTestCase();
    void init();
    void cleanup();

protected:
    QString cli(const QString& command) const { return m_server.cli(command.split(u' ')); }
    //! What lies in Redis, whoever wrote it.
    [[nodiscard]] QString owner(const QString& key) const
    {
        return cli(u"GET medusa_lock:"_s + key);
    }
    [[nodiscard]] int ttl(const QString& key) const
    {
        return cli(u"PTTL medusa_lock:"_s + key).toInt();
    }
    [[nodiscard]] QStringList keys() const;
    //! Medusa's message; empty if the call succeeded.
    [[nodiscard]] QString refusal(int id) { return m_medusa.refusal(id); }
    [[nodiscard]] QString refusal(const QString& name, const QJsonObject& call)
    {
        return refusal(m_medusa.begin(name, call));
    }
    [[nodiscard]] LockingModule& ours() const { return *m_module->operator->(); }

    RedisServer m_server;
    Medusa m_medusa{m_server.url()};
    std::unique_ptr<RedisModule> m_module;
};

} // namespace lockboard::test
