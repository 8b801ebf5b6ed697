// SPDX-License-Identifier: MIT
#include "engine/redis/locks/provider.h"

// Taking locks.

namespace lockboard::redis {

Task<Grant> Provider::tryAcquire(LockKeys keys, AcquireOptions options, SharedContext context)
{
    if (keys.size() == 1 && m_settings.waitReplicas == 0 && !m_notes.areWritten()) {
        if (Connection* const server = serverFor(keys.front()))
            return acquireOne(std::move(keys), std::move(options), server);
    }
    if (m_settings.waitReplicas > 0)
        return takeReplicated(std::move(keys), std::move(options), std::move(context));
    return take(std::move(keys), std::move(options), std::move(context));
}

Task<Grant> Provider::take(LockKeys keys, AcquireOptions options, SharedContext context,
                           std::vector<Taken>* taken)
{
    std::string note;
    if (m_notes.areWritten())
        note = m_notes.textFor(options.owner().value_or(nobody), context);
    if (keys.size() > 1)
        return acquireMany(std::move(keys), std::move(options), std::move(note), taken);
    return acquireByScript(std::move(keys), std::move(options), std::move(note), taken);
}

Connection* Provider::serverFor(const std::string& key)
{
    return m_client.connectionFor(m_client.isCluster() ? stored(key) : std::string());
}

Call Provider::callToTake(Connection& server, const std::string& key,
                          const AcquireOptions& options) const
{
    const std::string name = stored(key);
    Command command("SET");
    command << name << (options.owner() ? *options.owner() : nobody) << "NX";
    std::string lease;
    if (options.lease()) {
        lease = std::to_string(options.lease()->count());
        command << "PX" << lease;
    }
    return Call(server, command, Effect::Mutates);
}

Task<Grant> Provider::acquireOne(LockKeys keys, AcquireOptions options, Connection* server)
{
    // Most locks are free when they are asked for; then the native command does, and is cheaper.
    Call call = callToTake(*server, keys.front(), options);
    Reply reply;
    std::string problem;
    try {
        reply = co_await call.answer();
    } catch (const OutcomeUnknown& error) {
        problem = error.message();
    }
    if (problem.empty())
        call.check(reply, reply.isError() || shape::isSet(reply), "SET");
    if (!problem.empty() || !reply.isStatus("OK"))
        co_return co_await acquireAfter(call, reply, problem, keys, options);
    std::optional<TimePoint> leaseEnd;
    if (options.lease())
        leaseEnd = call.sentAt() + *options.lease();
    noteHeld(keys, options.owner(), leaseEnd);
    co_return Grant(leaseEnd);
}

// No coroutine, and so the frame of the one that calls it is small enough to be had quickly.
Task<Grant> Provider::acquireAfter(const Call& call, const Reply& reply, const std::string& problem,
                                   LockKeys& keys, AcquireOptions& options)
{
    if (!problem.empty())
        return settleAcquire(std::move(keys), std::move(options), call.sentAt(), problem);
    if (reply.isError() && !Client::isRedirection(reply))
        call.check(reply);
    if (reply.isNil() && options.look() == 0 && m_push->isLive()) {
        noteForestalled(keys.front());
        throw Conflict(keys.front(), {}, {});
    }
    return acquireByScript(std::move(keys), std::move(options));
}

void Provider::throwIfRefused(const Reply& reply, const LockKeys& keys)
{
    const std::string_view word = reply.at(0).text();
    if (word != "held" && word != "type")
        return;
    const std::string& key = keys[reply.at(1).integer() - 1];
    if (word == "type")
        throw InvalidArgument("The key \"" + printable(key) + "\" holds a "
                              + printableStart(reply.at(2).text(), 40) + ", not a lock.");
    std::optional<Duration> remaining;
    if (reply.at(3).integer() >= 0)
        remaining = countable(reply.at(3).integer());
    throw Conflict(key, holderIn(reply.at(2)), remaining);
}

Owner Provider::holderIn(const Reply& value)
{
    return value.isTooLong() ? Owner('(' + value.description() + ')') : ownerOf(value.text());
}

//! The script's answer as what each key got.
static Grant grantOf(const LockKeys& keys, const AcquireOptions& options, const Answer& answer)
{
    std::optional<TimePoint> asked;
    if (options.lease())
        asked = answer.sentAt + *options.lease();
    std::vector<KeyGrant> grants;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Reply said = answer.reply.at(2);
        const std::int64_t kept = said.at(2 * i + 1).integer();
        std::optional<TimePoint> end = asked;
        if (!end && kept >= 0)
            end = answer.sentAt + countable(kept);
        grants.emplace_back(keys[i], end, said.at(2 * i).integer() != 0);
    }
    std::optional<FencingToken> token;
    if (!answer.reply.at(1).isNil())
        token = FencingToken(answer.reply.at(1).integer());
    Grant grant(grants.front().leaseEnd, token);
    grant.asExtension(grants.front().extended);
    if (grants.size() > 1)
        grant.withKeys(std::move(grants));
    return grant;
}

Task<Grant> Provider::acquireByScript(LockKeys keys, AcquireOptions options, std::string note,
                                      std::vector<Taken>* taken)
{
    if (m_notes.haveTokens() && !m_client.isKnown())
        co_await m_client.learn(); // which counter it is
    Eval eval(m_acquireScript, &shape::isAcquire, keys.size());
    for (const std::string& key : keys)
        eval.addKey(stored(key));
    eval.addArgument(options.owner().value_or(nobody));
    eval.addArgument(options.lease() ? std::to_string(options.lease()->count()) : std::string());
    eval.addArgument(claims(options) ? "1" : "0");
    eval.addArgument(options.reenters() ? "1" : "0");
    eval.addArgument(taken ? "1" : "0");
    if (!note.empty()) {
        addNotes(eval);
        if (m_notes.haveTokens())
            eval.addKey(counterFor(eval.keys.front()));
        eval.addArgument(std::to_string(keys.size()));
        eval.addArgument(note);
    }
    const TimePoint began = clock().now();
    Answer answer;
    std::string problem;
    bool unfit = false;
    eval.notingUnfit(&unfit);
    try {
        answer = co_await run(std::move(eval));
    } catch (const OutcomeUnknown& error) {
        if (unfit)
            throw; // whoever answers so is not asked again
        problem = error.message();
    }
    if (!problem.empty()) {
        const Grant held = co_await settleAcquire(keys, options, began, problem);
        Grant grant = held;
        if (m_notes.haveTokens()) {
            // The token went with the answer; the keys are ours, so an extension gives another.
            grant = co_await acquireByScript(keys, std::move(options), std::move(note));
            grant.asExtension(held.isExtension());
        }
        if (taken)
            taken->emplace_back(std::move(keys), Answer(), grant);
        co_return grant;
    }
    const bool forestalled = answer.reply.at(0).text() == "held" && options.look() == 0;
    if (m_notes.areWritten() && forestalled && m_push->isLive())
        noteForestalled(keys.front());
    throwIfRefused(answer.reply, keys);
    const Grant grant = grantOf(keys, options, answer);
    const bool isToldAll = !taken || answer.reply.at(3).size() == keys.size();
    if (!isToldAll || (m_notes.haveTokens() && !grant.token()))
        throw OutcomeUnknown("Redis granted the lock for key \"" + printable(keys.front())
                             + "\" and did not say all that was asked; it may be held.");
    if (taken)
        taken->emplace_back(std::move(keys), std::move(answer), grant);
    else
        noteTaken(keys, options, grant);
    co_return grant;
}

void Provider::noteTaken(const LockKeys& keys, const AcquireOptions& options, const Grant& grant)
{
    if (grant.isExtension() && !options.lease())
        noteChanged({keys.begin(), keys.end()}); // each has the lease it had
    else
        noteHeld(keys, options.owner(), grant.leaseEnd());
}

Task<Grant> Provider::settleAcquire(LockKeys keys, AcquireOptions options, TimePoint began,
                                    std::string problem)
{
    const Owner owner = options.owner();
    Grant grant;
    try {
        grant = co_await settle(keys, std::move(options), began, m_settings.endpoint.commandTimeout,
                                problem);
    } catch (const Cancelled&) {
        throw OutcomeUnknown(problem + "; the provider was closed before it could look again");
    }
    noteHeld(keys, owner, grant.leaseEnd());
    co_return grant;
}

} // namespace lockboard::redis
