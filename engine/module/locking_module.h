// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/document.h"
#include "engine/contract/provider.h"
#include "engine/module/audit_log.h"

#include <QObject>
#include <QPointer>

#include <thread>

namespace lockboard {

//! A provider as the module knows it. Never changes after the module was made: read it anywhere.
class ProviderInfo final {
public:
    std::string id;
    std::string identifier;
    bool isDefault = false;
    ProviderFeatures features;
    std::string problem; //!< one sentence: it could not be made, and every call says so; else empty
};

class Door;

//! Medusa's locking module: routes each call to a provider by its id (or stored form `lp_ID`), by
//! default to the default one. The one door: arguments are validated, read-only is enforced and
//! the audit is written here. It lives, with its providers, on the thread that made it (which needs
//! a Qt event loop) and may be called from any thread with a Qt event loop: the call hops to the
//! module's thread and resumes on the caller's. Every call throws through co_await, LockError only
//! (and, from execute, what the job throws): whatever else a provider throws becomes one that names
//! the provider. One that can't be made leaves the others working (ProviderInfo::problem).
//!
//! End of life: no call is made any more when the module is destroyed, on its own thread; those
//! under way end then, each on the thread it was made on: Cancelled if it was not sent, with what
//! the provider says of its end (engine/contract/provider.h), else OutcomeUnknown. A job that runs
//! on another thread is told to stop and its call ends with Lost after it. A thread that ends takes
//! its calls along: what such a call was granted is given back, and a job that can't go on counts
//! as ended.
class LockingModule final : public QObject {
    Q_OBJECT

public:
    class Settings final {
    public:
        bool readOnly = false;
        std::shared_ptr<AuditLog> audit; //!< null: off
    };

    //! Makes every provider of the config, and the in-memory one that is always there.
    //! A factory that fails otherwise leaves a provider whose calls all say why.
    //! \throws ConfigError about a provider's options
    LockingModule(const Config& config, const Container& container, Settings settings);
    LockingModule(const Config& config, const Container& container);
    ~LockingModule() override;

    [[nodiscard]] const std::vector<ProviderInfo>& providers() const { return m_infos; }
    [[nodiscard]] const std::string& defaultProviderId() const { return m_defaultId; }
    [[nodiscard]] bool isReadOnly() const { return m_settings.readOnly; }

    // The four calls of the contract (engine/contract/provider.h).
    Task<Grant> acquire(LockKeys keys, AcquireOptions options = {}, SharedContext context = {});
    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options = {},
                                SharedContext context = {});
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions options = {}, SharedContext context = {});
    //! The job, `(std::stop_token, const Grant&) -> T`, `(std::stop_token) -> T`, `() -> T` or any
    //! of these of Task<T>, runs on the thread of the caller. The stop token is fired on the
    //! module's. The job is copied. One that owns something is passed by its name, not as a
    //! temporary (engine/async/task.h says why); one that can't be copied, by std::ref.
    template <typename Job>
    auto execute(LockKeys keys, Job&& job, ExecuteOptions options = {}, SharedContext context = {})
    {
        LOCKBOARD_REFUSE_OWNING_TEMPORARY(Job);
        return detail::executeTyped(std::decay_t<Job>(std::forward<Job>(job)),
                                    [this, keys = std::move(keys), options = std::move(options),
                                     context = std::move(context)](LockedJob erased) mutable {
                                        return executeJob(std::move(keys), std::move(erased),
                                                          std::move(options), std::move(context));
                                    });
    }
    Task<void> executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                          SharedContext context);

    // What only some kinds of providers can do (engine/contract/capabilities.h). Mutations: never
    // in read-only mode, and audited. InvalidArgument from a provider that can't.
    Task<std::string> endSession(SeenSession seen, SessionEnd how, std::string provider = {},
                                 SharedContext context = {});
    Task<std::string> installNotices(std::string provider = {}, SharedContext context = {});
    Task<std::string> removeNotices(std::string provider = {}, SharedContext context = {});

    //! The live view of a provider, not started yet. \throws NotFound
    Task<LiveViewPtr> liveView(std::string provider = {});
    //! What a provider finds when it looks at its server. \throws NotFound
    Task<CheckReport> check(std::string provider = {});
    //! Whether all is given back that calls which have ended may have left held, waiting for it for
    //! `within` at the most (engine/contract/provider.h). \throws NotFound
    Task<bool> givenBack(Duration within, std::string provider = {});

Q_SIGNALS:
    //! A change was made, and what came of it could not be written to the audit log: one sentence
    //! that says why. Said on the module's thread.
    void outcomeNotRecorded(const QString& why) const;

private:
    struct Slot;

    [[nodiscard]] bool isHere() const { return std::this_thread::get_id() == m_threadId; }
    //! \throws NotFound, Cancelled while the module ends
    [[nodiscard]] Slot& find(const std::string& provider);
    [[nodiscard]] Slot& findNamed(const std::string& provider);
    //! Throws what forbids a call, if anything does.
    template <typename... Checked> void admit(const char* verb, const Checked&... checked) const;
    //! Never null.
    [[nodiscard]] std::unique_ptr<LockProvider>
    make(const ProviderFactory& factory, const ProviderSetup& setup, ProviderInfo& info) const;
    //! Frees what a call has taken whose thread had ended before it could be told.
    Task<void> takeBack(LockKeys keys, ReleaseOptions options);
    //! Records what came of a call, and says so if that can't be done.
    static void conclude(const QPointer<const LockingModule>& self, AuditLog& audit,
                         const AuditRecord& record);
    //! `capability` of the provider does what `act` asks of it.
    template <typename Capability, typename Act>
    Task<std::string> administer(const char* verb, std::vector<std::string> arguments,
                                 const std::string& provider, const SharedContext& context,
                                 Capability* (LockProvider::*capability)(), Act act);
    template <typename T, typename Describe>
    Task<T> audited(Task<T> call, AuditRecord record, Describe describe);
    Task<void> executeHere(LockKeys keys, LockedJob job, ExecuteOptions options,
                           SharedContext context, bool jobRunsHere);

    const std::thread::id m_threadId;
    Container m_container;
    Settings m_settings;
    const std::shared_ptr<Door> m_door;
    std::vector<std::unique_ptr<Slot>> m_slots;
    std::vector<ProviderInfo> m_infos;
    std::string m_defaultId;
    Slot* m_default = nullptr;
    bool m_closing = false;
};

} // namespace lockboard
