// SPDX-License-Identifier: MIT
#pragma once

#include "tests/bench/bench.h"
#include "tests/bench/turns.h"

namespace lockboard::bench {

//! A test that the cases run at all has no time for a million.
[[nodiscard]] inline int locksIn(Duration length)
{
    return length < std::chrono::milliseconds(100) ? 10'000 : 1'000'000;
}

inline void emptyTable(test::PostgresServer& server)
{
    server.query(QStringLiteral("TRUNCATE locking"));
}

//! As Medusa writes them: one owner in ten, an hour to live.
inline void fillTable(test::PostgresServer& server, int locks)
{
    emptyTable(server);
    server.query(QStringLiteral("INSERT INTO locking SELECT 'cart_' || i, 'owner_' || i % 10, "
                                "now() + interval '1 hour' FROM generate_series(1, %1) i")
                     .arg(locks));
}

[[nodiscard]] inline double efficiencyOfTen(test::PostgresServer& server, Duration length)
{
    constexpr int waiters = 10;
    return HotKey(turnsOfProcess(server.url(), waiters, jobsIn(length)), waiters).efficiency();
}

} // namespace lockboard::bench
