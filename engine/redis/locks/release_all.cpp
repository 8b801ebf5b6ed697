// SPDX-License-Identifier: MIT
#include "engine/redis/locks/provider.h"

#include <algorithm>

namespace lockboard::redis {

static constexpr int mostPasses = 3;
static const char* const takenMeanwhile = "taken by somebody else meanwhile";
static const char* const keyTooLong = "under a key that is too long to be read";
static const char* const tooLong = "of an owner that is too long to be read";
static const char* const unanswered = "of unknown outcome, because the answer was lost";
static const char* const notALock = "of another type, and so no lock";

Task<ReleaseAllResult> Provider::releaseAll(ReleaseAllOptions options, SharedContext)
{
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
    std::uint64_t seen = 0;
    co_await m_client.learn();
    co_await m_client.refresh();
    for (int pass = 0; pass < mostPasses && !result->cancelled; ++pass) {
        // What moves from one node to another in the midst of it may escape us.
        const std::uint64_t topology = m_client.topologyNumber();
        result->reasons.clear();
        std::vector<QPointer<Connection>> servers;
        for (Connection* const server : m_client.masters())
            servers.emplace_back(server);
        if (servers.empty() && m_client.problem())
            std::rethrow_exception(m_client.problem());
        for (const QPointer<Connection>& server : servers)
            co_await releasePagesOf(server, options, result, &seen);
        co_await m_client.refresh();
        if (topology == m_client.topologyNumber())
            break;
    }
}

Task<void> Provider::releasePagesOf(QPointer<Connection> server, ReleaseAllOptions options,
                                    ReleaseAllResult* result, std::uint64_t* seen)
{
    Scan scan(m_settings.keyspace, m_scanPattern);
    while (!scan.isOver()) {
        if (options.stopToken().stop_requested()) {
            result->cancelled = true;
            break;
        }
        if (!server)
            break; // it has left the cluster, and another pass follows
        const std::string name = server->endpoint().name();
        if (scan.isFirst()) {
            Call size(*server, Command("DBSIZE"), Effect::Reads);
            scan.expect(co_await size.answer(), name);
            if (!server)
                break;
        }
        Call call(*server, scan.command(), Effect::Reads, Scan::limits());
        std::vector<std::string> page = scan.take(co_await call.answer(), name);
        if (page.empty())
            continue;
        *seen += page.size();
        co_await releasePage(std::move(page), options.owner(), result);
        options.report(result->released, *seen);
    }
    if (scan.tooLong() > 0)
        result->leave(keyTooLong, scan.tooLong());
}

Task<void> Provider::releasePage(std::vector<std::string> page, Owner owner,
                                 ReleaseAllResult* result)
{
    std::vector<Owner> owners(page.size(), owner);
    std::vector<std::string> expected;
    std::set<std::string> unread;
    if (!owner) {
        // Every lock: then each must be the one that is there now.
        const Answers values = co_await m_client.ask(page, "GET");
        for (std::size_t i = 0; i < page.size(); ++i) {
            const Reply& value = values.replies[i];
            const bool isLock = !value.isNil() && !value.isError();
            expected.push_back(isLock ? 'v' + std::string(value.text()) : std::string());
            owners[i] = ownerOf(isLock ? value.text() : std::string_view());
            if (value.isTooLong())
                unread.insert(page[i]);
        }
    }
    const std::vector<std::vector<std::size_t>> groups = m_client.together(page);
    std::vector<Task<Answer>> calls; // all at once
    for (const std::vector<std::size_t>& group : groups) {
        Eval eval(m_releasePageScript, &shape::isReleasePage, group.size());
        eval.addArgument(owner ? "all" : "each");
        if (owner)
            eval.addArgument(*owner);
        for (const std::size_t i : group) {
            eval.addKey(page[i]);
            if (!owner)
                eval.addArgument(std::move(expected[i]));
        }
        if (m_notes.areWritten())
            addNotes(eval);
        if (owner && m_notes.areWritten())
            eval.addArgument(std::to_string(group.size()));
        calls.push_back(run(std::move(eval)));
    }
    std::exception_ptr problem;
    for (std::size_t call = 0; call < calls.size(); ++call) {
        std::string letters;
        try {
            const Answer answer = co_await calls[call];
            letters = answer.reply.text();
        } catch (const OutcomeUnknown&) {
            problem = std::current_exception(); // but others have come through
            result->leave(unanswered, groups[call].size());
        } catch (const LockError&) {
            problem = std::current_exception();
        }
        for (std::size_t n = 0; n < std::min(letters.size(), groups[call].size()); ++n) {
            const std::size_t i = groups[call][n];
            if (letters[n] == 'r') {
                ++result->released;
                noteGone(std::string(lockKey(page[i])), owners[i]);
            } else if (!owner && letters[n] == 'o') {
                result->leave(unread.contains(page[i]) ? tooLong : takenMeanwhile);
            } else if (!owner && letters[n] == 't') {
                result->leave(notALock);
            }
        }
    }
    if (problem)
        std::rethrow_exception(problem);
}

} // namespace lockboard::redis
