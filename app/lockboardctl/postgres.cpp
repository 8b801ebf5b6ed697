// SPDX-License-Identifier: MIT
#include "app/lockboardctl/duration.h"
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/key_names.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/session_target.h"
#include "app/lockboardctl/snapshot.h"
#include "app/lockboardctl/terminal_question.h"
#include "app/lockboardctl/verbs.h"

#include "engine/contract/credentials.h"
#include "engine/contract/seen_session.h"

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
static Task<std::vector<Lock>> locksOf(Session& session, std::int64_t pid)
{
    std::vector<Lock> locks;
    std::function<bool(const LockBatch&)> consume = [&](const LockBatch& batch) {
        for (const Lock& lock : batch) {
            if (lock.isOfSession() && lock.note.fields().pid == pid)
                locks.push_back(lock);
        }
        return true;
    };
    co_await readSnapshot(session, std::move(consume));
    co_return locks;
}

//! What --name and --names-from tell of them.
static Task<void> setNames(Session& session, Arguments arguments, std::vector<Lock> locks,
                           SeenSession* listed)
{
    KeyNames names(arguments);
    std::set<std::uint32_t> hashes;
    for (const Lock& lock : locks)
        hashes.insert(listedHash(lock.key));
    const KeyNames::Found found = co_await names.find(session, std::move(hashes));
    for (const Lock& lock : locks) {
        Listed row(lock);
        row.hash = listedHash(lock.key);
        if (const auto known = found.find(row.hash); known != found.end()) {
            row.setNames(known->second);
            listed->setName(row.hash, row.names.empty() ? row.lock.key : row.shownKey());
        }
    }
}

static std::string keysText(const std::vector<std::string>& names, const char* verb)
{
    static constexpr std::size_t most = 10;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
        text += (text.empty() ? verb : ", ") + ('"' + printableStart(names[i]) + '"');
    if (names.size() > most)
        text += " and " + std::to_string(names.size() - most) + " more";
    return text;
}

static std::string questionFor(const Session& session, const SeenSession& listed, bool cancel)
{
    const HolderNote::Fields& note = listed.note();
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
    const std::string held = keysText(listed.namesOf(true), "holds ");
    const std::string awaited = keysText(listed.namesOf(false), "waits for ");
    return (cancel ? "Cancel what this session is doing (" : "End this session (") + facts
        + ")? It " + held + (held.empty() || awaited.empty() ? "" : " and ") + awaited + '.';
}

//! What is known of the end of a session that holds a lock for a job, and what is not.
static const char* const jobRunsOn =
    "Medusa's execute holds its lock in a session of its own, and the job works on other "
    "connections: the lock is freed, but the job is not told. It may run on, and the next one "
    "beside "
    "it. To be sure, stop the process that runs it first.";

static Task<int> endSession(Session& session, Arguments arguments)
{
    const SessionTarget target = SessionTarget::parse(arguments.keys[1]);
    if (session.module().isReadOnly())
        throw ReadOnly("end-session");
    if (!arguments.yes && !canAsk()) {
        throw UsageError("end-session asks before it ends a session, and there is no terminal to "
                         "ask on: say --yes, or look first with list.");
    }
    SeenSession seen(target.pid());
    const std::vector<Lock> locks = co_await locksOf(session, target.pid());
    if (!locks.empty()) {
        SeenSession listed(locks);
        if (!target.fits(listed.note())) {
            throw InvalidArgument("Process " + std::to_string(target.pid())
                                  + " is another session by now; it is left alone.");
        }
        co_await setNames(session, arguments, locks, &listed);
        if (!arguments.yes) {
            const bool agreed =
                co_await ask(session, questionFor(session, listed, arguments.cancel));
            bool isSure = agreed;
            if (agreed && listed.holdsForAJob() && !arguments.jobMayRunOn) {
                const bool again =
                    co_await ask(session, std::string(jobRunsOn) + " Free the lock all the same?");
                isSure = again;
            }
            if (!isSure) {
                complain("Nothing was ended.");
                co_return No;
            }
        } else if (listed.holdsForAJob() && !arguments.jobMayRunOn) {
            throw UsageError(std::string(jobRunsOn)
                             + " To free it all the same, say --job-may-run-on too.");
        }
        seen = std::move(listed);
    } else if (!arguments.yes) {
        // It may hold some all the same, and nobody could say which.
        throw InvalidArgument("The list shows no advisory lock that process "
                              + std::to_string(target.pid())
                              + " holds or waits for; it is left alone. If it is another "
                                "Lockboard's, whose jobs are listed by their rows, --yes ends its "
                                "session, and with it all of its jobs.");
    }
    target.narrow(seen, session.now());
    const SessionEnd how = arguments.cancel ? SessionEnd::Cancel : SessionEnd::Terminate;
    const std::string done =
        co_await session.module().endSession(std::move(seen), how, session.provider().id);
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
    if (arguments.jobMayRunOn)
        throw UsageError("--job-may-run-on belongs to end-session.");
    if (!arguments.names.empty() || arguments.namesFrom)
        throw UsageError("--name and --names-from belong to end-session.");
    if (count > 1 || (action != "install-trigger" && action != "remove-trigger"))
        throw UsageError(
            "postgres knows install-trigger, remove-trigger and end-session PID, not \""
            + shownWord(count > 1 ? arguments.keys[1] : action) + "\".");
    Task<std::string> call = action == "install-trigger"
        ? session.module().installNotices(session.provider().id)
        : session.module().removeNotices(session.provider().id);
    const std::string done = co_await call;
    print(session, done, arguments.json);
    co_return Done;
}

} // namespace lockboard::ctl
