// SPDX-License-Identifier: MIT
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/release_shown.h"
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

static Task<ShownLocks> find(Session& session, LockQuery query)
{
    ShownLocks found;
    std::function<bool(const LockBatch&)> consume = [&](const LockBatch& batch) {
        for (const Lock& lock : batch) {
            if (query.matches(lock))
                found.add(lock);
        }
        return true;
    };
    co_await readSnapshot(session, std::move(consume));
    co_return found;
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
    const bool sawAll = !result.cancelled && !result.interruption;
    if (json) {
        QJsonArray reasons;
        for (const auto& [reason, count] : result.reasons) {
            QJsonObject one{{u"count"_s, qint64(count)}};
            insertBytes(one, u"reason"_s, reason);
            reasons.append(one);
        }
        QJsonObject object{
            {u"provider"_s, QString::fromStdString(session.provider().id)},
            {u"owner"_s, QJsonValue()},
            {u"released"_s, qint64(result.released)},
            {u"cleared"_s, qint64(result.cleared)},
            // How many more there are is not known then.
            {u"left"_s, sawAll ? QJsonValue(qint64(result.left())) : QJsonValue()},
            {u"reasons"_s, reasons},
            {u"cancelled"_s, result.cancelled},
        };
        if (result.interruption)
            insertBytes(object, u"interruption"_s, messageOf(result.interruption));
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
    if (!sawAll)
        writeLine("Not all locks were seen; those that were not are left.");
}

//! All that there are, whoever takes them meanwhile.
static Task<ReleaseAllResult> releaseWhatThereIs(Session& session, Owner owner)
{
    ReleaseAllOptions options;
    options.ownedBy(std::move(owner)).stoppedBy(session.stop()).at(session.provider().id);
    options.reportingTo(showProgress);
    ReleaseAllResult result = co_await session.module().releaseAll(std::move(options));
    endProgress();
    co_return result;
}

static int report(const Session& session, const Arguments& arguments,
                  const ReleaseAllResult& result)
{
    const std::uint64_t seen = result.released + result.cleared + result.left();
    const bool sawAll = !result.cancelled && !result.interruption;
    if (seen == 0 && sawAll && !arguments.json)
        return nothingMatched();
    print(session, arguments.owner, result, arguments.json);
    flushOutput();
    if (result.interruption)
        std::rethrow_exception(result.interruption);
    if (result.cancelled)
        throw Cancelled("Interrupted before all locks were seen.");
    return result.released + result.cleared > 0 ? Done : No;
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
        const ShownLocks shown = co_await find(session, query);
        if (shown.count() == 0)
            co_return nothingMatched();
        const bool agreed =
            co_await ask(session, questionFor(session, arguments.owner, shown.count()));
        if (!agreed) {
            complain("Nothing was released.");
            co_return No;
        }
        const ReleaseAllResult result = co_await shown.release(session, query);
        co_return report(session, arguments, result);
    }
    const ReleaseAllResult result = co_await releaseWhatThereIs(session, arguments.owner);
    co_return report(session, arguments, result);
}

} // namespace lockboard::ctl
