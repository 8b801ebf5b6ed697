// SPDX-License-Identifier: MIT
#include "tests/support/redis_cluster.h"

#include "engine/redis/wire/slot.h"

#include <QElapsedTimer>
#include <QThread>

#include <functional>
#include <stdexcept>

namespace lockboard::test {

using namespace Qt::StringLiterals;

static constexpr int masters = 3;

static int firstSlot(int master)
{
    return redis::slot::count * master / masters;
}

static void waitFor(const char* what, const std::function<bool()>& holds)
{
    QElapsedTimer waited;
    waited.start();
    while (!holds()) {
        if (waited.elapsed() > 60'000)
            throw std::runtime_error(std::string("the cluster does not come to this: ") + what);
        QThread::msleep(50);
    }
}

RedisCluster::RedisCluster(int replicasOfEach, const QStringList& arguments)
{
    const int all = masters * (1 + replicasOfEach);
    for (int i = 0; i < all; ++i)
        addNode(arguments);
    for (int i = 0; i < masters; ++i) {
        node(i).cli({u"CLUSTER"_s, u"ADDSLOTSRANGE"_s, QString::number(firstSlot(i)),
                     QString::number(firstSlot(i + 1) - 1)});
        node(i).cli({u"CLUSTER"_s, u"SET-CONFIG-EPOCH"_s, QString::number(i + 1)});
    }
    for (int i = 1; i < all; ++i) {
        node(i).cli({u"CLUSTER"_s, u"MEET"_s, u"127.0.0.1"_s, QString::number(node(0).port()),
                     QString::number(m_busPorts[0])});
    }
    waitFor("each knows each", [this, all] {
        for (int i = 0; i < all; ++i) {
            const QString nodes = node(i).cli({u"CLUSTER"_s, u"NODES"_s});
            if (nodes.count(u'\n') + 1 < all || nodes.contains(u"handshake"_s))
                return false;
        }
        return true;
    });
    for (int i = masters; i < all; ++i)
        node(i).cli({u"CLUSTER"_s, u"REPLICATE"_s, id(i % masters)});
    waitUntilWell();
    waitFor("each replica is in step", [this, all] {
        for (int i = masters; i < all; ++i) {
            if (!node(i).cli({u"INFO"_s, u"replication"_s}).contains(u"master_link_status:up"_s))
                return false;
        }
        return true;
    });
}

void RedisCluster::addNode(const QStringList& arguments)
{
    m_busPorts.push_back(RedisServer::freePort());
    m_nodes.push_back(std::make_unique<RedisServer>(
        QStringList{u"--cluster-enabled"_s, u"yes"_s, u"--cluster-port"_s,
                    QString::number(m_busPorts.back()), u"--cluster-node-timeout"_s, u"1000"_s,
                    u"--repl-diskless-sync-delay"_s, u"0"_s}
        + arguments));
}

void RedisCluster::waitUntilWell() const
{
    waitFor("all is well", [this] {
        for (const auto& one : m_nodes) {
            const QString info = one->cli({u"CLUSTER"_s, u"INFO"_s});
            if (one->isRunning()
                && (!info.contains(u"cluster_state:ok"_s)
                    || !info.contains(u"cluster_slots_ok:16384"_s)))
                return false;
        }
        return true;
    });
}

QString RedisCluster::id(int i) const
{
    return node(i).cli({u"CLUSTER"_s, u"MYID"_s});
}

QString RedisCluster::options() const
{
    return u"\"redisUrl\": \"%1\""_s.arg(node(0).url());
}

int RedisCluster::masterOf(const QString& key)
{
    const int slot = redis::slot::of(key.toStdString());
    int master = masters - 1;
    while (slot < firstSlot(master))
        --master;
    return master;
}

QString RedisCluster::keyOn(int master, int n)
{
    for (int i = 0;; ++i) {
        const QString key = u"k%1"_s.arg(i);
        if (masterOf(u"medusa_lock:"_s + key) == master && n-- == 0)
            return key;
    }
}

QString RedisCluster::cli(const QString& command, const QString& key, const QStringList& more) const
{
    for (const auto& one : m_nodes) {
        if (!one->isRunning())
            continue;
        // By itself, redis-cli goes where it is sent.
        return one->cli(QStringList{u"-c"_s, command, key} + more);
    }
    throw std::runtime_error("no node of the cluster runs");
}

void RedisCluster::beginMove(int slot, int from, int to) const
{
    const QString number = QString::number(slot);
    node(to).cli({u"CLUSTER"_s, u"SETSLOT"_s, number, u"IMPORTING"_s, id(from)});
    node(from).cli({u"CLUSTER"_s, u"SETSLOT"_s, number, u"MIGRATING"_s, id(to)});
}

void RedisCluster::moveKey(const QString& key, int from, int to) const
{
    node(from).cli(
        {u"MIGRATE"_s, u"127.0.0.1"_s, QString::number(node(to).port()), key, u"0"_s, u"5000"_s});
}

void RedisCluster::endMove(int slot, int to) const
{
    const QString owner = id(to);
    node(to).cli({u"CLUSTER"_s, u"SETSLOT"_s, QString::number(slot), u"NODE"_s, owner});
    for (const auto& one : m_nodes) {
        if (one->isRunning())
            one->cli({u"CLUSTER"_s, u"SETSLOT"_s, QString::number(slot), u"NODE"_s, owner});
    }
}

void RedisCluster::moveSlot(int slot, int from, int to) const
{
    beginMove(slot, from, to);
    const QString keys =
        node(from).cli({u"CLUSTER"_s, u"GETKEYSINSLOT"_s, QString::number(slot), u"10000"_s});
    for (const QString& key : keys.split(u'\n', Qt::SkipEmptyParts))
        moveKey(key, from, to);
    endMove(slot, to);
}

void RedisCluster::flush() const
{
    for (const auto& one : m_nodes) {
        if (one->isRunning())
            one->cli({u"FLUSHALL"_s}); // a replica refuses
    }
}

} // namespace lockboard::test
