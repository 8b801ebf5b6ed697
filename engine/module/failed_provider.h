// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/provider.h"

namespace lockboard {

//! Stands for a provider that could not be made: every call says why. So the other providers of a
//! config work although one of them doesn't.
class FailedProvider final : public LockProvider {
public:
    //! `why` is the whole sentence.
    explicit FailedProvider(std::string why);

    Task<Grant> acquire(LockKeys keys, AcquireOptions options, SharedContext context) override;
    Task<void> executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                          SharedContext context) override;
    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options,
                                SharedContext context) override;
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions options, SharedContext context) override;
    [[nodiscard]] LiveViewPtr liveView() override;
    [[nodiscard]] ProviderFeatures features() const override;
    [[nodiscard]] Task<CheckReport> check() override;
    Task<std::string> administer(std::string verb, std::vector<std::string> arguments,
                                 SharedContext context) override;

private:
    std::string m_why;
};

} // namespace lockboard
