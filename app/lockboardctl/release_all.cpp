// SPDX-License-Identifier: MIT
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/snapshot.h"
#include "app/lockboardctl/terminal_question.h"
#include "app/lockboardctl/verbs.h"

#include <QJsonArray>

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static std::string locks(std::uint64_t count)
{
    return std::to_string(count) + (count == 1 ? " lock" : " locks");
}

static int nothingMatched()
{
    complain("There is nothing to release.");
    return No;
}

static Task<std::uint64_t> countLocks(Session& session, LockQuery query)
{
    std::uint64_t count = 0;
    std::function<bool(const LockBatch&)> consume = [&](const LockBatch& batch) {
        for (const Lock& lock : batch)
            count += query.matches(lock) ? 1 : 0;
        return true;
    };
    co_await readSnapshot(session, std::move(consume));
    co_return count;
}

static std::string questionFor(const Session& session, const Owner& owner, std::uint64_t count)
{
    return "Release " + std::string(owner ? "" : "all ") + locks(count)
        + (owner ? " of \"" + printableStart(*owner) + '"' : "") + " at provider \""
        + printable(session.provider().id) + "\"?";
}

static void print(const Session& session, const Owner& owner, const ReleaseAllResult& result,
                  bool json)
{
    if (json) {
        QJsonArray reasons;
        for (const auto& [reason, count] : result.reasons) {
            reasons.append(QJsonObject{ { u"reason"_s, QString::fromStdString(printable(reason)) },
                                        { u"count"_s, qint64(count) } });
        }
        QJsonObject object{
            { u"provider"_s, QString::fromStdString(session.provider().id) },
            { u"owner"_s, QJsonValue() },
            { u"released"_s, qint64(result.released) },
            { u"cleared"_s, qint64(result.cleared) },
            { u"left"_s, qint64(result.left()) },
            { u"reasons"_s, reasons },
            { u"cancelled"_s, result.cancelled },
        };
        if (result.interruption) {
            object.insert(u"interruption"_s,
                          QString::fromStdString(messageOf(result.interruption)));
        }
        if (owner)
            insertBytes(object, u"owner"_s, *owner);
        writeLine(object);
        return;
    }
    writeLine("Released " + locks(result.released) + '.');
    if (result.cleared > 0)
        writeLine("Removed what was left of " + locks(result.cleared)
                  + (result.cleared == 1 ? " that was over." : " that were over."));
    for (const auto& [reason, count] : result.reasons)
        writeLine("Left " + std::to_string(count) + ": " + printable(reason) + '.');
}

static Task<int> releaseThem(Session& session, Arguments arguments)
{
    ReleaseAllOptions options;
    options.ownedBy(arguments.owner).stoppedBy(session.stop()).at(session.provider().id);
    const bool tells = errorsGoToTerminal();
    if (tells) {
        options.reportingTo([](std::uint64_t released, std::uint64_t seen) {
            std::fprintf(stderr, "\rReleased %llu of %llu seen", qulonglong(released),
                         qulonglong(seen));
        });
    }
    const ReleaseAllResult result = co_await session.module().releaseAll(std::move(options));
    if (tells)
        std::fputs("\r\033[K", stderr); // the progress gives way to the result
    const std::uint64_t seen = result.released + result.cleared + result.left();
    if (seen == 0 && !result.cancelled && !arguments.json)
        co_return nothingMatched();
    print(session, arguments.owner, result, arguments.json);
    if (result.interruption)
        std::rethrow_exception(result.interruption);
    if (result.cancelled)
        throw Cancelled("Interrupted before all locks were seen.");
    co_return result.released + result.cleared > 0 ? Done : No;
}

Task<int> runReleaseAll(Session& session, Arguments arguments)
{
    LockQuery query(arguments);
    query.onlyHeld();
    if (arguments.dryRun) {
        const std::uint64_t count = co_await printLocks(session, query, arguments);
        co_return count > 0 ? int(Done) : nothingMatched();
    }
    if (session.module().isReadOnly())
        throw ReadOnly("release-all");
    if (!arguments.yes) {
        if (!canAsk()) {
            throw UsageError("release-all asks before it releases, and there is no terminal to ask "
                             "on: say --yes, or look first with --dry-run.");
        }
        const std::uint64_t count = co_await countLocks(session, query);
        if (count == 0)
            co_return nothingMatched();
        const bool agreed = co_await ask(session, questionFor(session, arguments.owner, count));
        if (!agreed) {
            complain("Nothing was released.");
            co_return No;
        }
    }
    co_return co_await releaseThem(session, std::move(arguments));
}

} // namespace lockboard::ctl
