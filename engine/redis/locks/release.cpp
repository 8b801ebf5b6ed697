// SPDX-License-Identifier: MIT
#include "engine/redis/locks/provider.h"

#include <algorithm>

// Extending locks that are held, and giving them back.

namespace lockboard::redis {

Task<Renewal> Provider::renew(LockKeys keys, std::string owner, std::optional<Duration> lease)
{
    if (keys.size() > 1) {
        std::vector<LockKeys> parts = co_await partsOf(keys);
        if (parts.size() > 1)
            co_return co_await renewParts(std::move(parts), std::move(owner), lease);
    }
    Eval eval(m_extendScript, &shape::isExtend, keys.size());
    for (const std::string& key : keys)
        eval.addKey(stored(key));
    eval.addArgument(owner);
    eval.addArgument(lease ? std::to_string(lease->count()) : std::string());
    if (m_notes.areWritten()) {
        addNotes(eval);
        eval.addArgument(std::to_string(keys.size()));
    }
    const Answer answer = co_await run(std::move(eval));
    const std::int64_t lost = answer.reply.at(0).integer();
    if (lost > 0)
        co_return Renewal::lost(keys[static_cast<std::size_t>(lost) - 1]);
    const std::int64_t least = answer.reply.at(1).integer();
    std::optional<TimePoint> leaseEnd;
    if (lease) {
        leaseEnd = answer.sentAt + *lease;
        noteHeld(keys, owner, leaseEnd);
    } else if (least >= 0) {
        leaseEnd = answer.sentAt + countable(least);
    }
    co_return Renewal::until(leaseEnd);
}

static ReleaseResult noneReleased(const LockKeys& keys, ReleaseOutcome outcome)
{
    std::vector<KeyRelease> left;
    for (const std::string& key : keys)
        left.emplace_back(key, outcome);
    return ReleaseResult(std::move(left));
}

Task<ReleaseResult> Provider::release(LockKeys keys, ReleaseOptions options, SharedContext)
{
    if (options.isOnlyIfOver()) // Redis keeps nothing of those
        return ready(noneReleased(keys, ReleaseOutcome::NotHeld));
    if (keys.size() > 1)
        return releaseMany(std::move(keys), std::move(options));
    Connection* const server = serverFor(keys.front());
    if (!server || m_notes.areWritten() || m_client.isCluster() || options.expected(keys.front()))
        return releaseByScript(std::move(keys), std::move(options));
    return releaseOne(std::move(keys), std::move(options), server);
}

Call Provider::callToRelease(Connection& server, const std::string& key, const Owner& owner) const
{
    const std::string name = stored(key);
    Command command("EVALSHA");
    command << m_releaseScript.sha1 << "1" << name << (owner ? *owner : nobody)
            << (m_settings.ownerless == Ownerless::Claimable ? "1" : "0");
    return Call(server, command, Effect::Mutates);
}

//! As releaseByScript(), with less to carry along.
Task<ReleaseResult> Provider::releaseOne(LockKeys keys, ReleaseOptions options, Connection* server)
{
    Call call = callToRelease(*server, keys.front(), options.owner());
    Reply reply;
    try {
        reply = co_await call.answer();
    } catch (const OutcomeUnknown&) {
        co_return noneReleased(keys, ReleaseOutcome::Unknown);
    }
    if (reply.isError()) // which says that nothing was done
        co_return co_await releaseByScript(std::move(keys), std::move(options));
    call.check(reply, shape::isRelease(reply, 1), "EVALSHA (" + m_releaseScript.name + ')');
    co_return noteReleased(keys, options, reply);
}

Eval Provider::evalToRelease(const LockKeys& keys, const ReleaseOptions& options) const
{
    Eval eval(m_releaseScript, &shape::isRelease, keys.size());
    for (const std::string& key : keys)
        eval.addKey(stored(key));
    eval.addArgument(options.owner().value_or(nobody));
    eval.addArgument(m_settings.ownerless == Ownerless::Claimable ? "1" : "0");
    if (m_notes.areWritten()) {
        addNotes(eval);
        eval.addArgument(std::to_string(keys.size()));
    }
    return eval;
}

Eval Provider::evalToReleaseSeen(const LockKeys& keys, const ReleaseOptions& options) const
{
    const bool claims = m_settings.ownerless == Ownerless::Claimable;
    Eval eval(m_releaseSeenScript, &shape::isReleaseSeen, keys.size());
    eval.addArgument(std::to_string(keys.size()));
    eval.addArgument(std::to_string(SeenLock::tolerance.count()));
    for (const std::string& key : keys) {
        const SeenLock* const seen = options.expected(key);
        std::int64_t left = -1;
        if (seen && seen->leaseEnd)
            left = std::max<std::int64_t>(
                0, std::chrono::floor<Duration>(*seen->leaseEnd - clock().now()).count());
        eval.addKey(stored(key));
        eval.addArgument((seen ? seen->owner : options.owner()).value_or(nobody));
        eval.addArgument(seen ? "seen" : claims ? "claim" : "owner");
        eval.addArgument(seen && seen->token ? std::to_string(*seen->token) : std::string());
        eval.addArgument(std::to_string(left));
    }
    // Where tokens are counted, what lies beside the lock tells grants to one owner apart.
    if (m_notes.areKept())
        addNotes(eval);
    return eval;
}

Task<ReleaseResult> Provider::releaseByScript(LockKeys keys, ReleaseOptions options)
{
    const bool expects = std::any_of(keys.begin(), keys.end(), [&options](const std::string& key) {
        return options.expected(key) != nullptr;
    });
    Eval eval = expects ? evalToReleaseSeen(keys, options) : evalToRelease(keys, options);
    Answer answer;
    bool unfit = false;
    eval.notingUnfit(&unfit);
    try {
        answer = co_await run(std::move(eval));
    } catch (const OutcomeUnknown&) {
        if (unfit)
            throw;
        co_return noneReleased(keys, ReleaseOutcome::Unknown);
    }
    co_return noteReleased(keys, options, answer.reply);
}

ReleaseResult Provider::noteReleased(const LockKeys& keys, const ReleaseOptions& options,
                                     const Reply& reply)
{
    throwIfRefused(reply, keys);
    std::vector<KeyRelease> left;
    constexpr std::int64_t changed = 3;
    const bool brief = reply.isInteger();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Reply one = reply.at(i + 1);
        const std::int64_t how = brief ? reply.integer() : one.integer();
        const SeenLock* const seen = options.expected(keys[i]);
        const Owner& owner = seen ? seen->owner : options.owner();
        if (!brief && !one.isInteger())
            left.emplace_back(keys[i], ReleaseOutcome::HeldByOther, holderIn(one));
        else if (how == 0)
            left.emplace_back(keys[i], ReleaseOutcome::NotHeld);
        else if (how == changed)
            left.emplace_back(keys[i], ReleaseOutcome::Changed, owner);
        else // what waits goes on from the event loop, when all are free
            noteGone(keys[i], how == 1 ? owner : Owner());
    }
    return ReleaseResult(std::move(left));
}

} // namespace lockboard::redis
