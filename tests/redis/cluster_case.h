// SPDX-License-Identifier: MIT
#pragma once

#include "tests/redis/shown.h"
#include "tests/support/redis_cluster.h"

namespace lockboard::test {

//! What the tests of a cluster share: the cluster, and what lies in it under the keys' own names.
class ClusterCase {
protected:
    void start() { m_cluster = std::make_unique<RedisCluster>(); }

    [[nodiscard]] static std::string on(int master, int n = 0)
    {
        return RedisCluster::keyOn(master, n).toStdString();
    }
    //! One key of every master.
    [[nodiscard]] static LockKeys everywhere() { return LockKeys(on(0), on(1), on(2)); }

    [[nodiscard]] static QString stored(const std::string& key)
    {
        return QStringLiteral("medusa_lock:") + QString::fromStdString(key);
    }
    [[nodiscard]] QString get(const std::string& key) const { return m_cluster->get(stored(key)); }
    void set(const std::string& key, const QString& owner, const QStringList& more = {}) const
    {
        QCOMPARE(m_cluster->cli(QStringLiteral("SET"), stored(key), QStringList{owner} + more),
                 QStringLiteral("OK"));
    }
    [[nodiscard]] int pttl(const std::string& key) const
    {
        return m_cluster->cli(QStringLiteral("PTTL"), stored(key)).toInt();
    }

    std::unique_ptr<RedisCluster> m_cluster;
};

namespace detail {
template <typename T> Task<> finish(Task<T> call, std::shared_ptr<bool> done)
{
    try {
        co_await call;
        *done = true;
    } catch (const LockError&) {
    }
}
} // namespace detail

//! Whether the call has come to a good end.
template <typename T> std::shared_ptr<bool> begun(Task<T> call)
{
    const auto done = std::make_shared<bool>(false);
    letRun(detail::finish(std::move(call), done));
    return done;
}

} // namespace lockboard::test
