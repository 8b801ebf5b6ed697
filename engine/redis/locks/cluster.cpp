// SPDX-License-Identifier: MIT
#include "engine/redis/locks/provider.h"

#include <algorithm>

// Calls with keys that different nodes of a cluster may keep. A script can be given keys of one
// slot only, so such a call is taken apart by slot.

namespace lockboard::redis {

using namespace std::chrono_literals;

static constexpr int mostUndoTries = 5;
static constexpr Duration undoPause = 100ms;

//! One part: all may go together.
Task<std::vector<LockKeys>> Provider::partsOf(LockKeys keys)
{
    co_await m_client.learn();
    std::vector<LockKeys> parts;
    if (!m_client.isCluster()) {
        parts.push_back(std::move(keys));
        co_return parts;
    }
    std::vector<std::string> names;
    for (const std::string& key : keys)
        names.push_back(stored(key));
    for (const std::vector<std::size_t>& group : m_client.together(names)) {
        std::vector<std::string> part;
        for (const std::size_t i : group)
            part.push_back(keys[i]);
        parts.emplace_back(std::move(part));
    }
    co_return parts;
}

Task<Grant> Provider::acquireMany(LockKeys keys, AcquireOptions options, std::string note,
                                  std::vector<Taken>* taken)
{
    std::vector<LockKeys> parts = co_await partsOf(keys);
    if (parts.size() == 1)
        co_return co_await acquireByScript(std::move(keys), std::move(options), std::move(note),
                                           taken);
    co_return co_await acquireParts(std::move(keys), std::move(parts), std::move(options),
                                    std::move(note), taken);
}

Task<Grant> Provider::acquireParts(LockKeys keys, std::vector<LockKeys> parts,
                                   AcquireOptions options, std::string note,
                                   std::vector<Taken>* told)
{
    // A look first: who waits for a lock shall not take and give back the others all the while.
    co_await refuseIfHeld(std::move(keys), options);
    // Everybody takes them in the order of the slots, so of two at least one gets on.
    std::vector<Taken> taken;
    std::exception_ptr problem;
    for (const LockKeys& part : parts) {
        try {
            co_await acquireByScript(part, options, note, &taken);
        } catch (const LockError&) {
            problem = std::current_exception();
            break;
        }
    }
    FencingToken token = 0;
    for (const Taken& part : taken)
        token = std::max(token, part.grant.token().value_or(0));
    if (!problem && token > 0) {
        try {
            co_await raiseTokens(parts, token);
        } catch (const LockError&) {
            problem = std::current_exception();
        }
    }
    if (problem) {
        std::string left;
        for (std::size_t i = taken.size(); i-- > 0;) {
            if (taken[i].isUnsure())
                continue;
            const std::string key = printable(taken[i].keys.front());
            const std::string failure = co_await undo(std::move(taken[i]), options);
            if (failure.empty())
                continue;
            left = "Could not give back the lock for key \"" + key
                + "\" after another key of the same call was refused: " + failure;
            if (!isClosing())
                log(LogLevel::Warning, left);
        }
        if (!left.empty())
            throw OutcomeUnknown(left); // any other error would say that nothing is held
        std::rethrow_exception(problem);
    }
    std::vector<KeyGrant> grants;
    for (const auto& [part, answer, grant] : taken) {
        if (!told)
            noteTaken(part, options, grant);
        const std::vector<KeyGrant> own = grant.outcomes(part);
        grants.insert(grants.end(), own.begin(), own.end());
    }
    std::sort(grants.begin(), grants.end(),
              [](const KeyGrant& a, const KeyGrant& b) { return a.key < b.key; });
    if (told)
        *told = std::move(taken);
    Grant grant({}, token > 0 ? std::optional(token) : std::nullopt);
    grant.withKeys(std::move(grants));
    co_return grant;
}

Task<void> Provider::raiseTokens(std::vector<LockKeys> parts, FencingToken token)
{
    // Each slot counts for itself, and all must have counted as far as the token that is given.
    std::vector<Task<Answer>> calls; // all at once
    for (const LockKeys& part : parts) {
        Eval eval(m_raiseScript, &shape::isDone, part.size());
        eval.addKey(counterFor(stored(part.front())));
        for (const std::string& key : part)
            eval.addKey(Notes::keyFor(stored(key)));
        eval.addArgument(std::to_string(token));
        calls.push_back(m_client.eval(std::move(eval)));
    }
    for (Task<Answer>& call : calls)
        co_await call;
}

Task<void> Provider::refuseIfHeld(LockKeys keys, AcquireOptions options)
{
    std::vector<std::string> names;
    for (const std::string& key : keys)
        names.push_back(stored(key));
    const Answers answers = co_await m_client.ask(std::move(names), "GET", "PTTL");
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Reply& value = answers.replies[2 * i];
        const std::int64_t left = answers.replies[2 * i + 1].integer();
        if (value.isNil() || value.isError()) // another type: the script says which
            continue;
        const Owner holder = ownerOf(value.text());
        const bool admitted =
            holder ? holder == options.owner() && options.reenters() : claims(options);
        if (admitted)
            continue;
        if (options.look() == 0 && m_push->isLive())
            noteForestalled(keys[i]);
        throw Conflict(keys[i], holder, left >= 0 ? std::optional(countable(left)) : std::nullopt);
    }
}

Task<std::string> Provider::undo(Taken taken, AcquireOptions options)
{
    const LockKeys& keys = taken.keys;
    const Reply told = taken.answer.reply.at(3);
    std::string problem;
    for (int tries = 0; tries < mostUndoTries; ++tries) {
        const auto passed = std::chrono::floor<Duration>(clock().now() - taken.answer.sentAt);
        Eval eval(m_undoScript, &shape::isDone, keys.size());
        eval.addArgument(options.owner().value_or(nobody));
        eval.addArgument(std::to_string(keys.size()));
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const Reply before = told.at(i);
            const std::int64_t left = before.at(1).integer();
            eval.addKey(stored(keys[i]));
            eval.addArgument(std::string(before.at(0).text()));
            eval.addArgument(
                std::to_string(left < 0 ? -1 : std::max<std::int64_t>(0, left - passed.count())));
            const bool isNote = before.at(2).isString(); // else it was too long to be kept
            eval.addArgument(isNote ? std::string(before.at(2).text()) : std::string());
        }
        if (m_notes.areWritten())
            addNotes(eval);
        bool again = false;
        try {
            co_await run(std::move(eval));
            problem.clear();
        } catch (const Unavailable& error) { // not sent
            again = true;
            problem = error.message();
        } catch (const LockError& error) {
            problem = error.message();
        }
        if (isClosing() || !again)
            break;
        co_await m_client.rest(undoPause * (1 << tries));
    }
    if (!isClosing())
        noteChanged({keys.begin(), keys.end()});
    co_return problem;
}

Task<Renewal> Provider::renewParts(std::vector<LockKeys> parts, std::string owner,
                                   std::optional<Duration> lease)
{
    std::vector<Task<Renewal>> calls; // all at once
    for (const LockKeys& part : parts)
        calls.push_back(renew(part, owner, lease));
    std::optional<Renewal> lost;
    std::optional<TimePoint> leaseEnd;
    std::exception_ptr problem;
    for (Task<Renewal>& call : calls) {
        try {
            const Renewal renewal = co_await call;
            if (!renewal.isHeld())
                lost = lost.value_or(renewal);
            else if (renewal.leaseEnd())
                leaseEnd = std::min(leaseEnd.value_or(*renewal.leaseEnd()), *renewal.leaseEnd());
        } catch (const LockError&) {
            problem = std::current_exception();
        }
    }
    if (lost)
        co_return *lost;
    if (problem)
        std::rethrow_exception(problem);
    co_return Renewal::until(leaseEnd);
}

Task<ReleaseResult> Provider::releaseMany(LockKeys keys, ReleaseOptions options)
{
    std::vector<LockKeys> parts = co_await partsOf(keys);
    if (parts.size() == 1)
        co_return co_await releaseByScript(std::move(keys), std::move(options));
    co_return co_await releaseParts(std::move(parts), std::move(options));
}

Task<ReleaseResult> Provider::releaseParts(std::vector<LockKeys> parts, ReleaseOptions options)
{
    std::vector<Task<ReleaseResult>> calls; // all at once
    for (const LockKeys& part : parts)
        calls.push_back(release(part, options, {}));
    std::vector<KeyRelease> left;
    std::exception_ptr problem;
    for (Task<ReleaseResult>& call : calls) {
        try {
            const ReleaseResult result = co_await call;
            left.insert(left.end(), result.left().begin(), result.left().end());
        } catch (const LockError&) {
            problem = std::current_exception();
        }
    }
    if (problem)
        std::rethrow_exception(problem);
    std::sort(left.begin(), left.end(),
              [](const KeyRelease& a, const KeyRelease& b) { return a.key < b.key; });
    co_return ReleaseResult(std::move(left));
}

} // namespace lockboard::redis
