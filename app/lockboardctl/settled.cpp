// SPDX-License-Identifier: MIT
#include "app/lockboardctl/settled.h"

#include "engine/default_owner.h"

namespace lockboard::ctl {

using namespace std::chrono_literals;

static constexpr auto patience = 1s;

Task<std::vector<KeyRelease>> findHolders(Session& session, LockKeys keys)
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

namespace {

//! What the questions find, also for who has stopped waiting for them.
struct Answer {
    explicit Answer(Resumer& resumer)
        : come(resumer)
    {
    }

    Signal come;
    bool isGood = false;
};

} // namespace

static Task<bool> isAnswered(Session& session, LockKeys keys)
{
    if (keys.isEmpty()) {
        const CheckReport report = co_await session.module().check(session.provider().id);
        co_return report.reachable;
    }
    bool isKnown = true;
    const std::vector<KeyRelease> holders = co_await findHolders(session, std::move(keys));
    for (const KeyRelease& key : holders)
        isKnown = isKnown && key.outcome != ReleaseOutcome::Unknown;
    co_return isKnown;
}

static Task<void> askTwice(Session* session, LockKeys keys, std::shared_ptr<Answer> answer)
{
    try {
        const bool first = co_await isAnswered(*session, keys);
        if (first) // else the program may be ending
            answer->isGood = co_await isAnswered(*session, keys);
    } catch (...) {
        // No answer, whatever the reason.
    }
    answer->come.raise();
}

Task<bool> isSettled(Session& session, LockKeys keys)
{
    const auto answer = std::make_shared<Answer>(session.resumer());
    letRun(askTwice(&session, std::move(keys), answer));
    co_await answer->come.wait(session.now() + patience, std::stop_token());
    co_return answer->isGood;
}

} // namespace lockboard::ctl
