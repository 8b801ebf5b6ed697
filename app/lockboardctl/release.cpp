// SPDX-License-Identifier: MIT
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/verbs.h"

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static QString wordFor(ReleaseOutcome outcome)
{
    switch (outcome) {
    case ReleaseOutcome::Released:
        return u"released"_s;
    case ReleaseOutcome::NotHeld:
        return u"notHeld"_s;
    case ReleaseOutcome::Changed:
    case ReleaseOutcome::HeldByOther:
        return u"heldByOther"_s;
    case ReleaseOutcome::Unknown:
        break;
    }
    return u"unknown"_s;
}

static std::string sentenceFor(const KeyRelease& key, bool ifOver)
{
    const std::string name = '"' + printable(key.key) + '"';
    switch (key.outcome) {
    case ReleaseOutcome::Released:
        return "Released " + name + '.';
    case ReleaseOutcome::NotHeld:
        if (key.cleared)
            return "Was over already: " + name + "; its row is removed.";
        return ifOver ? "Nothing is left of " + name + ": it is free, or held."
                      : "Not held: " + name + '.';
    case ReleaseOutcome::Changed:
    case ReleaseOutcome::HeldByOther:
        return "Not released: " + name + " is held "
            + (key.holder ? "by \"" + printableStart(*key.holder) + "\"." : "without owner.");
    case ReleaseOutcome::Unknown:
        break;
    }
    return "Unknown: " + name + '.';
}

static void print(const std::string& provider, const KeyRelease& key, const Arguments& arguments)
{
    if (!arguments.json) {
        writeLine(sentenceFor(key, arguments.ifOver));
        return;
    }
    QJsonObject object{
        { u"provider"_s, QString::fromStdString(provider) },
        { u"outcome"_s, wordFor(key.outcome) },
        { u"holder"_s, QJsonValue() },
    };
    insertBytes(object, u"key"_s, key.key);
    if (key.holder)
        insertBytes(object, u"holder"_s, *key.holder);
    if (key.cleared)
        object.insert(u"cleared"_s, true);
    writeLine(object);
}

Task<int> runRelease(Session& session, Arguments arguments)
{
    ReleaseOptions options;
    options.ownedBy(arguments.actor()).at(session.provider().id).onlyIfOver(arguments.ifOver);
    const LockKeys keys(std::move(arguments.keys));
    const ReleaseResult result = co_await session.module().release(keys, std::move(options));
    bool unknown = false;
    bool others = false;
    bool allCleared = true;
    for (const KeyRelease& key : result.outcomes(keys)) {
        print(session.provider().id, key, arguments);
        unknown |= key.outcome == ReleaseOutcome::Unknown;
        others |= key.outcome == ReleaseOutcome::HeldByOther;
        allCleared &= key.cleared;
    }
    if (others && !arguments.ifOver)
        complain("To release another's lock, name its holder with --owner, or say --no-owner.");
    if (unknown) {
        complain("The outcome is unknown; look before you try again: the connection was lost "
                 "before the answer.");
        co_return Unreachable;
    }
    const bool done = arguments.ifOver ? allCleared : result.allReleased();
    co_return done ? Done : No;
}

} // namespace lockboard::ctl
