// SPDX-License-Identifier: MIT
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/session/keys.h"

namespace lockboard::postgres {

using namespace postgres;

//! Of all locks: each is looked at once, in the order of their keys.
static constexpr int pageSize = 10'000;
//! Of one owner's: what is released is found no more, so each page is a look at the whole table.
static constexpr int ownedPageSize = 100'000;
static const char* const takenMeanwhile = "taken by somebody else meanwhile";
static const char* const lockedMeanwhile = "its row kept locked by another session";

Task<ReleaseAllResult> Provider::releaseAll(ReleaseAllOptions options, SharedContext)
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

Task<void> Provider::releasePages(ReleaseAllOptions options, ReleaseAllResult* result)
{
    std::optional<std::string> last;
    std::uint64_t seen = 0;
    const bool owned = options.owner().has_value();
    const int most = owned ? ownedPageSize : pageSize;
    for (int rows = most; owned ? rows > 0 : rows == most;) {
        if (options.stopToken().stop_requested()) {
            result->cancelled = true;
            co_return;
        }
        Parameters parameters;
        parameters << (owned ? options.owner() : last) << std::to_string(most);
        const Result page = co_await change(
            owned ? m_statements.releaseOwned : m_statements.releasePage, std::move(parameters));
        rows = page.rows();
        std::vector<std::string> keys;
        std::vector<std::pair<std::string, Owner>> kept;
        for (int row = 0; row < rows; ++row) {
            const std::string& key = keys.emplace_back(page.text(row, 0));
            const Owner owner = page.optional(row, 1);
            if (!page.isTrue(row, 3)) {
                kept.emplace_back(key, owner);
                continue;
            }
            ++(page.isTrue(row, 2) ? result->released : result->cleared);
            noteGone(key, owner, false);
        }
        bool patient = true; // of those that stay locked, one is waited for
        for (const auto& [key, owner] : kept) {
            const LeftBy left = co_await releaseOne(key, owner, patient, result);
            if (left == LeftBy::Another)
                result->leave(takenMeanwhile);
            patient = patient && left != LeftBy::ItsLocker;
        }
        seen += static_cast<std::uint64_t>(rows);
        if (rows > 0)
            last = std::string(page.text(rows - 1, 0));
        noteChanged(LockKeys(std::move(keys)));
        options.report(result->released, seen);
    }
    // What others had locked in the very moment.
    for (bool more = owned; more;) {
        if (options.stopToken().stop_requested()) {
            result->cancelled = true;
            co_return;
        }
        const Result left = co_await ask(m_statements.ownedKeys, Parameters() << options.owner());
        const std::uint64_t before = result->released + result->cleared;
        bool patient = true;
        for (int row = 0; row < left.rows(); ++row) {
            const LeftBy by = co_await releaseOne(std::string(left.text(row, 0)), options.owner(),
                                                  patient, result);
            patient = patient && by != LeftBy::ItsLocker;
        }
        more = patient && result->released + result->cleared > before;
        if (!patient)
            result->leave(lockedMeanwhile,
                          static_cast<std::uint64_t>(left.integer(0, 1))
                              - static_cast<std::uint64_t>(left.rows()));
    }
}

//! Of a lock that was seen with this owner. `patient`: waits for who has locked its row.
Task<Provider::LeftBy> Provider::releaseOne(std::string key, Owner owner, bool patient,
                                            ReleaseAllResult* result)
{
    if (!patient) {
        result->leave(lockedMeanwhile);
        co_return LeftBy::ItsLocker;
    }
    Connection* const connection = co_await connectionForChanges();
    Call call(*connection, Effect::Mutates);
    call.add(m_statements.releaseSeen, Parameters() << key << owner << freedPayload(key));
    call.send();
    const Result gone = co_await call.result();
    if (gone.sqlState() == "55P03") {
        result->leave(lockedMeanwhile);
        co_return LeftBy::ItsLocker;
    }
    if (gone.isError())
        std::rethrow_exception(errorOf(gone));
    if (gone.rows() > 0) {
        ++(gone.isTrue(0, 0) ? result->released : result->cleared);
        noteGone(key, owner, false);
        noteChanged(key);
        co_return LeftBy::Nobody;
    }
    const Result now = co_await ask(m_statements.readSome, Parameters() << arrayOf(key));
    const bool isThere = now.rows() > 1; // one tells the time
    co_return isThere ? LeftBy::Another : LeftBy::Nobody;
}

} // namespace lockboard::postgres
