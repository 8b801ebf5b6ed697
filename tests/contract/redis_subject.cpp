// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/contract/subject.h"
#include "tests/support/redis_server.h"

#include <QTest>

namespace lockboard::test {

class RedisSubject final : public Subject {
public:
    explicit RedisSubject(Ownerless policy)
        : m_container(m_clock)
        , m_module(config(policy), m_container)
    {
        server().cli({QStringLiteral("flushall")});
        await(m_module.release("any")); // connected: the cases' own times are short
    }

    LockingModule& module() override { return m_module; }
    Clock& clock() override { return m_clock; }
    Duration tolerance() const override { return Duration(60); }
    void pass(Duration time) override { QTest::qWait(int(time.count())); }

private:
    // One server for the whole program; every case begins with an empty one.
    static RedisServer& server()
    {
        static RedisServer one;
        return one;
    }
    static Config config(Ownerless policy)
    {
        const std::string word = policy == Ownerless::Exclusive ? "exclusive" : "claimable";
        const std::string more = NOTED ? R"(, "fencing": true, "annotate": true)" : "";
        return Config::parse(
            R"({"providers": [{"resolve": "redis", "id": "shop", "is_default": true, "options":
               {"redisUrl": ")"
                + server().url().toStdString() + R"(", "ownerless": ")" + word + '"' + more
                + "}}]}",
            "test", ".", builtInKinds());
    }

    SystemClock m_clock;
    Container m_container;
    LockingModule m_module;
};

std::unique_ptr<Subject> makeSubject(Ownerless policy)
{
    return std::make_unique<RedisSubject>(policy);
}

} // namespace lockboard::test
