// SPDX-License-Identifier: MIT
#include "app/lockboardctl/duration.h"
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/snapshot.h"
#include "app/lockboardctl/terminal_question.h"
#include "app/lockboardctl/verbs.h"

#include <QJsonObject>

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static void print(const Session& session, const std::string& done, bool json)
{
    if (!json) {
        writeLine(printable(done));
        return;
    }
    writeLine(QJsonObject{{u"provider"_s, QString::fromStdString(session.provider().id)},
                          {u"done"_s, QString::fromStdString(printable(done))}});
}

//! The advisory locks that a process holds or waits for.
static Task<std::vector<Lock>> locksOf(Session& session, std::string pid)
{
    std::vector<Lock> locks;
    std::function<bool(const LockBatch&)> consume = [&](const LockBatch& batch) {
        for (const Lock& lock : batch) {
            if (lock.isOfSession() && std::to_string(lock.note.fields().pid) == pid)
                locks.push_back(lock);
        }
        return true;
    };
    co_await readSnapshot(session, std::move(consume));
    co_return locks;
}

static std::string keysText(const std::vector<Lock>& locks, LockState state, const char* verb)
{
    std::string text;
    for (const Lock& lock : locks) {
        if (lock.state == state)
            text += (text.empty() ? verb : ", ") + ('"' + printableStart(lock.key) + '"');
    }
    return text;
}

static std::string questionFor(const Session& session, const std::vector<Lock>& locks, bool cancel)
{
    const HolderNote::Fields& note = locks.front().note.fields();
    std::string facts = "process " + std::to_string(note.pid);
    for (const std::string& fact : {note.program, note.host, note.user, note.activity}) {
        if (!fact.empty())
            facts += ", " + printableStart(fact);
    }
    if (note.transactionBegan) {
        const auto age =
            std::chrono::floor<std::chrono::seconds>(session.now() - *note.transactionBegan);
        facts += ", its transaction began " + formatDuration(std::max<Duration>(age, Duration(0)))
            + " ago";
    }
    const std::string held = keysText(locks, LockState::Advisory, "holds ");
    const std::string awaited = keysText(locks, LockState::Waiting, "waits for ");
    return (cancel ? "Cancel what this session is doing (" : "End this session (") + facts
        + ")? It " + held + (held.empty() || awaited.empty() ? "" : " and ") + awaited + '.';
}

static Task<int> endSession(Session& session, Arguments arguments)
{
    const std::string pid = arguments.keys[1];
    if (session.module().isReadOnly())
        throw ReadOnly("end-session");
    if (!arguments.yes && !canAsk()) {
        throw UsageError("end-session asks before it ends a session, and there is no terminal to "
                         "ask on: say --yes, or look first with list.");
    }
    std::vector<std::string> words{pid, arguments.cancel ? "cancel" : "terminate"};
    const std::vector<Lock> locks = co_await locksOf(session, pid);
    if (!locks.empty()) {
        if (!locks.front().note.fields().session.empty())
            words.push_back(locks.front().note.fields().session);
        if (!arguments.yes) {
            const bool agreed =
                co_await ask(session, questionFor(session, locks, arguments.cancel));
            if (!agreed) {
                complain("Nothing was ended.");
                co_return No;
            }
        }
    } // else it is refused, with the reason
    const std::string done = co_await session.module().administer("end-session", std::move(words),
                                                                  session.provider().id);
    print(session, done, arguments.json);
    co_return Done;
}

Task<int> runPostgres(Session& session, Arguments arguments)
{
    const std::string action = arguments.keys.front();
    const std::size_t count = arguments.keys.size();
    if (action == "end-session" && count == 2)
        co_return co_await endSession(session, std::move(arguments));
    if (action == "end-session")
        throw UsageError("end-session needs one PID.");
    if (arguments.cancel)
        throw UsageError("--cancel belongs to end-session.");
    if (count > 1 || (action != "install-trigger" && action != "remove-trigger"))
        throw UsageError(
            "postgres knows install-trigger, remove-trigger and end-session PID, not \""
            + printable(count > 1 ? arguments.keys[1] : action) + "\".");
    const std::string done =
        co_await session.module().administer(action, {}, session.provider().id);
    print(session, done, arguments.json);
    co_return Done;
}

} // namespace lockboard::ctl
