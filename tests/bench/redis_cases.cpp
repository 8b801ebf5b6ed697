// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/bench/bench.h"

#include "tests/bench/loops.h"
#include "tests/support/await.h"

namespace lockboard::bench {

using namespace std::chrono_literals;

namespace {

constexpr int lockCount = 100'000;
constexpr int ownerCount = 10;

//! The Redis provider as a program has it, over a server that is empty at first.
class Redis final {
public:
    explicit Redis(test::RedisServer& server)
        : m_server(server)
        , m_module(Config::connectTo(server.url().toStdString(), builtInKinds()),
                   Container(m_clock, [](LogLevel, const std::string&) {}))
    {
        m_server.cli({QStringLiteral("FLUSHALL")});
    }

    LockingModule& locks() { return m_module; }

    //! As Medusa writes them: one owner in ten, an hour to live.
    void fill(int locks = lockCount)
    {
        const QString script =
            QStringLiteral("for i = 1, %1 do redis.call('SET', 'medusa_lock:cart_' .. i, "
                           "'owner_' .. i % %2, 'EX', 3600) end")
                .arg(locks)
                .arg(ownerCount);
        const QString answer = m_server.cli({QStringLiteral("EVAL"), script, QStringLiteral("0")});
        if (!answer.isEmpty())
            throw std::runtime_error(answer.toStdString());
    }

private:
    test::RedisServer& m_server;
    SystemClock m_clock;
    LockingModule m_module;
};

//! Goes on when the view has shown every lock.
qsizetype listOnce(LockingModule& locks)
{
    const LiveViewPtr view = test::await(locks.liveView());
    QEventLoop loop;
    qsizetype seen = 0;
    QObject::connect(view.get(), &LiveView::snapshotBatch, &loop,
                     [&seen](const LockBatch& batch) { seen += batch.size(); });
    QObject::connect(view.get(), &LiveView::snapshotCompleted, &loop, &QEventLoop::quit);
    view->start();
    loop.exec();
    return seen;
}

double list(Redis& redis, Duration length)
{
    redis.fill();
    listOnce(redis.locks()); // so that the connection stands
    const Budget budget(length);
    std::uint64_t seen = 0;
    do {
        seen += static_cast<std::uint64_t>(listOnce(redis.locks()));
    } while (!budget.isSpent());
    if (seen % lockCount != 0)
        throw std::runtime_error("not every lock was listed");
    return budget.perSecond(seen);
}

double releaseAllOfOwner(Redis& redis, int locks, Duration length)
{
    std::chrono::duration<double> taken{};
    std::uint64_t released = 0;
    while (taken < length) {
        redis.fill(locks);
        const auto start = std::chrono::steady_clock::now();
        const ReleaseAllResult result =
            test::await(redis.locks().releaseAll(ReleaseAllOptions().ownedBy("owner_3")), 1min);
        taken += std::chrono::steady_clock::now() - start;
        if (result.released != std::uint64_t(locks / ownerCount))
            throw std::runtime_error("not every lock of the owner was released");
        released += result.released;
    }
    return static_cast<double>(released) / taken.count();
}

} // namespace

void addRedisCases(std::vector<Case>& cases, const ServerSource& server)
{
    for (const int depth : {1, 64}) {
        cases.push_back({"redis-acquire-release-" + std::to_string(depth), "pairs/s",
                         [server, depth](Duration length) {
                             server().cli({QStringLiteral("FLUSHALL")});
                             return pairsPerSecond(server().url(), depth, length);
                         }});
    }
    cases.push_back({"redis-list-100k", "locks/s", [server](Duration length) {
                         Redis redis(server());
                         return list(redis, length);
                     }});
    cases.push_back({"redis-release-all-owner", "locks/s", [server](Duration length) {
                         Redis redis(server());
                         return releaseAllOfOwner(redis, lockCount, length);
                     }});
    cases.push_back({"redis-release-all-owner-of-1m", "locks/s",
                     [server](Duration length) {
                         Redis redis(server());
                         const int locks = length < 100ms ? lockCount : 10 * lockCount;
                         return releaseAllOfOwner(redis, locks, length);
                     },
                     1});
}

} // namespace lockboard::bench
