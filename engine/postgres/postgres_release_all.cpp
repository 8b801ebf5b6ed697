// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_keys.h"
#include "engine/postgres/postgres_provider.h"

namespace lockboard {

using namespace postgres;

//! Of all locks: each is looked at once, in the order of their keys.
static constexpr int pageSize = 10'000;
//! Of one owner's: what is released is found no more, so each page is a look at the whole table.
static constexpr int ownedPageSize = 100'000;
static constexpr int mostTries = 3;
static const char* const takenMeanwhile = "taken by somebody else meanwhile";

Task<ReleaseAllResult> PostgresProvider::releaseAll(ReleaseAllOptions options, SharedContext)
{
    requireText(LockKeys(), options.owner());
    ReleaseAllResult result;
    try {
        co_await releasePages(std::move(options), &result);
    } catch (const LockError&) {
        if (result.released == 0)
            throw; // nothing to tell but that
        result.interruption = std::current_exception();
    }
    co_return result;
}

Task<void> PostgresProvider::releasePages(ReleaseAllOptions options, ReleaseAllResult* result)
{
    std::optional<std::string> last;
    std::uint64_t seen = 0;
    const bool owned = options.owner().has_value();
    const int most = owned ? ownedPageSize : pageSize;
    // An owner's rows that are renewed in the very moment are for the next look.
    int tries = 1;
    for (int rows = most; owned ? rows > 0 : rows == most;) {
        if (options.stopToken().stop_requested()) {
            result->cancelled = true;
            break;
        }
        PostgresParameters parameters;
        parameters << (owned ? options.owner() : last) << std::to_string(most);
        PostgresCall call(m_bulk, PostgresEffect::Mutates);
        call.add(owned ? m_statements.releaseOwned : m_statements.releasePage,
                 std::move(parameters));
        call.send();
        const PostgresResult page = co_await call.result();
        if (page.isPassing() && tries++ < mostTries) // a deadlock with who takes several keys, say
            continue;
        tries = 1;
        if (page.isError())
            std::rethrow_exception(errorOf(page));
        rows = page.rows();
        std::vector<std::string> keys;
        std::vector<std::string> kept; // changed by somebody, or gone by themselves
        for (int row = 0; row < rows; ++row) {
            const std::string& key = keys.emplace_back(page.text(row, 0));
            const Owner owner = page.optional(row, 1);
            const bool wasHeld = page.isTrue(row, 2);
            const bool isGone = page.isTrue(row, 3);
            if (!isGone) {
                kept.push_back(key);
                continue;
            }
            ++(wasHeld ? result->released : result->cleared);
            noteGone(key, owner, false);
        }
        if (!kept.empty())
            result->leave(takenMeanwhile, co_await countThere(LockKeys(std::move(kept))));
        seen += static_cast<std::uint64_t>(rows);
        if (rows > 0)
            last = std::string(page.text(rows - 1, 0));
        noteChanged(LockKeys(std::move(keys)));
        options.report(result->released, seen);
    }
}

Task<std::uint64_t> PostgresProvider::countThere(LockKeys keys)
{
    PostgresCall call(m_bulk, PostgresEffect::Reads);
    call.add(m_statements.readSome, PostgresParameters() << arrayOf(keys));
    call.send();
    const PostgresResult result = co_await call.result();
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    co_return static_cast<std::uint64_t>(result.rows() - 1); // one tells the time
}

} // namespace lockboard
