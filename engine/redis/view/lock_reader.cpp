// SPDX-License-Identifier: MIT
#include "engine/redis/view/lock_reader.h"

#include "engine/contract/errors.h"

#include <algorithm>
#include <iterator>

namespace lockboard::redis {

Page Page::otherTypes() const
{
    Page others;
    others.asked = asked;
    others.answered = answered;
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(others.entries),
                 [](const Entry& entry) { return entry.kind == Entry::OtherType; });
    return others;
}

//! The texts of the notes; none where they may not be read: they are no more than an extra.
static Task<Answers> askNotes(Client* client, std::vector<std::string> keys)
{
    for (std::string& key : keys)
        key = Notes::keyFor(key);
    try {
        co_return co_await client->ask(std::move(keys), "GET");
    } catch (const LockError&) {
    }
    co_return Answers();
}

Task<Page> readLocks(Client* client, const Clock* clock, std::vector<std::string> keys,
                     bool withNotes)
{
    Page page;
    Answers notes;
    // Sent behind the questions about the locks, without waiting for their answers.
    Task<Answers> asking = client->ask(keys, "GET", "PTTL");
    if (withNotes)
        notes = co_await askNotes(client, keys);
    const Answers answers = co_await asking;
    page.asked = answers.sentAt;
    page.answered = clock->now();
    page.entries.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Reply& value = answers.replies[2 * i];
        const Reply& left = answers.replies[2 * i + 1];
        Entry entry;
        entry.key = std::move(keys[i]);
        if (value.isDeniedKey()) {
            entry.kind = Entry::Denied;
        } else if (value.isError("WRONGTYPE")) {
            entry.kind = Entry::OtherType;
        } else if (value.isTooLong()) {
            entry.kind = Entry::TooLong;
            entry.value = value.description() + ", too long for an owner";
        } else {
            // It may go between the two questions.
            if (!value.isNil() && left.integer() != -2)
                entry.kind = Entry::Lock;
            entry.value = value.text();
            if (i < notes.replies.size() && notes.replies[i].isString())
                entry.note = Note::read(notes.replies[i].text(), entry.value);
        }
        if (left.integer() >= 0)
            entry.left = countable(left.integer());
        page.entries.push_back(std::move(entry));
    }
    co_return page;
}

Task<Page> nameTypes(Client* client, const Clock* clock, Page page)
{
    std::vector<std::string> keys;
    for (const Entry& entry : page.entries)
        keys.push_back(entry.key);
    Answers answers;
    try {
        answers = co_await client->ask(std::move(keys), "TYPE");
    } catch (const Denied&) {
        for (Entry& entry : page.entries)
            entry.value = "of a type that may not be asked for";
    }
    page.answered = clock->now();
    for (std::size_t i = 0; i < answers.replies.size(); ++i) {
        page.entries[i].value = printableStart(answers.replies[i].text(), 40);
        if (page.entries[i].value == "none")
            page.entries[i].kind = Entry::Absent;
    }
    co_return page;
}

} // namespace lockboard::redis
