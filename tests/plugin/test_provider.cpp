// SPDX-License-Identifier: MIT
#include "engine/basic_provider.h"
#include "engine/plugin.h"

#include <QObject>

namespace {

using namespace lockboard;

//! The least that a provider has to be: one try, renewal, release. Waiting and execute are free.
class MyLock final : public BasicProvider {
public:
    MyLock(const Container& container, std::string greeting)
        : BasicProvider(container)
        , m_greeting(std::move(greeting))
    {
    }
    ~MyLock() override { close(); }

    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options, SharedContext) override
    {
        std::vector<KeyRelease> left;
        for (const std::string& key : keys) {
            const auto it = m_locks.find(key);
            if (it == m_locks.end()) {
                left.emplace_back(key, ReleaseOutcome::NotHeld);
            } else if (it->second != options.owner()) {
                left.emplace_back(key, ReleaseOutcome::HeldByOther, it->second);
            } else {
                m_locks.erase(it);
                wake(key);
            }
        }
        co_return ReleaseResult(std::move(left));
    }
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions, SharedContext) override
    {
        const ReleaseAllResult result(m_locks.size());
        m_locks.clear();
        co_return result;
    }
    LiveViewPtr liveView() override { return nullptr; }
    ProviderFeatures features() const override { return {}; }
    Task<CheckReport> check() override
    {
        CheckReport report;
        report.findings.emplace_back(Finding::Good, m_greeting);
        co_return report;
    }

protected:
    Task<Grant> tryAcquire(LockKeys keys, AcquireOptions options, SharedContext) override
    {
        for (const std::string& key : keys) {
            const auto it = m_locks.find(key);
            if (it != m_locks.end() && (!it->second || it->second != options.owner()))
                throw Conflict(key, it->second, {});
        }
        for (const std::string& key : keys)
            m_locks[key] = options.owner();
        co_return Grant();
    }
    Task<Renewal> renew(LockKeys keys, std::string owner, std::optional<Duration> lease) override
    {
        for (const std::string& key : keys) {
            if (m_locks[key] != owner)
                co_return Renewal::lost(key);
        }
        co_return Renewal::until(clock().now() + lease.value_or(Duration(0)));
    }

private:
    std::string m_greeting;
    std::map<std::string, Owner> m_locks;
};

class MyLockPlugin final : public QObject, public LockProviderPlugin {
    Q_OBJECT
    Q_PLUGIN_METADATA(IID LockProviderPlugin_iid FILE "provider.json")
    Q_INTERFACES(lockboard::LockProviderPlugin)

public:
    std::unique_ptr<LockProvider> create(const Container& container,
                                         const ProviderSetup& setup) override
    {
        return std::make_unique<MyLock>(container, setup.options.stringOr("greeting", "hello"));
    }
};

} // namespace

#include "test_provider.moc"
