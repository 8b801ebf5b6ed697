// SPDX-License-Identifier: MIT
#include "engine/redis/redis_identity.h"
#include "engine/redis/redis_provider.h"

namespace lockboard {

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

Task<CheckReport> RedisProvider::check()
{
    CheckReport report;
    // Where there are sentinels, they say its address.
    const RedisEndpoint& endpoint = m_client.masters().front()->endpoint();
    try {
        RedisCall call(*m_client.masters().front(), RedisCommand("INFO"), RedisEffect::Reads);
        const RedisReply reply = co_await call.answer();
        if (reply.isError("NOPERM")) {
            report.findings.emplace_back(Finding::Good,
                                         "Redis at " + endpoint.name() + " answers.");
            report.findings.emplace_back(
                Finding::Note,
                "This user may not ask INFO: version, mode and persistence are unknown.");
        } else {
            call.check(reply);
            const std::string version = infoField(reply.text(), "redis_version");
            const std::string mode = infoField(reply.text(), "redis_mode");
            report.findings.emplace_back(Finding::Good,
                                         "Redis " + version + " (" + mode + ") at "
                                             + endpoint.name() + " answers.");
            judge(reply.text(), report.findings);
        }
    } catch (const Unavailable& error) {
        report.reachable = false;
        report.findings.emplace_back(Finding::Problem, error.message());
    } catch (const LockError& error) {
        report.findings.emplace_back(Finding::Problem, error.message());
    }
    for (const std::string& warning : m_warnings) {
        // Where nothing is encrypted, people know and have their reasons.
        const bool pretends = endpoint.tls != nullptr;
        report.findings.emplace_back(pretends ? Finding::Problem : Finding::Note, warning);
    }
    report.findings.emplace_back(Finding::Good,
                                 "Locks are the keys that begin with \""
                                     + printable(m_settings.keyspace) + "\" in database "
                                     + std::to_string(endpoint.database) + '.');
    report.findings.emplace_back(Finding::Note, "live mode: " + co_await liveMode());
    co_return report;
}

} // namespace lockboard
