// SPDX-License-Identifier: MIT
#include "engine/config/plugin.h"
#include "engine/store/basic_provider.h"
#include "tests/plugin/misbehaviour.h"

#include <QObject>
#include <QTimer>

namespace {

using namespace lockboard;
using lockboard::test::Misbehaviour;

class MyView final : public LiveView {
    Q_OBJECT

public:
    MyView(LockBatch locks, Misbehaviour misbehaviour)
        : m_locks(std::move(locks))
        , m_misbehaviour(std::move(misbehaviour))
    {
    }

protected:
    void doStart() override
    {
        m_misbehaviour.at("view");
        QTimer::singleShot(0, this, [this] { m_misbehaviour.at("event"); });
        doRefresh();
    }
    void doRefresh() override
    {
        m_misbehaviour.at("refresh");
        Q_EMIT snapshotStarted();
        Q_EMIT snapshotBatch(m_locks);
        Q_EMIT snapshotCompleted();
        setState(SourceState(SourceState::Live));
    }

private:
    LockBatch m_locks;
    Misbehaviour m_misbehaviour;
};

//! The least that a provider has to be: one try, renewal, release. Waiting and execute are free.
//! Its option `misbehave` makes it do what a provider must not.
class MyLock final : public BasicProvider, public ChangeNotices {
public:
    MyLock(const Container& container, std::string greeting, Misbehaviour misbehaviour)
        : BasicProvider(container)
        , m_greeting(std::move(greeting))
        , m_misbehaviour(std::move(misbehaviour))
    {
    }
    ~MyLock() override { close(); }

    Task<void> executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                          SharedContext context) override
    {
        if (m_misbehaviour.isAt("execute"))
            return m_misbehaviour.instead<void>();
        return BasicProvider::executeJob(std::move(keys), std::move(job), std::move(options),
                                         std::move(context));
    }
    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options, SharedContext) override
    {
        if (m_misbehaviour.isAt("release"))
            return m_misbehaviour.instead<ReleaseResult>();
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
        return ready(ReleaseResult(std::move(left)));
    }
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions, SharedContext) override
    {
        if (m_misbehaviour.isAt("releaseAll"))
            return m_misbehaviour.instead<ReleaseAllResult>();
        const ReleaseAllResult result(m_locks.size());
        m_locks.clear();
        return ready(result);
    }
    LiveViewPtr liveView() override
    {
        if (m_misbehaviour.isAt("liveView")) {
            m_misbehaviour.at("liveView");
            return nullptr;
        }
        LockBatch locks;
        for (const auto& [key, owner] : m_locks)
            locks.push_back(Lock(key, owner));
        return LiveViewPtr(new MyView(locks, m_misbehaviour));
    }
    ProviderFeatures features() const override
    {
        m_misbehaviour.at("features");
        ProviderFeatures features;
        features.shared = true; // so that a program takes it for a place worth locking in
        return features;
    }
    Task<CheckReport> check() override
    {
        if (m_misbehaviour.isAt("check"))
            return m_misbehaviour.instead<CheckReport>();
        CheckReport report;
        report.findings.emplace_back(Finding::Good, m_greeting);
        return ready(std::move(report));
    }
    [[nodiscard]] ChangeNotices* changeNotices() override { return this; }
    Task<std::string> installNotices(SharedContext) override
    {
        if (m_misbehaviour.isAt("install-trigger"))
            return m_misbehaviour.instead<std::string>();
        return ready(std::string("nothing to install"));
    }
    Task<std::string> removeNotices(SharedContext) override
    {
        return ready(std::string("nothing to remove"));
    }

protected:
    Task<Grant> tryAcquire(LockKeys keys, AcquireOptions options, SharedContext) override
    {
        if (m_misbehaviour.isAt("acquire"))
            return m_misbehaviour.instead<Grant>();
        for (const std::string& key : keys) {
            const auto it = m_locks.find(key);
            if (it != m_locks.end() && (!it->second || it->second != options.owner()))
                return failed<Grant>(Conflict(key, it->second, {}));
        }
        for (const std::string& key : keys)
            m_locks[key] = options.owner();
        return ready(Grant());
    }
    Task<Renewal> renew(LockKeys keys, std::string owner, std::optional<Duration> lease) override
    {
        if (m_misbehaviour.isAt("renew"))
            return m_misbehaviour.instead<Renewal>();
        for (const std::string& key : keys) {
            const auto it = m_locks.find(key);
            if (it == m_locks.end() || it->second != owner)
                return ready(Renewal::lost(key));
        }
        return ready(Renewal::until(clock().now() + lease.value_or(Duration(0))));
    }

private:
    std::string m_greeting;
    Misbehaviour m_misbehaviour;
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
        const Misbehaviour misbehaviour(setup.options.stringOr("misbehave", ""));
        std::string greeting = setup.options.stringOr("greeting", "hello");
        if (misbehaviour.isAt("factory")) {
            misbehaviour.at("factory");
            return nullptr;
        }
        return std::make_unique<MyLock>(container, std::move(greeting), misbehaviour);
    }
};

} // namespace

#include "test_provider.moc"
