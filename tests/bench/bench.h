// SPDX-License-Identifier: MIT
#pragma once

#include "engine/module/locking_module.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

namespace lockboard::bench {

//! How long a case goes on before it counts.
class Budget final {
public:
    explicit Budget(Duration length)
        : m_start(std::chrono::steady_clock::now())
        , m_end(m_start + length)
    {
    }
    [[nodiscard]] bool isSpent() const { return std::chrono::steady_clock::now() >= m_end; }
    [[nodiscard]] double perSecond(std::uint64_t count) const
    {
        const auto taken = std::chrono::steady_clock::now() - m_start;
        return static_cast<double>(count) / std::chrono::duration<double>(taken).count();
    }

private:
    TimePoint m_start;
    TimePoint m_end;
};

//! One thing that is measured, in `unit`s. Its name begins with the provider's.
class Case final {
public:
    std::string name;
    std::string unit;
    std::function<double(Duration)> measure;
    int rounds = 0; //!< how often it is measured; 0: as tests/bench/compare.mjs thinks fit
    //! What it is compared with; none: Medusa's package, by peer.mjs.
    std::function<double(Duration)> peer = {};
};

//! The servers of this run; each is started when it is first asked for.
using ServerSource = std::function<test::RedisServer&()>;
using PostgresSource = std::function<test::PostgresServer&()>;

void addMemoryCases(std::vector<Case>& cases);
void addRedisCases(std::vector<Case>& cases, const ServerSource& server);
void addBareRedisCases(std::vector<Case>& cases, const ServerSource& server);
void addHotKeyCases(std::vector<Case>& cases, const ServerSource& server);
void addPostgresCases(std::vector<Case>& cases, const PostgresSource& server);
void addBarePostgresCases(std::vector<Case>& cases, const PostgresSource& server);
//! One process of many under a hot key: prints its turns. Arguments: URL, waiters, jobs.
int runHotKeyWorker(const QStringList& arguments);

} // namespace lockboard::bench
