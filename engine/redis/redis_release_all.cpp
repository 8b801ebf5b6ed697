// SPDX-License-Identifier: MIT
#include "engine/redis/redis_provider.h"

#include <algorithm>

namespace lockboard {

static const char* const takenMeanwhile = "taken by somebody else meanwhile";
static const char* const notALock = "of another type, and so no lock";

static RedisCommand scanCommand(const std::string& cursor, const std::string& pattern,
                                const std::string& count)
{
    RedisCommand command("SCAN");
    command << cursor << "MATCH" << pattern << "COUNT" << count;
    return command;
}

Task<ReleaseAllResult> RedisProvider::releaseAll(ReleaseAllOptions options, SharedContext)
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

Task<void> RedisProvider::releasePages(ReleaseAllOptions options, ReleaseAllResult* result)
{
    const std::string count = std::to_string(pageSize);
    std::string cursor = "0";
    std::uint64_t seen = 0;
    do {
        if (options.stopToken().stop_requested()) {
            result->cancelled = true;
            break;
        }
        RedisCall scan(*m_client.masters().front(), scanCommand(cursor, m_scanPattern, count),
                       RedisEffect::Reads);
        const RedisReply reply = co_await scan.answer();
        scan.check(reply);
        cursor = reply.at(0).text();
        std::vector<std::string> page;
        const RedisReply found = reply.at(1);
        for (std::size_t i = 0; i < found.size(); ++i)
            page.emplace_back(found.at(i).text());
        if (page.empty())
            continue;
        seen += page.size();
        co_await releasePage(std::move(page), options.owner(), result);
        options.report(result->released, seen);
    } while (cursor != "0");
}

Task<void> RedisProvider::releasePage(std::vector<std::string> page, Owner owner,
                                      ReleaseAllResult* result)
{
    RedisEval eval(m_releasePageScript);
    std::vector<Owner> owners(page.size(), owner);
    for (const std::string& key : page)
        eval.addKey(key);
    addNotes(eval);
    if (owner) {
        eval.addArgument("all");
        eval.addArgument(*owner);
        if (m_notes.areWritten())
            eval.addArgument(std::to_string(page.size()));
    } else {
        // Every lock: then each must be the one that is there now.
        eval.addArgument("each");
        const RedisAnswers values = co_await m_client.ask(page, "GET");
        for (std::size_t i = 0; i < page.size(); ++i) {
            const RedisReply& value = values.replies[i];
            const bool isLock = !value.isNil() && !value.isError();
            const std::string text(value.text());
            eval.addArgument(isLock ? 'v' + text : std::string());
            if (text != "*")
                owners[i] = text;
        }
    }
    const RedisAnswer answer = co_await m_client.eval(std::move(eval));
    const std::string letters(answer.reply.text());
    for (std::size_t i = 0; i < std::min(letters.size(), page.size()); ++i) {
        if (letters[i] == 'r') {
            ++result->released;
            noteGone(std::string(lockKey(page[i])), owners[i]);
        } else if (!owner && letters[i] == 'o') {
            result->leave(takenMeanwhile);
        } else if (!owner && letters[i] == 't') {
            result->leave(notALock);
        }
    }
}

} // namespace lockboard
