// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/session/keys.h"

#include <algorithm>

namespace lockboard::postgres {

using namespace postgres;

static constexpr int mostReleaseTries = 3;

//! An execute's, which runs elsewhere if it is not ours, and is to learn of its loss.
static bool isJobs(const std::string& owner)
{
    return owner.starts_with("execute:");
}

Task<ReleaseResult> Provider::release(LockKeys keys, ReleaseOptions options, SharedContext)
{
    if (options.expectations().empty())
        return releaseOwn(std::move(keys), std::move(options));
    if (options.expectsAll(keys))
        return releaseExpected(std::move(keys), std::move(options));
    return releaseMixed(std::move(keys), std::move(options));
}

Task<ReleaseResult> Provider::releaseMixed(LockKeys keys, ReleaseOptions options)
{
    requireText(keys, options.owner());
    std::vector<std::string> seen, others;
    for (const std::string& key : keys)
        (options.expected(key) ? seen : others).push_back(key);
    ReleaseResult result;
    if (!seen.empty())
        result = co_await releaseExpected(LockKeys(std::move(seen)), options);
    std::vector<KeyRelease> left = result.left();
    LockKeys rest(std::move(others));
    try {
        result = co_await releaseOwn(rest, options);
    } catch (const LockError&) {
        if (left.size() == keys.size() - rest.size())
            throw;
        // Some are released, and that is to be told.
        std::vector<KeyRelease> all;
        for (const std::string& key : rest)
            all.emplace_back(key, ReleaseOutcome::Unknown);
        result = ReleaseResult(std::move(all));
    }
    left.insert(left.end(), result.left().begin(), result.left().end());
    std::ranges::sort(left, {}, &KeyRelease::key);
    co_return ReleaseResult(std::move(left));
}

Task<ReleaseResult> Provider::releaseExpected(LockKeys keys, ReleaseOptions options)
{
    Array owners, rests, known, payloads;
    for (const std::string& key : keys) {
        const SeenLock& seen = *options.expected(key);
        requireText(LockKeys(key), seen.owner);
        owners.addOrNull(seen.owner);
        std::optional<std::string> rest;
        if (seen.leaseEnd) {
            const auto left = std::chrono::floor<Duration>(*seen.leaseEnd - clock().now());
            rest = std::to_string(std::min<Duration>(left, Statements::longestSeenLease).count());
        }
        rests.addOrNull(rest);
        // Tokens are not stored; what this process was granted since, it knows.
        const std::optional<FencingToken> token = tokenOf(key, seen.owner);
        const bool isAnother = seen.token && token && *seen.token != *token;
        known.add(std::string_view(isAnother ? "f" : "t"));
        payloads.add(freedPayload(key));
    }
    Parameters parameters;
    parameters << arrayOf(keys) << owners.text() << rests.text() << known.text() << payloads.text();
    Call call(m_work, Effect::Mutates);
    if (keys.size() > 1)
        call.addAside(m_statements.queue, Parameters() << placesOf(hashesOf(keys)));
    call.add(m_statements.releaseExpected, std::move(parameters));
    call.expectRows(keys.size());
    call.send();
    std::vector<KeyRelease> left;
    Result result;
    try {
        result = co_await call.result();
    } catch (const OutcomeUnknown&) {
        for (const std::string& key : keys)
            left.emplace_back(key, ReleaseOutcome::Unknown);
    }
    if (!left.empty())
        co_return ReleaseResult(std::move(left));
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const int row = static_cast<int>(i);
        const Owner holder = result.optional(row, 2);
        if (result.isTrue(row, 0))
            noteGone(keys[i], options.expected(keys[i])->owner, true);
        else if (result.isTrue(row, 1))
            left.emplace_back(keys[i],
                              result.isTrue(row, 5) ? ReleaseOutcome::Changed
                                                    : ReleaseOutcome::HeldByOther,
                              holder);
        else
            left.emplace_back(keys[i], ReleaseOutcome::NotHeld).cleared = result.isTrue(row, 4);
    }
    noteChanged(keys);
    co_return ReleaseResult(std::move(left));
}

Task<ReleaseResult> Provider::releaseOwn(LockKeys keys, ReleaseOptions options)
{
    requireText(keys, options.owner());
    const std::string owner = options.owner().value_or("");
    // A job's that is not over keeps what its session holds.
    Session* const session = options.isOnlyIfOver() ? nullptr : sessionOf(keys, owner);
    const bool ofJob = session != nullptr;
    const bool tooLate = hasLost(keys, owner);
    bool quick = keys.size() == 1 && !tooLate && !options.isOnlyIfOver();
    if (ofJob && quick && mayHandOver(*session, keys)) {
        std::optional<ReleaseResult> ended = co_await handOver(session, keys.front(), owner);
        if (ended)
            co_return std::move(*ended);
        session->forgetLost(owner, keys); // the job had ended before that
    }
    const LockKeys all = keys;
    std::vector<KeyRelease> left;
    // A job that still runs has lost what its session held, however the rest ends.
    const auto noteLetGo = [&] {
        for (const std::string& key : keys) {
            if (ofJob && !sessionOf(LockKeys(key), owner)) // else a later one of this owner's
                noteLost(owner, key);
        }
    };
    for (int tries = 1;; ++tries) {
        Call call(ofJob ? session->connection() : m_work, Effect::Mutates);
        if (ofJob) // first, so that it is done even if the rest fails
            addUnlock(call, session->letGo(owner, keys));
        if (quick)
            addQuickRelease(call, keys.front(), options, !ofJob && isJobs(owner));
        else
            addRelease(call, keys, options, !ofJob && isJobs(owner));
        call.send();
        bool unknown = false;
        Result result;
        try {
            result = co_await call.result();
        } catch (const OutcomeUnknown&) {
            unknown = true;
        } catch (const LockError&) {
            noteLetGo();
            throw;
        }
        if (unknown || result.isError())
            noteLetGo();
        if (unknown) {
            for (const std::string& key : keys)
                left.emplace_back(key, ReleaseOutcome::Unknown);
            co_return ReleaseResult(std::move(left));
        }
        if (result.isError())
            std::rethrow_exception(errorOf(result));
        if (std::exchange(quick, false)) {
            if (result.rows() == 0)
                continue; // the long way tells why
            // It is asked to delete nobody else's.
            if (!result.isNull(0, 0) && result.optional(0, 0) != options.owner()) {
                left.emplace_back(keys.front(), ReleaseOutcome::Unknown);
                co_return ReleaseResult(std::move(left));
            }
            noteGone(keys.front(), result.optional(0, 0), !result.isNull(0, 1));
            break;
        }
        if (tooLate)
            forgetLost(keys, owner);
        std::vector<std::string> again;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const int row = static_cast<int>(i);
            const bool released = result.isTrue(row, 0);
            if (result.isTrue(row, 5) && tries < mostReleaseTries)
                again.push_back(keys[i]);
            else if (result.isTrue(row, 1)
                     && (options.isOnlyIfOver() || result.optional(row, 2) != options.owner()))
                left.emplace_back(keys[i], ReleaseOutcome::HeldByOther, result.optional(row, 2));
            else if (!released || tooLate)
                left.emplace_back(keys[i], ReleaseOutcome::NotHeld).cleared =
                    !released && result.isTrue(row, 4);
            if (released)
                noteGone(keys[i], result.optional(row, 2), !result.isNull(row, 3));
        }
        if (again.empty())
            break;
        keys = LockKeys(std::move(again));
    }
    noteChanged(all);
    co_return ReleaseResult(std::move(left));
}

void Provider::addQuickRelease(Call& call, const std::string& key, const ReleaseOptions& options,
                               bool tellsAll)
{
    Parameters parameters;
    parameters << key << options.owner() << (m_settings.ownerless == Ownerless::Claimable)
               << std::to_string(placeOf(medusaHash(key))) << freedPayload(key) << tellsAll;
    call.add(m_statements.releaseHeld, std::move(parameters));
}

void Provider::addRelease(Call& call, const LockKeys& keys, const ReleaseOptions& options,
                          bool tellsAll)
{
    Array places, payloads;
    for (const std::string& key : keys) {
        places.add(placeOf(medusaHash(key)));
        payloads.add(freedPayload(key));
    }
    Parameters parameters;
    parameters << arrayOf(keys) << options.owner() << (m_settings.ownerless == Ownerless::Claimable)
               << places.text() << payloads.text() << tellsAll << options.isOnlyIfOver();
    if (keys.size() > 1)
        call.addAside(m_statements.queue, Parameters() << placesOf(hashesOf(keys)));
    call.add(m_statements.release, std::move(parameters));
    call.expectRows(keys.size());
}

} // namespace lockboard::postgres
