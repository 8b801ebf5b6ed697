// SPDX-License-Identifier: MIT
#include "engine/redis/redis_lock_reader.h"

#include "engine/errors.h"

#include <algorithm>
#include <iterator>

namespace lockboard {

RedisPage RedisPage::otherTypes() const
{
    RedisPage others;
    others.asked = asked;
    others.answered = answered;
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(others.entries),
                 [](const RedisEntry& entry) { return entry.kind == RedisEntry::OtherType; });
    return others;
}

//! The texts of the notes; none where they may not be read: they are no more than an extra.
static Task<RedisAnswers> askNotes(RedisClient* client, std::vector<std::string> keys)
{
    for (std::string& key : keys)
        key = RedisNotes::keyFor(key);
    try {
        co_return co_await client->ask(std::move(keys), "GET");
    } catch (const LockError&) {
    }
    co_return RedisAnswers();
}

Task<RedisPage> readLocks(RedisClient* client, const Clock* clock, std::vector<std::string> keys,
                          bool withNotes)
{
    RedisPage page;
    RedisAnswers notes;
    // Sent behind the questions about the locks, without waiting for their answers.
    Task<RedisAnswers> asking = client->ask(keys, "GET", "PTTL");
    if (withNotes)
        notes = co_await askNotes(client, keys);
    const RedisAnswers answers = co_await asking;
    page.asked = answers.sentAt;
    page.answered = clock->now();
    page.entries.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const RedisReply& value = answers.replies[2 * i];
        const RedisReply& left = answers.replies[2 * i + 1];
        RedisEntry entry;
        entry.key = std::move(keys[i]);
        if (value.isDeniedKey()) {
            entry.kind = RedisEntry::Denied;
        } else if (value.isError("WRONGTYPE")) {
            entry.kind = RedisEntry::OtherType;
        } else if (value.isTooLong()) {
            entry.kind = RedisEntry::TooLong;
            entry.value = value.description() + ", too long for an owner";
        } else {
            // It may go between the two questions.
            if (!value.isNil() && left.integer() != -2)
                entry.kind = RedisEntry::Lock;
            entry.value = value.text();
            if (i < notes.replies.size() && notes.replies[i].isString())
                entry.note = RedisNote::read(notes.replies[i].text(), entry.value);
        }
        if (left.integer() >= 0)
            entry.left = countable(left.integer());
        page.entries.push_back(std::move(entry));
    }
    co_return page;
}

Task<RedisPage> nameTypes(RedisClient* client, const Clock* clock, RedisPage page)
{
    std::vector<std::string> keys;
    for (const RedisEntry& entry : page.entries)
        keys.push_back(entry.key);
    RedisAnswers answers;
    try {
        answers = co_await client->ask(std::move(keys), "TYPE");
    } catch (const Denied&) {
        for (RedisEntry& entry : page.entries)
            entry.value = "of a type that may not be asked for";
    }
    page.answered = clock->now();
    for (std::size_t i = 0; i < answers.replies.size(); ++i) {
        page.entries[i].value = printableStart(answers.replies[i].text(), 40);
        if (page.entries[i].value == "none")
            page.entries[i].kind = RedisEntry::Absent;
    }
    co_return page;
}

} // namespace lockboard
