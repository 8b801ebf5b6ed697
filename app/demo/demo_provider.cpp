// SPDX-License-Identifier: MIT
#include "app/demo/demo_provider.h"

#include "app/demo/demo_workers.h"
#include "engine/memory/provider.h"
#include "engine/module/built_in_kinds.h"

namespace lockboard {

namespace {

//! The in-memory provider, alive.
class DemoProvider final : public LockProvider {
public:
    explicit DemoProvider(const Container& container)
        : m_provider(container, Ownerless::Claimable)
        , m_workers(m_provider)
    {
    }

    Task<Grant> acquire(LockKeys keys, AcquireOptions options, SharedContext context) override
    {
        return m_provider.acquire(std::move(keys), std::move(options), std::move(context));
    }
    Task<void> executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                          SharedContext context) override
    {
        return m_provider.executeJob(std::move(keys), std::move(job), std::move(options),
                                     std::move(context));
    }
    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options,
                                SharedContext context) override
    {
        return m_provider.release(std::move(keys), std::move(options), std::move(context));
    }
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions options, SharedContext context) override
    {
        return m_provider.releaseAll(std::move(options), std::move(context));
    }
    [[nodiscard]] LiveViewPtr liveView() override { return m_provider.liveView(); }
    [[nodiscard]] ProviderFeatures features() const override { return m_provider.features(); }
    [[nodiscard]] Task<CheckReport> check() override { return m_provider.check(); }

private:
    memory::Provider m_provider;
    DemoWorkers m_workers; // goes first
};

} // namespace

Config demoConfig()
{
    ProviderRegistry::Kind kind;
    kind.identifier = memory::Provider::identifier;
    kind.medusaNames = {"demo"}; // another name for resolve, as Medusa's packages have theirs
    kind.factory = [](const Container& container, const ProviderSetup&) {
        return std::make_unique<DemoProvider>(container);
    };
    ProviderRegistry registry = builtInKinds();
    registry.add(kind);
    return Config::parse(
        R"({"providers": [{"resolve": "demo", "id": "in-memory", "is_default": true}]})", "--demo",
        ".", registry);
}

} // namespace lockboard
