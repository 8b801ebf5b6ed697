// SPDX-License-Identifier: MIT
#include "engine/redis/locks/provider.h"

namespace lockboard::redis {

//! Of nodes that have left the cluster: their connections would be tried for ever.
void Provider::pruneReplicas()
{
    if (m_replicas.empty() || m_replicasTopology == m_client.topologyNumber())
        return;
    m_replicasTopology = m_client.topologyNumber();
    std::set<std::string> present;
    if (!m_client.isCluster())
        present.emplace();
    for (const Connection* const node : m_client.masters())
        present.insert(node->endpoint().name());
    for (auto it = m_replicas.begin(); it != m_replicas.end();) {
        if (present.contains(it->first)) {
            ++it;
            continue;
        }
        it->second
            ->close(); // what waits for it goes on by the resumer, and does not come back here
        it = m_replicas.erase(it);
    }
}

Task<std::string> Provider::findReplicaFault(LockKeys keys, std::string value)
{
    const std::vector<LockKeys> parts = co_await partsOf(std::move(keys));
    pruneReplicas();
    std::vector<Task<std::string>> calls; // all at once
    for (const LockKeys& part : parts) {
        std::vector<std::string> names;
        for (const std::string& key : part)
            names.push_back(stored(key));
        Endpoint endpoint = m_settings.endpoint;
        std::string server;
        if (m_client.isCluster()) {
            const Connection* const node = m_client.connectionFor(names.front());
            if (!node)
                co_return "it is not known which node of the cluster has the lock";
            endpoint = node->endpoint();
            server = endpoint.name();
        }
        std::unique_ptr<Replicas>& replicas = m_replicas[server];
        if (!replicas) {
            replicas =
                std::make_unique<Replicas>(endpoint, Container(clock()), resumer(),
                                           m_settings.waitReplicas, m_settings.waitReplicasTimeout);
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

Task<Grant> Provider::takeReplicated(LockKeys keys, AcquireOptions options, SharedContext context)
{
    std::vector<Taken> taken;
    const Grant grant = co_await take(keys, options, context, &taken);
    std::string fault;
    try {
        fault = co_await findReplicaFault(keys, options.owner().value_or(nobody));
    } catch (const Cancelled&) {
        // Taken it is, whatever the replicas have.
        throw OutcomeUnknown("The provider was closed before it was known whether the replicas "
                             "have the lock, and it may be held");
    } catch (const LockError& error) {
        fault = error.message();
    }
    if (!fault.empty() && isClosing())
        throw OutcomeUnknown(fault + "; the provider was closed, and the lock may be held");
    if (fault.empty() && grant.leaseEnd() && clock().now() >= *grant.leaseEnd())
        fault = "The lease was over before it was known that the replicas have the lock";
    if (fault.empty()) {
        for (const Taken& part : taken)
            noteTaken(part.keys, options, part.grant);
        co_return grant;
    }
    bool unsure = false;
    std::string problem;
    for (Taken& part : taken) {
        if (part.isUnsure()) {
            unsure = true;
            continue;
        }
        const std::string one = co_await undo(std::move(part), options);
        if (problem.empty())
            problem = one;
    }
    for (std::size_t i = 0; i < keys.size() && !isClosing(); ++i)
        wakeFairly(keys[i]);
    if (!problem.empty())
        throw OutcomeUnknown(fault + "; it could not be given back: " + problem);
    if (unsure)
        throw OutcomeUnknown(fault + "; it may have been held before, and is held still.");
    throw Unavailable(fault
                      + (grant.isExtension() ? "; what was held before is held still, as it was."
                                             : "; it was given back."));
}

} // namespace lockboard::redis
