// SPDX-License-Identifier: MIT
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/session/keys.h"
#include "engine/postgres/wire/number.h"

#include <algorithm>

namespace lockboard::postgres {

using namespace postgres;

using namespace std::chrono_literals;

static constexpr int mostTries = 3;
//! After it others get their turn to stand in line.
static constexpr Duration longestInLine = 2s;

static bool isPassing(const Result& result)
{
    return result.isPassing() || result.sqlState() == "22012"; // of allOrNone
}

//! What one of the acquiring statements found.
class Provider::Taking final {
public:
    Taking(const Result& result, const LockKeys& wanted, TimePoint sentAt)
        : isTaken(result.integer(0, 0) == static_cast<std::int64_t>(wanted.size()))
    {
        readKeys(result.text(0, 7), wanted, sentAt);
        token = static_cast<FencingToken>(result.integer(0, 1));
        if (!result.isNull(0, 2))
            leaseEnd = sentAt + countable(result.integer(0, 2));
        isExtension = result.isTrue(0, 3);
        key = result.optional(0, 4);
        holder = result.optional(0, 5);
        if (!result.isNull(0, 6))
            remaining = countable(std::max<std::int64_t>(0, result.integer(0, 6)));
    }

    bool isTaken;
    FencingToken token;
    std::optional<TimePoint> leaseEnd;
    bool isExtension;
    std::optional<std::string> key; // the first in the way, if it was seen
    Owner holder;
    std::optional<Duration> remaining;

    [[nodiscard]] Grant grant(std::optional<Duration> lease, TimePoint sentAt) const
    {
        const auto end = lease ? std::optional(sentAt + *lease) : leaseEnd;
        Grant grant = Grant(end, token).asExtension(isExtension);
        const auto isLikeTheFirst = [this](const KeyGrant& one) {
            return one.extended == keys.front().extended && one.leaseEnd == keys.front().leaseEnd;
        };
        if (!std::ranges::all_of(keys, isLikeTheFirst))
            grant.withKeys(keys);
        return grant;
    }

private:
    //! Nothing: none was held before.
    void readKeys(std::string_view text, const LockKeys& wanted, TimePoint sentAt)
    {
        for (const std::string& one : wanted) {
            if (text.empty())
                return;
            const std::string_view said = text.substr(0, text.find(','));
            text.remove_prefix(std::min(said.size() + 1, text.size()));
            const auto rest =
                readNumber<std::int64_t>(said.substr(std::min<std::size_t>(1, said.size())));
            keys.emplace_back(one, rest ? std::optional(sentAt + countable(*rest)) : std::nullopt,
                              said.starts_with('h'));
        }
    }

    std::vector<KeyGrant> keys;
};

static Parameters quickParameters(const LockKeys& keys, const AcquireOptions& options,
                                  const std::vector<std::uint32_t>& hashes)
{
    Parameters parameters;
    parameters << keys.front() << options.owner() << msText(options.lease())
               << std::to_string(placeOf(hashes.front()));
    return parameters;
}

static Grant quickGrant(const Result& result, const AcquireOptions& options, TimePoint sentAt)
{
    std::optional<TimePoint> leaseEnd;
    if (options.lease())
        leaseEnd = sentAt + *options.lease();
    return Grant(leaseEnd, static_cast<FencingToken>(result.integer(0, 0)));
}

void Provider::addAcquire(Call& call, const LockKeys& keys, const AcquireOptions& options,
                          const std::vector<std::uint32_t>& hashes)
{
    Parameters parameters;
    parameters << arrayOf(keys) << options.owner() << msText(options.lease()) << claims(options)
               << options.reenters();
    call.addAside(m_statements.queue, Parameters() << placesOf(hashes));
    call.add(m_statements.acquire, std::move(parameters));
    addAllOrNone(call, keys);
}

void Provider::addAcquireForSession(Call& call, const LockKeys& keys, const AcquireOptions& options,
                                    const std::vector<std::uint32_t>& hashes)
{
    Array locks;
    for (const std::uint32_t hash : hashes)
        locks.add(static_cast<std::int64_t>(hash));
    Parameters parameters;
    parameters << arrayOf(keys) << options.owner() << msText(options.lease()) << false
               << options.reenters() << locks.text();
    call.addAside(m_statements.queue, Parameters() << placesOf(hashes));
    call.add(m_statements.acquireForSession, std::move(parameters));
    addAllOrNone(call, keys);
}

void Provider::addAllOrNone(Call& call, const LockKeys& keys)
{
    if (keys.size() > 1)
        call.addAside(m_statements.allOrNone,
                      Parameters() << arrayOf(keys) << std::to_string(keys.size()));
}

Task<Grant> Provider::tryAcquire(LockKeys keys, AcquireOptions options, SharedContext)
{
    if (const auto offer = takeOffer(keys, options))
        return takeOver(offer, std::move(keys), std::move(options));
    if (options.look().value_or(0) > 0 && wantsToAdvertise(keys))
        return acquireAdvertised(std::move(keys), std::move(options));
    return acquireNow(std::move(keys), std::move(options));
}

Task<Grant> Provider::acquireNow(LockKeys keys, AcquireOptions options)
{
    const bool forJob = options.isUniquelyOwned() || !options.reenters();
    if (forJob && m_session.isUsable())
        return acquireForJob(std::move(keys), std::move(options));
    return acquireRows(std::move(keys), std::move(options));
}

Task<Grant> Provider::acquireAdvertised(LockKeys keys, AcquireOptions options)
{
    co_await advertise(keys); // before looking, so that nothing falls in between
    if (isClosing())
        throw Cancelled("The provider was closed.");
    co_return co_await acquireNow(std::move(keys), std::move(options));
}

//! A row or the table stayed locked: whoever waits goes on waiting.
void Provider::conflictIfLocked(const Result& result, const LockKeys& keys,
                                const AcquireOptions& options) const
{
    if (!options.look() || result.sqlState() != "55P03")
        return;
    if (*options.look() == 0)
        log(LogLevel::Warning, messageOf(errorOf(result)));
    throw Conflict(keys.front(), {}, {});
}

Task<Grant> Provider::acquireRows(LockKeys keys, AcquireOptions options)
{
    requireText(keys, options.owner());
    const std::vector<std::uint32_t> hashes = hashesOf(keys);
    bool quick = keys.size() == 1 && options.look().value_or(0) == 0;
    const TimePoint began = clock().now();
    std::string problem;
    for (int tries = 1; problem.empty();) {
        Call call(m_work, Effect::Mutates);
        if (quick)
            call.add(m_statements.takeFree, quickParameters(keys, options, hashes));
        else
            addAcquire(call, keys, options, hashes);
        call.send();
        Result result;
        try {
            result = co_await call.result();
        } catch (const OutcomeUnknown& error) {
            problem = error.message();
        }
        if (!problem.empty())
            break;
        if (result.isError()) {
            if (isPassing(result) && tries++ < mostTries)
                continue;
            conflictIfLocked(result, keys, options);
            std::rethrow_exception(errorOf(result));
        }
        if (std::exchange(quick, false)) {
            if (result.rows() == 0)
                continue; // it is not free: the long way tells whose it is
            const Grant grant = quickGrant(result, options, call.sentAt());
            noteGranted(keys, options.owner(), grant);
            co_return grant;
        }
        const Taking taking(result, keys, call.sentAt());
        if (taking.isTaken) {
            const Grant grant = taking.grant(options.lease(), call.sentAt());
            noteGranted(keys, options.owner(), grant);
            co_return grant;
        }
        // Who was quicker in the very moment is not seen before the next look.
        if (!taking.key && !options.look() && tries++ < mostTries)
            continue;
        throw Conflict(taking.key.value_or(keys.front()), taking.holder, taking.remaining);
    }
    std::optional<Grant> held;
    try {
        if (!isClosing())
            held = co_await settle(keys, options, began, m_settings.endpoint.statementTimeout,
                                   problem);
    } catch (const Cancelled&) {
        // closed meanwhile: what was sent may have been done all the same
    }
    if (!held)
        throw OutcomeUnknown(problem);
    // The token went with the answer; the keys are ours, so that an extension gives another.
    Grant again = co_await acquireRows(std::move(keys), std::move(options));
    co_return again.asExtension(held->isExtension());
}

Task<Grant> Provider::acquireForJob(LockKeys keys, AcquireOptions options)
{
    requireText(keys, options.owner());
    const std::vector<std::uint32_t> hashes = hashesOf(keys);
    bool quick = keys.size() == 1 && options.look().value_or(0) == 0;
    std::optional<std::uint32_t> queued; // the hash to wait for in the server's queue
    std::string problem;
    for (int tries = 1; problem.empty();) {
        if (!m_session.isExamined())
            co_await m_session.examine();
        if (!m_session.isUsable())
            co_return co_await acquireRows(std::move(keys), std::move(options));
        Session& session = queued ? m_lane : m_session;
        Session::Asking asking(session, hashes);
        if (queued) {
            const bool isOurTurn = co_await standInLine(*queued);
            if (isClosing() || !isOurTurn)
                throw Conflict(keys.front(), {}, {});
            asking.noteLocked(*queued);
        }
        Call call(session.connection(), Effect::Mutates);
        if (quick) {
            Parameters parameters = quickParameters(keys, options, hashes);
            parameters << std::to_string(hashes.front());
            call.add(m_statements.takeFreeForSession, std::move(parameters));
        } else {
            addAcquireForSession(call, keys, options, hashes);
        }
        call.send();
        Result result;
        try {
            result = co_await call.result();
        } catch (const OutcomeUnknown& error) {
            problem = error.message();
        }
        if (!problem.empty())
            break;
        if (result.isError()) {
            asking.doubt();
            if (isPassing(result) && tries++ < mostTries)
                continue;
            conflictIfLocked(result, keys, options);
            std::rethrow_exception(errorOf(result));
        }
        session.noteBackend(static_cast<int>(result.integer(0, quick ? 1 : 9)));
        if (!session.isUsable()) // what was locked is in a session of somebody else's now
            co_return co_await acquireRows(std::move(keys), std::move(options));
        std::optional<Grant> grant;
        if (std::exchange(quick, false)) {
            if (result.isNull(0, 0)) {
                if (result.isTrue(0, 2))
                    asking.doubt();
                continue;
            }
            grant = quickGrant(result, options, call.sentAt());
        } else {
            const Taking taking(result, keys, call.sentAt());
            const bool isRefused = !result.isNull(0, 8);
            if (!taking.isTaken && !taking.key && isRefused && mayQueue(options)) {
                queued = static_cast<std::uint32_t>(result.integer(0, 8));
                continue;
            }
            if (!taking.isTaken)
                throw Conflict(taking.key.value_or(keys.front()), taking.holder, taking.remaining);
            grant = taking.grant(options.lease(), call.sentAt());
        }
        asking.becomeHeld(*options.owner(), keys);
        noteGranted(keys, options.owner(), *grant);
        co_return *grant;
    }
    // The session is over, and its locks with it; a row may be there, and is not taken for a lock
    // of anybody else's.
    if (options.isUniquelyOwned() && !isClosing())
        throw NotTaken(problem);
    throw OutcomeUnknown(problem);
}

//! A lock that has no row is held by an execute of Medusa's, whose others stand in line for it in
//! the server: there, whoever only tries never gets a turn. Who waits in a session keeps all else
//! in it waiting; so that is done in one of its own, by one call at a time.
bool Provider::mayQueue(const AcquireOptions& options) const
{
    const Connection& line = m_lane.connection();
    return options.look() && m_lane.isFree() && !m_session.isPooled()
        && (line.isReady() || !line.problem());
}

//! True: it is locked in the lane's session. In a transaction of its own: a server does not notice
//! that who waits is gone, and would take the row for him.
Task<bool> Provider::standInLine(std::uint32_t hash)
{
    const Duration most = std::min(longestInLine, m_settings.endpoint.statementTimeout / 2);
    Parameters parameters;
    parameters << std::to_string(hash) << std::to_string(most.count());
    return sendAside(&m_lane.connection(), &m_statements.wait, std::move(parameters));
}

void Provider::addUnlock(Call& call, const Session::Locks& locks)
{
    if (!locks.empty())
        call.addAside(m_statements.unlock, unlockParameters(locks));
}

Task<Renewal> Provider::renew(LockKeys keys, std::string owner, std::optional<Duration> lease)
{
    requireText(keys, owner);
    if (hasLost(keys, owner))
        co_return Renewal::lost(keys.front());
    Session* const session = sessionOf(keys, owner);
    Call call(session ? session->connection() : m_work, lease ? Effect::Mutates : Effect::Reads);
    if (lease && keys.size() > 1)
        call.addAside(m_statements.queue, Parameters() << placesOf(hashesOf(keys)));
    Parameters parameters;
    parameters << arrayOf(keys) << owner;
    if (lease)
        parameters << msText(lease);
    call.add(lease ? m_statements.extend : m_statements.look, std::move(parameters));
    call.send();
    const Result result = co_await call.result();
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    if (result.integer(0, 0) < static_cast<std::int64_t>(keys.size()))
        co_return Renewal::lost(result.optional(0, 2).value_or(keys.front()));
    if (lease)
        noteChanged(keys);
    if (result.isNull(0, 1))
        co_return Renewal::until({});
    co_return Renewal::until(call.sentAt() + countable(result.integer(0, 1)));
}

} // namespace lockboard::postgres
