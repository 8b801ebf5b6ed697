// SPDX-License-Identifier: MIT
#include "tests/bench/bench.h"
#include "tests/bench/loops.h"
#include "tests/bench/postgres_table.h"

namespace lockboard::bench {

using namespace std::chrono_literals;

void addPostgresCases(std::vector<Case>& cases, const PostgresSource& server)
{
    for (const int callers : {1, 64}) {
        cases.push_back({"postgres-acquire-release-" + std::to_string(callers), "pairs/s",
                         [server, callers](Duration length) {
                             emptyTable(server());
                             return pairsPerSecond(server().url(), callers, length);
                         }});
    }
    cases.push_back({"postgres-execute-10-efficiency", "%",
                     [server](Duration length) {
                         emptyTable(server());
                         return efficiencyOfTen(server(), length);
                     },
                     3});
    cases.push_back({"postgres-release-all-owner-of-1m", "s",
                     [server](Duration length) {
                         const int locks = locksIn(length);
                         fillTable(server(), locks);
                         return secondsToReleaseAll(server().url(), "owner_3",
                                                    static_cast<std::uint64_t>(locks / 10));
                     },
                     1});
}

} // namespace lockboard::bench
