// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/provider.h"

namespace lockboard {

//! Stands for a provider that could not be made: every call says why. So the other providers of a
//! config work although one of them doesn't.
class FailedProvider final : public LockProvider, public SessionControl, public ChangeNotices {
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
    [[nodiscard]] SessionControl* sessionControl() override { return this; }
    [[nodiscard]] ChangeNotices* changeNotices() override { return this; }
    Task<std::string> endSession(SeenSession seen, SessionEnd how, SharedContext context) override;
    Task<std::string> installNotices(SharedContext context) override;
    Task<std::string> removeNotices(SharedContext context) override;

private:
    std::string m_why;
};

} // namespace lockboard
