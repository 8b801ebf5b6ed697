// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/contract/subject.h"
#include "tests/support/postgres_server.h"

#include <QTest>

namespace lockboard::test {

class PostgresSubject final : public Subject {
public:
    explicit PostgresSubject(Ownerless policy)
        : m_container(m_clock)
        , m_module(config(policy), m_container)
    {
        // Connected, both: the cases' own times are short.
        await(m_module.release("any"));
        await(m_module.execute("any", [] {}));
        [[maybe_unused]] const LockBatch none = locks();
    }

    LockingModule& module() override { return m_module; }
    Clock& clock() override { return m_clock; }
    bool storesBytes() const override { return false; }
    Duration tolerance() const override { return Duration(200); }
    void pass(Duration time) override { QTest::qWait(int(time.count())); }

private:
    // One server for the whole program; every case begins with an empty table.
    static PostgresServer& server()
    {
        static PostgresServer one;
        return one;
    }
    static Config config(Ownerless policy)
    {
        // What the case before had sent may be under way still.
        const QString others = QStringLiteral(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lockboard%'");
        while (server().value(others) != QStringLiteral("0"))
            QTest::qWait(5);
        server().query(QStringLiteral("DROP TABLE IF EXISTS locking"));
        server().createTable();
        const std::string word = policy == Ownerless::Exclusive ? "exclusive" : "claimable";
        return Config::parse(
            R"({"providers": [{"resolve": "postgres", "id": "shop", "is_default": true, "options":
               {"databaseUrl": ")"
                + server().url().toStdString() + R"(", "ownerless": ")" + word + "\"}}]}",
            "test", ".", builtInKinds());
    }

    SystemClock m_clock;
    Container m_container;
    LockingModule m_module;
};

std::unique_ptr<Subject> makeSubject(Ownerless policy)
{
    return std::make_unique<PostgresSubject>(policy);
}

} // namespace lockboard::test
