// SPDX-License-Identifier: MIT
#include "engine/redis/locks/provider.h"
#include "engine/redis/wire/identity.h"

#include <algorithm>

namespace lockboard::redis {

static void judge(std::string_view info, std::vector<Finding>& findings)
{
    if (infoField(info, "role") == "slave")
        findings.emplace_back(
            Finding::Problem,
            "The server is a replica: locks can be seen but not taken or released.");
    const std::string policy = infoField(info, "maxmemory_policy");
    const bool evicts = !policy.empty() && policy != "noeviction";
    if (evicts) {
        const bool limited = infoField(info, "maxmemory") != "0";
        findings.emplace_back(Finding::Note,
                              "Locks may be evicted when memory is short: maxmemory-policy is "
                                  + policy + (limited ? "." : ", though there is no limit now."));
    }
    const bool saves = infoField(info, "aof_enabled") == "1";
    findings.emplace_back(
        Finding::Note,
        saves ? "Locks survive a restart of the server: it keeps an append-only file."
              : "Locks of the last moments, or all, may be lost when the server "
                "restarts: it keeps no append-only file.");
    if (infoField(info, "rdb_last_bgsave_status") == "err")
        findings.emplace_back(Finding::Problem,
                              "The server could not save its data to disk the last time.");
}

static void judgeCluster(const Client& client, std::vector<Finding>& findings)
{
    const std::size_t masters = client.masters().size();
    findings.emplace_back(Finding::Good,
                          "It is a cluster of " + std::to_string(masters)
                              + (masters == 1 ? " master." : " masters."));
    if (client.isPartlyKnown()) {
        findings.emplace_back(Finding::Problem,
                              "This user may not ask the cluster for its slots (CLUSTER SLOTS): "
                              "only the nodes that were met are known, and locks on others don't "
                              "show.");
        return;
    }
    if (const int slots = client.nodes().slotsWithoutNode()) {
        findings.emplace_back(Finding::Problem,
                              std::to_string(slots)
                                  + " of its 16384 slots are served by no node: keys in them can't "
                                    "be locked.");
    }
    if (const int lonely = client.nodes().mastersWithoutReplica()) {
        findings.emplace_back(
            Finding::Note,
            std::to_string(lonely)
                + " of its masters have no replica: while such a one is down, its "
                  "locks are out of reach.");
    }
}

Task<bool> Provider::checkServer(QPointer<Connection> server, std::vector<Finding>* findings)
{
    const std::string name = server->endpoint().name();
    try {
        Call call(*server, Command("INFO"), Effect::Reads);
        const Reply reply = co_await call.answer();
        if (reply.isError("NOPERM")) {
            findings->emplace_back(Finding::Good, "Redis at " + name + " answers.");
            findings->emplace_back(
                Finding::Note,
                "This user may not ask INFO: version, mode and persistence are unknown.");
            co_return true;
        }
        call.check(reply, reply.isString(), "INFO");
        const std::string version = infoField(reply.text(), "redis_version");
        const std::string mode = infoField(reply.text(), "redis_mode");
        findings->emplace_back(Finding::Good,
                               "Redis " + version + " (" + mode + ") at " + name + " answers.");
        judge(reply.text(), *findings);
    } catch (const Unavailable& error) {
        findings->emplace_back(Finding::Problem, error.message());
        co_return false;
    } catch (const LockError& error) {
        findings->emplace_back(Finding::Problem, error.message());
    }
    co_return true;
}

Task<void> Provider::checkNotes(std::vector<Finding>* findings)
{
    const std::string key = "lockboard"; // of no lock in particular: these calls only look
    try {
        if (m_notes.haveTokens()) {
            Eval eval(m_raiseScript, &shape::isDone, 0);
            eval.addKey(counterFor(stored(key)));
            eval.addArgument("0");
            co_await m_client.eval(std::move(eval));
        } else if (m_notes.areKept()) {
            co_await renew(LockKeys(key), key, {});
        }
    } catch (const Denied& error) {
        if (m_notes.haveTokens())
            findings->emplace_back(Finding::Problem, error.message() + Notes::tokenRights);
    } catch (const LockError&) {
        // said already
    }
    if (!m_notesProblem.empty())
        findings->emplace_back(Finding::Problem, m_notesProblem);
}

Task<CheckReport> Provider::check()
{
    CheckReport report;
    try {
        co_await m_client.learn();
        co_await m_client.refresh();
    } catch (const LockError& error) {
        report.reachable = error.code() == ErrorCode::Denied;
        report.findings.emplace_back(Finding::Problem, error.message());
    }
    if (report.findings.empty()) {
        report.reachable = false;
        if (m_client.isCluster())
            judgeCluster(m_client, report.findings);
        std::vector<QPointer<Connection>> servers;
        for (Connection* const server : m_client.masters())
            servers.emplace_back(server);
        std::vector<std::pair<Finding, std::vector<std::string>>> seen; // and where
        for (const QPointer<Connection>& server : servers) {
            if (!server)
                continue; // it has left the cluster meanwhile
            std::vector<Finding> findings;
            const std::string name = server->endpoint().name();
            if (co_await checkServer(server, &findings))
                report.reachable = true;
            for (const Finding& finding : findings) {
                const auto known =
                    std::find_if(seen.begin(), seen.end(), [&finding](const auto& one) {
                        return one.first.sentence == finding.sentence;
                    });
                if (known != seen.end())
                    known->second.push_back(name);
                else
                    seen.emplace_back(finding, std::vector<std::string>(1, name));
            }
        }
        for (auto& [finding, names] : seen) {
            const bool tellsWhere = finding.sentence.find(names.front()) != std::string::npos;
            if (names.size() < servers.size() && !tellsWhere) {
                for (const std::string& name : names)
                    finding.sentence += (name == names.front() ? " (" : ", ") + name;
                finding.sentence += ')';
            }
            report.findings.push_back(std::move(finding));
        }
        if (report.reachable)
            co_await checkNotes(&report.findings);
    }
    for (const std::string& warning : m_warnings) {
        // Where nothing is encrypted, people know and have their reasons.
        const bool pretends = m_settings.endpoint.tls != nullptr;
        report.findings.emplace_back(pretends ? Finding::Problem : Finding::Note, warning);
    }
    report.findings.emplace_back(Finding::Good,
                                 "Locks are the keys that begin with \""
                                     + printable(m_settings.keyspace) + "\" in database "
                                     + std::to_string(m_settings.endpoint.database) + '.');
    report.findings.emplace_back(Finding::Note, "live mode: " + co_await liveMode());
    co_return report;
}

} // namespace lockboard::redis
