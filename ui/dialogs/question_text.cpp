// SPDX-License-Identifier: MIT
#include "ui/dialogs/question_text.h"

#include "ui/locks/formatting.h"

#include <QCoreApplication>

namespace lockboard {

using namespace Qt::StringLiterals;

static QString tr(const char* text)
{
    return QCoreApplication::translate("Question", text);
}

QString namesText(const std::vector<std::string>& names, std::uint64_t count)
{
    QStringList quoted;
    for (const std::string& name : names)
        quoted << inQuotes(name);
    const QString text = quoted.join(u", "_s);
    return count > names.size() ? tr("%1 and %2 more").arg(text, numberText(count - names.size()))
                                : text;
}

QString holdersText(const SeenLocks::Summary& locks)
{
    const Owner& first = locks.firstOwners.front();
    if (locks.owners > 1) {
        std::vector<std::string> names;
        for (const Owner& owner : locks.firstOwners) {
            if (owner)
                names.push_back(*owner);
        }
        return tr("They have %1 different holders: %2.")
            .arg(numberText(locks.owners), namesText(names, locks.owners));
    }
    if (locks.held == 1)
        return first ? tr("It is held by %1.").arg(inQuotes(*first))
                     : tr("It is held without an owner.");
    return first ? tr("They are held by %1.").arg(inQuotes(*first))
                 : tr("They are held without an owner.");
}

QString warningText()
{
    return tr("Holders are not told: work that relies on a lock may then run twice at the same "
              "time.");
}

QString residueText(const SeenLocks::Summary& locks)
{
    if (locks.over > 1)
        return tr("Their leases are over, and nobody has cleaned up: no work is interrupted. One "
                  "that somebody takes meanwhile is left alone.");
    const QString holder = locks.overOwner
        ? tr("its holder %1 has not cleaned up").arg(inQuotes(*locks.overOwner))
        : tr("nobody has cleaned up");
    return tr("Its lease is over, and %1: no work is interrupted. If somebody takes it meanwhile, "
              "it is left alone.")
        .arg(holder);
}

QString placeText(const SeenLocks& locks, const SeenLocks::Summary& summary)
{
    const std::uint64_t count = summary.held > 0 ? summary.held : summary.over;
    const QString names = namesText(summary.firstKeys, count);
    return tr("At %1: %2. What is taken anew after this question is left alone.")
        .arg(isolated(shownText(locks.provider())), names);
}

QString loadingText(const SeenLocks& locks)
{
    return locks.isComplete() ? QString()
                              : tr("The list is still loading: what it does not show yet stays.");
}

} // namespace lockboard
