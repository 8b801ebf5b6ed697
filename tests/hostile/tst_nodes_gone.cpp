// SPDX-License-Identifier: MIT
#include "engine/redis/wire/slot.h"
#include "tests/hostile/hostile_server.h"
#include "tests/redis/redis_fixture.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

//! Nodes that leave their cluster while something is under way with them, or was.
class TestNodesGone final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answersOfANodeThatIsGone_data();
    void answersOfANodeThatIsGone();
    void replicasAreNotWatchedForEver();
    void closesInTheMidstOfManyNodes();

private:
    [[nodiscard]] QByteArray map() const;
    [[nodiscard]] HostileServer::Script node();

    std::atomic<quint16> m_first = 0;
    std::atomic<quint16> m_second = 0;
    std::atomic<bool> m_alone = false; // the second has left
};

static QByteArray range(int from, int to, quint16 port)
{
    const auto number = [](int n) { return ':' + QByteArray::number(n) + "\r\n"; };
    const QByteArray where = HostileServer::array(
        {HostileServer::text("127.0.0.1"), number(port), HostileServer::text("id")});
    return HostileServer::array({number(from), number(to), where});
}

//! A key that is among the first or the second half of the slots.
static std::string keyIn(bool second)
{
    for (int n = 0;; ++n) {
        const std::string key = "k" + std::to_string(n);
        if ((redis::slot::of("medusa_lock:" + key) > 8191) == second)
            return key;
    }
}

QByteArray TestNodesGone::map() const
{
    if (m_alone)
        return HostileServer::array({range(0, 16383, m_first)});
    return HostileServer::array({range(0, 8191, m_first), range(8192, 16383, m_second)});
}

HostileServer::Script TestNodesGone::node()
{
    HostileServer::Script script;
    script["CLUSTER"] = [this](const QByteArrayList&) { return Answer(map()); };
    return script;
}

void TestNodesGone::answersOfANodeThatIsGone_data()
{
    QTest::addColumn<bool>("swapped");
    QTest::addRow("as they are") << false;
    QTest::addRow("the other way round") << true;
}

void TestNodesGone::answersOfANodeThatIsGone()
{
    QFETCH(bool, swapped);
    m_alone = false;
    HostileServer::Script slow = node();
    slow["GET"] = [](const QByteArrayList&) {
        QThread::msleep(1000);
        return Answer("$-1\r\n");
    };
    HostileServer::Script quick = node();
    quick["GET"] = [](const QByteArrayList&) { return Answer("-LOADING its data\r\n"); };
    const HostileServer stays(slow);
    const HostileServer leaves(quick);
    m_first = stays.port();
    m_second = leaves.port();
    const auto seed = swapped ? leaves.port() : stays.port(); // in another order in memory
    const RedisModule locks(u"\"redisUrl\": \"redis://127.0.0.1:%1\""_s.arg(seed));
    QVERIFY(await(locks->check()).reachable);
    Task<Grant> taking =
        locks->acquire(LockKeys(keyIn(false), keyIn(true)), AcquireOptions().ownedBy("me"));
    QTest::qWait(200); // the quick one has answered
    m_alone = true;
    Task<CheckReport> first = locks->check();
    Task<CheckReport> second = locks->check(); // one of them asks the one that answers
    const std::string said = thrownBy<Unavailable>(std::move(taking)).message();
    QVERIFY2(said.find("loading") != std::string::npos, said.c_str());
    await(std::move(first));
    await(std::move(second));
}

void TestNodesGone::replicasAreNotWatchedForEver()
{
    m_alone = false;
    HostileServer::Script script = node();
    script["GET"] = [](const QByteArrayList&) { return Answer("$-1\r\n"); };
    script["WAIT"] = [](const QByteArrayList&) { return Answer(":1\r\n"); };
    script["EVAL"] = [](const QByteArrayList& command) {
        if (!command[1].contains("'granted'"))
            return Answer(":1\r\n"); // it is written once more
        return Answer(HostileServer::array(
            {HostileServer::text("granted"), "$-1\r\n", HostileServer::array({":0\r\n", ":-1\r\n"}),
             HostileServer::array({HostileServer::array(
                 {HostileServer::text(""), ":-1\r\n", HostileServer::text("")})})}));
    };
    const HostileServer stays(script);
    const HostileServer leaves(script);
    m_first = stays.port();
    m_second = leaves.port();
    const RedisModule locks(
        u"\"redisUrl\": \"redis://127.0.0.1:%1\", \"waitReplicas\": 1"_s.arg(stays.port()));
    await(locks->acquire(keyIn(true), AcquireOptions().ownedBy("me")));
    QVERIFY(leaves.openConnections() >= 2); // one is for waiting
    m_alone = true;
    await(locks->check());
    await(locks->acquire(keyIn(true), AcquireOptions().ownedBy("me")));
    QTRY_COMPARE(leaves.openConnections(), 0);
}

//! Some parts of it are held: it is not told that nothing is.
void TestNodesGone::closesInTheMidstOfManyNodes()
{
    m_alone = false;
    HostileServer::Script script = node();
    script["GET"] = [](const QByteArrayList&) { return Answer("$-1\r\n"); };
    script["EVAL"] = [](const QByteArrayList& command) {
        if (!command[1].contains("'granted'"))
            return Answer(); // no answer to being given back
        return Answer(HostileServer::array(
            {HostileServer::text("granted"), "$-1\r\n", HostileServer::array({":0\r\n", ":-1\r\n"}),
             HostileServer::array({HostileServer::array(
                 {HostileServer::text(""), ":-1\r\n", HostileServer::text("")})})}));
    };
    HostileServer::Script silent = script;
    silent["EVAL"] = [](const QByteArrayList&) { return Answer(); };
    silent["EVALSHA"] = silent["EVAL"];
    const HostileServer first(script);
    const HostileServer second(silent);
    m_first = first.port();
    m_second = second.port();
    RedisModule locks(u"\"redisUrl\": \"redis://127.0.0.1:%1\""_s.arg(first.port()));
    QVERIFY(await(locks->check()).reachable);
    Task<Grant> taking =
        locks->acquire(LockKeys(keyIn(false), keyIn(true)), AcquireOptions().ownedBy("me"));
    QTest::qWait(300);
    locks.destroy();
    thrownBy<OutcomeUnknown>(std::move(taking));
}

QTEST_GUILESS_MAIN(TestNodesGone)
#include "tst_nodes_gone.moc"
