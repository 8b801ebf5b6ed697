// SPDX-License-Identifier: MIT
#include "engine/store/basic_provider.h"

#include "engine/store/planted_fault.h"

#include <algorithm>

// An acquire that was sent, and the connection died before its answer: what became of it is found
// out by looking, never by sending it again.

namespace lockboard {

using namespace std::chrono_literals;

static constexpr Duration shortestLookPause = 50ms;
static constexpr Duration longestLookPause = 1s;
//! What the dead line had brought the server may still lie there unread when it answers on a new
//! one: a lock is not taken if it is not for so long.
static constexpr Duration secondLook = 200ms;

Task<void> BasicProvider::rest(TimePoint until)
{
    if (m_closing)
        co_return;
    Signal signal(m_resumer);
    m_resting.push_back(&signal);
    co_await signal.wait(until, std::stop_token());
    std::erase(m_resting, &signal);
}

Task<std::optional<Renewal>> BasicProvider::look(LockKeys keys, std::string owner)
{
    std::optional<Renewal> seen;
    try {
        seen = co_await renew(std::move(keys), std::move(owner), {});
    } catch (const LockError&) {
    }
    co_return seen;
}

Task<Grant> BasicProvider::settle(LockKeys keys, AcquireOptions options, TimePoint began,
                                  Duration within, std::string problem)
{
    if (!options.owner())
        throw OutcomeUnknown(problem + "; of a lock without owner, looking again can't tell");
    if (!options.reenters())
        throw OutcomeUnknown(problem + "; others use this owner too, so looking again can't tell");
    const std::string owner = *options.owner();
    const TimePoint until = clock().now() + within;
    if (isPlanted(PlantedFault::UnknownSentAgain))
        co_return co_await tryAcquire(keys, options, {});
    bool seenFree = false;
    for (Duration pause = shortestLookPause;;
         pause = std::min<Duration>(pause * 2, longestLookPause)) {
        const TimePoint asked = clock().now();
        const std::optional<Renewal> seen = co_await look(keys, owner);
        if (m_closing && !(seen && seen->isHeld()))
            throw OutcomeUnknown(problem + ", and the provider was closed before it could be told");
        if (seen && seen->isHeld()) {
            // Held for ever, or for less than was asked for: that is how it was before.
            const TimePoint latestEnd =
                seen->leaseEnd().value_or(TimePoint()) + (clock().now() - asked);
            const Duration lease = options.lease().value_or(Duration(0));
            if (options.wasNotHeldBefore() || !options.lease()
                || latestEnd >= began + lease - lease / 100)
                co_return Grant(seen->leaseEnd()).asExtension(!options.wasNotHeldBefore());
            throw NotTaken(problem);
        }
        if (seen && !std::exchange(seenFree, true)) {
            co_await rest(clock().now() + secondLook);
            continue;
        }
        if (seen) {
            // All or none; but of an owner whom others use too, some may have been held before.
            bool some = false;
            for (std::size_t i = 0; i < keys.size() && keys.size() > 1; ++i) {
                const std::optional<Renewal> one = co_await look(keys[i], owner);
                if (m_closing)
                    throw OutcomeUnknown(problem + ", and the provider was closed");
                some = some || !one || one->isHeld();
            }
            if (some && !options.isUniquelyOwned())
                throw OutcomeUnknown(problem + "; the owner holds some of the keys, not all");
            throw NotTaken(problem);
        }
        if (clock().now() >= until)
            throw OutcomeUnknown(problem + ", and looking again was not possible");
        co_await rest(std::min(until, clock().now() + pause));
    }
}

} // namespace lockboard
