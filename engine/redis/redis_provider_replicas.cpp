// SPDX-License-Identifier: MIT
#include "engine/redis/redis_provider.h"

namespace lockboard {

Task<Grant> RedisProvider::takeReplicated(LockKeys keys, AcquireOptions options,
                                          SharedContext context)
{
    const Owner owner = options.owner();
    const Grant grant = co_await take(keys, std::move(options), context);
    std::vector<std::string> names;
    for (const std::string& key : keys)
        names.push_back(stored(key));
    std::string fault;
    try {
        fault = co_await m_replicas->findFault(std::move(names), owner.value_or(nobody));
    } catch (const Cancelled&) {
        throw;
    } catch (const LockError& error) {
        fault = error.message();
    }
    if (fault.empty() && grant.leaseEnd() && clock().now() >= *grant.leaseEnd())
        fault = "The lease was over before it was known that the replicas have the lock";
    if (fault.empty())
        co_return grant;
    if (grant.isExtension())
        throw Unavailable(fault + "; it was held before, and is held still.");
    std::string problem;
    try {
        const ReleaseResult result =
            co_await release(keys, ReleaseOptions().ownedBy(owner), context);
        for (const KeyRelease& left : result.left()) {
            if (left.outcome == ReleaseOutcome::Unknown)
                problem = "the connection was lost.";
        }
    } catch (const LockError& error) {
        problem = error.message();
    }
    if (!problem.empty())
        throw OutcomeUnknown(fault + "; it could not be given back: " + problem);
    throw Unavailable(fault + "; it was given back.");
}

} // namespace lockboard
