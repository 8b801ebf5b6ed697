// SPDX-License-Identifier: MIT
#include "engine/postgres/administration/session_ending.h"
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/view/live_view.h"
#include "engine/postgres/wire/template.h"

namespace lockboard::postgres {

Task<std::string> Provider::endSession(int pid, bool cancel, std::vector<std::string> words)
{
    SessionEnding ending(pid, cancel, words, [this](std::uint32_t hash) { return nameOf(hash); });
    if (isOwnBackend(pid))
        throw InvalidArgument("Process " + std::to_string(pid) + " is this Lockboard's own.");
    const TimePoint asked = m_shared.clock->now();
    Result look = co_await ask(ending.look(), ending.lookParameters());
    ending.take(std::move(look), std::chrono::ceil<Duration>(m_shared.clock->now() - asked));
    const Result ended =
        co_await change(ending.end(m_bulk.serverVersion()), ending.endParameters());
    noteAllChanged();
    if (ended.rows() > 0 && ended.isTrue(0, 0) && ending.hasNameless()) {
        try {
            const Result rows = co_await ask(
                Statement({},
                          qualified("SELECT l.id FROM ") + m_statements.table
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

//! As a live view knows it, if there is one.
std::string Provider::nameOf(std::uint32_t hash) const
{
    const std::string unknown = "advisory:" + std::to_string(hash);
    for (const auto& view : m_views) {
        const std::string name = view ? view->nameOf(hash) : unknown;
        if (name != unknown)
            return '"' + printableStart(name) + '"';
    }
    return unknown;
}

} // namespace lockboard::postgres
