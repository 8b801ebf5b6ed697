// SPDX-License-Identifier: MIT
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/verbs.h"

#include "engine/contract/safe_json.h"

#include <QJsonArray>
#include <QJsonObject>

#include <algorithm>

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static const char* wordFor(Finding::Level level)
{
    switch (level) {
    case Finding::Good:
        return "good";
    case Finding::Note:
        return "note";
    case Finding::Problem:
        break;
    }
    return "problem";
}

static void print(const std::string& id, const CheckReport& report, bool json)
{
    if (!json) {
        writeLine(printable(id) + (report.reachable ? ": reachable" : ": not reachable"));
        for (const Finding& finding : report.findings)
            writeLine("  " + std::string(wordFor(finding.level)) + ": "
                      + printable(finding.sentence));
        return;
    }
    QJsonArray findings;
    for (const Finding& finding : report.findings) {
        QJsonObject object{{u"level"_s, QString::fromLatin1(wordFor(finding.level))}};
        insertBytes(object, u"sentence"_s, finding.sentence);
        findings.append(object);
    }
    writeLine(QJsonObject{{u"provider"_s, QString::fromStdString(id)},
                          {u"reachable"_s, report.reachable},
                          {u"findings"_s, findings}});
}

Task<int> runCheck(Session& session, Arguments arguments)
{
    bool allReachable = true;
    bool allWell = true;
    for (const ProviderInfo& info : session.module().providers()) {
        if (!arguments.provider.empty() && info.id != session.provider().id)
            continue;
        const CheckReport report = co_await session.module().check(info.id);
        print(info.id, report, arguments.json);
        flushOutput();
        allReachable &= report.reachable;
        allWell &=
            std::none_of(report.findings.begin(), report.findings.end(),
                         [](const Finding& finding) { return finding.level == Finding::Problem; });
        if (session.stop().stop_requested())
            throw Cancelled();
    }
    if (!allReachable)
        co_return Unreachable;
    co_return allWell ? Done : No;
}

} // namespace lockboard::ctl
