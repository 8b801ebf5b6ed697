// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/redis_server.h"

#include <memory>
#include <vector>

namespace lockboard::test {

//! A real Redis Cluster of three masters that share the slots evenly, and of as many replicas of
//! each as wanted, each a process of its own. Ready to be used when made.
class RedisCluster final {
public:
    explicit RedisCluster(int replicasOfEach = 0, const QStringList& arguments = {});

    //! Nodes 0, 1 and 2 are the masters to begin with; 3 is the first replica of 0, and so on.
    [[nodiscard]] RedisServer& node(int i) const { return *m_nodes[static_cast<std::size_t>(i)]; }
    [[nodiscard]] int size() const { return static_cast<int>(m_nodes.size()); }
    [[nodiscard]] QString id(int i) const;
    //! `"redisUrl": ...`, of the first node.
    [[nodiscard]] QString options() const;
    //! The master that serves this key, as Redis knows it, to begin with.
    [[nodiscard]] static int masterOf(const QString& key);
    //! The n-th key, without the namespace, that this master serves to begin with.
    [[nodiscard]] static QString keyOn(int master, int n = 0);
    //! Asks whatever node serves the key now: `command`, the key, `more`.
    QString cli(const QString& command, const QString& key, const QStringList& more = {}) const;
    [[nodiscard]] QString get(const QString& key) const { return cli(QStringLiteral("GET"), key); }

    //! Opens a slot for moving; the keys in it stay where they are.
    void beginMove(int slot, int from, int to) const;
    void moveKey(const QString& key, int from, int to) const;
    //! Says that it has been moved.
    void endMove(int slot, int to) const;
    void moveSlot(int slot, int from, int to) const;

    //! Empties the masters.
    void flush() const;
    //! Until all that run agree that all is well.
    void waitUntilWell() const;

private:
    void addNode(const QStringList& arguments);

    std::vector<std::unique_ptr<RedisServer>> m_nodes;
    std::vector<quint16> m_busPorts;
};

} // namespace lockboard::test
