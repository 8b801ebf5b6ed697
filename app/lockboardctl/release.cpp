// SPDX-License-Identifier: MIT
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/verbs.h"
#include "engine/module/default_owner.h"

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static QString wordFor(ReleaseOutcome outcome)
{
    switch (outcome) {
    case ReleaseOutcome::Released:
        return u"released"_s;
    case ReleaseOutcome::NotHeld:
        return u"notHeld"_s;
    case ReleaseOutcome::HeldByOther:
        return u"heldByOther"_s;
    case ReleaseOutcome::Changed:
        return u"changed"_s;
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
    case ReleaseOutcome::HeldByOther:
        return "Not released: " + name + " is held "
            + (key.holder ? "by \"" + printableStart(*key.holder) + "\"." : "without owner.");
    case ReleaseOutcome::Changed:
        return "Not released: " + name + " was taken anew meanwhile.";
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
        {u"provider"_s, QString::fromStdString(provider)},
        {u"outcome"_s, wordFor(key.outcome)},
        {u"holder"_s, QJsonValue()},
    };
    insertBytes(object, u"key"_s, key.key);
    if (key.holder)
        insertBytes(object, u"holder"_s, *key.holder);
    if (key.cleared)
        object.insert(u"cleared"_s, true);
    writeLine(object);
}

//! Who holds the keys. It is asked by a release that expects an owner whom nobody has, so nothing
//! is released; what is left of a lock that was over may be removed.
static Task<std::vector<KeyRelease>> findHolders(Session& session, LockKeys keys)
{
    std::vector<SeenLock> nobodys;
    const std::string nobody = uniqueOwner();
    for (const std::string& key : keys)
        nobodys.emplace_back(Lock(key, nobody));
    ReleaseOptions options;
    options.ownedBy(nobody).expecting(std::move(nobodys)).at(session.provider().id);
    const ReleaseResult result = co_await session.module().release(keys, std::move(options));
    co_return result.outcomes(keys);
}

//! What this user took on this host without naming an owner: each key of exactly the one that took
//! it. Of the others it says who holds them.
static Task<std::vector<KeyRelease>> releaseOwn(Session& session, LockKeys keys)
{
    std::vector<KeyRelease> outcomes = co_await findHolders(session, keys);
    std::vector<std::string> names;
    std::vector<SeenLock> own;
    for (const KeyRelease& key : outcomes) {
        if (key.outcome == ReleaseOutcome::HeldByOther && key.holder && isOwnDefault(*key.holder)) {
            names.push_back(key.key);
            own.emplace_back(Lock(key.key, key.holder));
        }
    }
    if (own.empty())
        co_return outcomes;
    const LockKeys held(std::move(names));
    ReleaseOptions options;
    options.ownedBy(own.front().owner).expecting(std::move(own)).at(session.provider().id);
    const ReleaseResult result = co_await session.module().release(held, std::move(options));
    const std::vector<KeyRelease> released = result.outcomes(held);
    auto next = released.begin(); // both are in the order of the keys
    for (KeyRelease& key : outcomes) {
        if (next != released.end() && key.key == next->key)
            key = *next++;
    }
    co_return outcomes;
}

static Task<std::vector<KeyRelease>> releaseNamed(Session& session, LockKeys keys, Owner owner,
                                                  bool ifOver)
{
    ReleaseOptions options;
    options.ownedBy(std::move(owner)).at(session.provider().id).onlyIfOver(ifOver);
    const ReleaseResult result = co_await session.module().release(keys, std::move(options));
    co_return result.outcomes(keys);
}

Task<int> runRelease(Session& session, Arguments arguments)
{
    const LockKeys keys(arguments.keys);
    const bool isNamed = arguments.owner || arguments.noOwner || arguments.ifOver;
    std::vector<KeyRelease> outcomes;
    if (isNamed)
        outcomes = co_await releaseNamed(session, keys, arguments.owner, arguments.ifOver);
    else
        outcomes = co_await releaseOwn(session, keys);
    bool unknown = false;
    bool others = false;
    bool allDone = true;
    for (const KeyRelease& key : outcomes) {
        print(session.provider().id, key, arguments);
        unknown |= key.outcome == ReleaseOutcome::Unknown;
        others |= key.outcome == ReleaseOutcome::HeldByOther;
        allDone &= arguments.ifOver ? key.cleared : key.outcome == ReleaseOutcome::Released;
    }
    if (others && !arguments.ifOver)
        complain("To release another's lock, name its holder with --owner, or say --no-owner.");
    if (unknown) {
        complain("The outcome is unknown; look before you try again: the connection was lost "
                 "before the answer.");
        co_return Unreachable;
    }
    co_return allDone ? Done : No;
}

} // namespace lockboard::ctl
