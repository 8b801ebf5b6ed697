// SPDX-License-Identifier: MIT
#include "ui/locks/session_text.h"

#include "ui/locks/formatting.h"

#include <QCoreApplication>

namespace lockboard {

using namespace Qt::StringLiterals;

QString sessionName(const HolderNote::Fields& session)
{
    QString name;
    if (!session.host.empty())
        name = shownText(session.host) + u' ';
    name += session.program.empty() ? QCoreApplication::translate("Session", "process")
                                    : shownText(session.program);
    return name + u"[%1]"_s.arg(session.pid);
}

static QString ageText(TimePoint began, TimePoint now)
{
    return durationText(std::max(Duration(0), std::chrono::floor<Duration>(now - began)));
}

QStringList sessionLines(const HolderNote::Fields& session, TimePoint now)
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
    QStringList blockers;
    for (const std::int64_t pid : session.blockedBy)
        blockers << QString::number(pid);
    if (!blockers.isEmpty())
        lines << tr("Blocked by process %1").arg(blockers.join(u", "_s));
    return lines;
}

} // namespace lockboard
