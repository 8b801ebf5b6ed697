// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/kinds.h"
#include "engine/module/built_in_kinds.h"
#include "engine/store/basic_provider.h"

#include <QPointer>

#include <mutex>

namespace lockboard::test {

//! What a test chooses and reads.
class StoreScript final {
public:
    LockBatch locks; //!< of the first listing
    bool completes = true; //!< else the listing goes on for ever
    SourceState state{SourceState::Live};
    std::string problem; //!< of every call; empty: none
    CheckReport report;
    std::vector<std::pair<LockKeys, ReleaseOptions>> released; //!< the calls
    ReleaseResult answer;
    std::function<void()> onRelease; //!< on the engine's thread, before the answer
};

//! A store whose list a test chooses and whose releases a test reads: what the window asked for.
//! One in a program; the test speaks to it from its own thread, under a mutex.
class ScriptedStore final : public BasicProvider {
public:
    using Script = StoreScript;
    using BasicProvider::BasicProvider;
    ~ScriptedStore() override { close(); }

    //! Forgets all, and takes this.
    static void begin(Script script)
    {
        const std::lock_guard guard(s_mutex);
        s_script = std::move(script);
        s_view.clear();
    }
    static Script script()
    {
        const std::lock_guard guard(s_mutex);
        return s_script;
    }
    //! Lets the view say it.
    static void say(const ChangeBatch& changes)
    {
        onView([changes](View* view) { Q_EMIT view->changed(changes); });
    }
    static void say(const SourceState& state)
    {
        onView([state](View* view) { Q_EMIT view->stateChanged(state); });
    }
    static void complete()
    {
        onView([](View* view) { Q_EMIT view->snapshotCompleted(); });
    }
    static ProviderRegistry registry()
    {
        ProviderRegistry registry = builtInKinds();
        ProviderRegistry::Kind kind;
        kind.identifier = "scripted";
        kind.factory = [](const Container& container, const ProviderSetup&) {
            return std::make_unique<ScriptedStore>(container);
        };
        registry.add(kind);
        return registry;
    }
    //! A console's config with this store under an id.
    static Config config(const std::string& jsonId = "shop")
    {
        return Config::parse(R"({"providers": [{"resolve": "scripted", "id": ")" + jsonId
                                 + R"(", "is_default": true}]})",
                             "test", ".", registry());
    }

    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options, SharedContext) override
    {
        const std::lock_guard guard(s_mutex);
        s_script.released.emplace_back(std::move(keys), std::move(options));
        if (s_script.onRelease)
            s_script.onRelease();
        return s_script.problem.empty() ? ready(s_script.answer)
                                        : failed<ReleaseResult>(Unavailable(s_script.problem));
    }
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions, SharedContext) override
    {
        const std::string problem = script().problem;
        return problem.empty() ? ready(ReleaseAllResult())
                               : failed<ReleaseAllResult>(Unavailable(problem));
    }
    LiveViewPtr liveView() override
    {
        auto* view = new View;
        const std::lock_guard guard(s_mutex);
        s_view = view;
        return LiveViewPtr(view);
    }
    ProviderFeatures features() const override { return {}; }
    Task<CheckReport> check() override { return ready(script().report); }

protected:
    Task<Grant> tryAcquire(LockKeys, AcquireOptions, SharedContext) override
    {
        const std::string problem = script().problem;
        return problem.empty() ? ready(Grant()) : failed<Grant>(Unavailable(problem));
    }
    Task<Renewal> renew(LockKeys, std::string, std::optional<Duration>) override
    {
        return ready(Renewal::until({}));
    }

private:
    class View final : public LiveView {
    protected:
        void doStart() override
        {
            const Script script = ScriptedStore::script();
            Q_EMIT snapshotStarted();
            Q_EMIT snapshotBatch(script.locks);
            if (script.completes)
                Q_EMIT snapshotCompleted();
            setState(script.state);
        }
        void doRefresh() override { doStart(); }
    };

    template <typename Say> static void onView(Say say)
    {
        const std::lock_guard guard(s_mutex);
        View* const view = s_view;
        if (view)
            QMetaObject::invokeMethod(
                view, [view, say] { say(view); }, Qt::QueuedConnection);
    }

    inline static std::mutex s_mutex;
    inline static Script s_script;
    inline static QPointer<View> s_view;
};

} // namespace lockboard::test
