// SPDX-License-Identifier: MIT
#include "engine/postgres/administration/administration.h"

#include "engine/postgres/administration/session_ending.h"
#include "engine/postgres/administration/trigger.h"
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/wire/template.h"

#include <limits>

namespace lockboard::postgres {

Task<std::string> Administration::installNotices(SharedContext)
{
    return changeTrigger(true);
}

Task<std::string> Administration::removeNotices(SharedContext)
{
    return changeTrigger(false);
}

Task<std::string> Administration::changeTrigger(bool install)
{
    const std::string schema = quotedName(m_provider.settings().schema);
    const Statements& ours = m_provider.statements();
    Statement statement({},
                        install ? installTriggerStatement(schema, ours.table, ours.channel)
                                : removeTriggerStatement(schema, ours.table, ours.channel));
    co_await m_provider.change(std::move(statement), {});
    const std::string shown = printable(ours.table);
    if (install)
        co_return "The trigger lockboard_notify tells of every change of " + shown + " now.";
    co_return "There is no trigger of Lockboard's on " + shown + " any more.";
}

Task<std::string> Administration::endSession(SeenSession seen, SessionEnd how, SharedContext)
{
    if (seen.pid() <= 0 || seen.pid() > std::numeric_limits<int>::max())
        throw InvalidArgument(std::to_string(seen.pid()) + " is not the number of a process.");
    if (m_provider.isOwnBackend(seen.pid()))
        throw InvalidArgument("Process " + std::to_string(seen.pid())
                              + " is this Lockboard's own.");
    Provider& provider = m_provider;
    const Clock& clock = *provider.container().clock;
    SessionEnding ending(std::move(seen), how, clock.now(),
                         [&provider](std::uint32_t hash) { return provider.nameOf(hash); });
    const TimePoint asked = clock.now();
    Result look = co_await provider.ask(ending.look(), ending.lookParameters());
    ending.take(std::move(look), std::chrono::ceil<Duration>(clock.now() - asked));
    const Result ended = co_await provider.change(ending.end(provider.bulk().serverVersion()),
                                                  ending.endParameters());
    provider.noteAllChanged();
    if (ended.rows() > 0 && ended.isTrue(0, 0) && ending.hasNameless()) {
        try {
            const Result rows = co_await provider.ask(
                Statement({},
                          qualified("SELECT l.id FROM ") + provider.statements().table
                              + qualified(" l WHERE l.id IS NOT NULL ORDER BY l.owner_id "
                                          "@like 'execute:%' DESC NULLS LAST LIMIT 20000"))
                    .answeredBy("t", 0, 20'000),
                {});
            for (int row = 0; row < rows.rows(); ++row)
                ending.takeName(rows.text(row, 0));
        } catch (const LockError&) {
            // the sentence does without
        }
    }
    co_return ending.sentence(ended);
}

} // namespace lockboard::postgres
