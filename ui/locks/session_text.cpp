// SPDX-License-Identifier: MIT
#include "ui/locks/session_text.h"

#include "ui/locks/formatting.h"

#include <QCoreApplication>

#include <algorithm>

namespace lockboard {

using namespace Qt::StringLiterals;

QString sessionName(const HolderNote::Fields& session)
{
    QString name;
    if (!session.host.empty())
        name = isolated(shownText(session.host)) + u' ';
    name += session.program.empty() ? QCoreApplication::translate("Session", "process")
                                    : isolated(shownText(session.program));
    return name + u"[%1]"_s.arg(session.pid);
}

static QString ageText(TimePoint began, TimePoint now)
{
    return durationText(std::max(Duration(0), std::chrono::floor<Duration>(now - began)));
}

//! Behind many others waits who waits long: of those, who holds is the one to know.
static QString blockersText(const std::vector<std::int64_t>& blockers,
                            const std::vector<std::int64_t>& holders)
{
    const auto tr = [](const char* text) { return QCoreApplication::translate("Session", text); };
    const auto holder =
        std::find_first_of(blockers.begin(), blockers.end(), holders.begin(), holders.end());
    const QString first = holder == blockers.end()
        ? QString::number(blockers.front())
        : tr("%1 (holder)").arg(QString::number(*holder));
    return blockers.size() == 1
        ? tr("Blocked by process %1").arg(first)
        : tr("Blocked by process %1 and %2 more").arg(first, numberText(blockers.size() - 1));
}

QStringList sessionLines(const HolderNote::Fields& session, TimePoint now,
                         const std::vector<std::int64_t>& holders)
{
    const auto tr = [](const char* text) { return QCoreApplication::translate("Session", text); };
    QStringList lines;
    if (!session.user.empty())
        lines << tr("User %1").arg(shownText(session.user));
    if (!session.activity.empty())
        lines << tr("The session is %1").arg(shownText(session.activity));
    if (session.transactionBegan)
        lines << tr("Its transaction began %1 ago").arg(ageText(*session.transactionBegan, now));
    if (session.queryBegan)
        lines << tr("Its latest query began %1 ago").arg(ageText(*session.queryBegan, now));
    if (!session.blockedBy.empty())
        lines << blockersText(session.blockedBy, holders);
    return lines;
}

} // namespace lockboard
