// SPDX-License-Identifier: MIT
#include "engine/redis/redis_provider.h"

namespace lockboard {

Task<std::string> RedisProvider::findReplicaFault(LockKeys keys, std::string value)
{
    const std::vector<LockKeys> parts = co_await partsOf(std::move(keys));
    std::vector<Task<std::string>> calls; // all at once
    for (const LockKeys& part : parts) {
        std::vector<std::string> names;
        for (const std::string& key : part)
            names.push_back(stored(key));
        RedisEndpoint endpoint = m_settings.endpoint;
        std::string server;
        if (m_client.isCluster()) {
            const RedisConnection* const node = m_client.connectionFor(names.front());
            if (!node)
                co_return "it is not known which node of the cluster has the lock";
            endpoint = node->endpoint();
            server = endpoint.name();
        }
        std::unique_ptr<RedisReplicas>& replicas = m_replicas[server];
        if (!replicas) {
            replicas = std::make_unique<RedisReplicas>(endpoint, Container(clock()), resumer(),
                                                       m_settings.waitReplicas,
                                                       m_settings.waitReplicasTimeout);
        }
        calls.push_back(replicas->findFault(std::move(names), value));
    }
    std::string fault;
    for (Task<std::string>& call : calls) {
        const std::string one = co_await call;
        if (fault.empty())
            fault = one;
    }
    co_return fault;
}

Task<Grant> RedisProvider::takeReplicated(LockKeys keys, AcquireOptions options,
                                          SharedContext context)
{
    const Owner owner = options.owner();
    const Grant grant = co_await take(keys, std::move(options), context);
    std::string fault;
    try {
        fault = co_await findReplicaFault(keys, owner.value_or(nobody));
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
