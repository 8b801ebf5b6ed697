// SPDX-License-Identifier: MIT
#include "engine/module/failed_provider.h"

namespace lockboard {

FailedProvider::FailedProvider(std::string why)
    : m_why(std::move(why))
{
}

Task<Grant> FailedProvider::acquire(LockKeys, AcquireOptions, SharedContext)
{
    return failed<Grant>(Unavailable(m_why));
}

Task<void> FailedProvider::executeJob(LockKeys, LockedJob, ExecuteOptions, SharedContext)
{
    return failed<void>(Unavailable(m_why));
}

Task<ReleaseResult> FailedProvider::release(LockKeys, ReleaseOptions, SharedContext)
{
    return failed<ReleaseResult>(Unavailable(m_why));
}

Task<ReleaseAllResult> FailedProvider::releaseAll(ReleaseAllOptions, SharedContext)
{
    return failed<ReleaseAllResult>(Unavailable(m_why));
}

LiveViewPtr FailedProvider::liveView()
{
    throw Unavailable(m_why);
}

ProviderFeatures FailedProvider::features() const
{
    ProviderFeatures none;
    none.leases = false;
    none.waiters = false;
    return none;
}

Task<CheckReport> FailedProvider::check()
{
    CheckReport report;
    report.reachable = false;
    report.findings.emplace_back(Finding::Problem, m_why);
    return ready(std::move(report));
}

Task<std::string> FailedProvider::endSession(SeenSession, SessionEnd, SharedContext)
{
    return failed<std::string>(Unavailable(m_why));
}

Task<std::string> FailedProvider::installNotices(SharedContext)
{
    return failed<std::string>(Unavailable(m_why));
}

Task<std::string> FailedProvider::removeNotices(SharedContext)
{
    return failed<std::string>(Unavailable(m_why));
}

} // namespace lockboard
