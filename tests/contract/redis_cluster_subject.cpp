// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/contract/subject.h"
#include "tests/support/redis_cluster.h"

#include <QTest>

namespace lockboard::test {

class RedisClusterSubject final : public Subject {
public:
    explicit RedisClusterSubject(Ownerless policy)
        : m_container(m_clock)
        , m_module(config(policy), m_container)
    {
        cluster().flush();
        // Connects to every node: the cases reckon with little more time than an answer takes.
        await(m_module.check());
    }

    LockingModule& module() override { return m_module; }
    Clock& clock() override { return m_clock; }
    Duration tolerance() const override { return Duration(60); }
    void pass(Duration time) override { QTest::qWait(int(time.count())); }

private:
    // One cluster for the whole program; every case begins with an empty one.
    static RedisCluster& cluster()
    {
        static RedisCluster one;
        return one;
    }
    static Config config(Ownerless policy)
    {
        const std::string word = policy == Ownerless::Exclusive ? "exclusive" : "claimable";
        const std::string more = NOTED ? R"(, "fencing": true, "annotate": true)" : "";
        return Config::parse(
            R"({"providers": [{"resolve": "redis", "id": "shop", "is_default": true, "options":
               {)"
                + cluster().options().toStdString() + R"(, "ownerless": ")" + word + '"' + more
                + "}}]}",
            "test", ".", builtInKinds());
    }

    SystemClock m_clock;
    Container m_container;
    LockingModule m_module;
};

std::unique_ptr<Subject> makeSubject(Ownerless policy)
{
    return std::make_unique<RedisClusterSubject>(policy);
}

} // namespace lockboard::test
