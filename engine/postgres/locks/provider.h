// SPDX-License-Identifier: MIT
#pragma once

#include "engine/postgres/administration/administration.h"
#include "engine/postgres/session/session.h"
#include "engine/postgres/session/statements.h"
#include "engine/postgres/wire/settings.h"
#include "engine/store/basic_provider.h"

#include <QPointer>

#include <unordered_set>

namespace lockboard::postgres {

class View;

//! Locks in PostgreSQL, shared with Medusa's package over the same database: rows of its table,
//! and for executes its advisory locks too. Few connections, however many locks and waiters: one
//! for short transactions, one session that holds and listens, one for what takes long, and one
//! that stands in line with Medusa's executes where there is one.
class Provider final : public BasicProvider {
public:
    static constexpr const char* identifier = "postgres";

    //! Connects in the background; a server that can't be reached shows when a call is made.
    Provider(const Container& container, Settings settings);
    ~Provider() override;

    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options,
                                SharedContext context) override;
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions options, SharedContext context) override;
    [[nodiscard]] LiveViewPtr liveView() override;
    [[nodiscard]] ProviderFeatures features() const override;
    [[nodiscard]] Task<CheckReport> check() override;
    [[nodiscard]] SessionControl* sessionControl() override { return &m_administration; }
    [[nodiscard]] ChangeNotices* changeNotices() override { return &m_administration; }

    // For the live view and the administration.
    [[nodiscard]] const Settings& settings() const { return m_settings; }
    [[nodiscard]] const Statements& statements() const { return m_statements; }
    [[nodiscard]] Connection& connection() { return m_work; }
    //! For what takes long, one after the other.
    [[nodiscard]] Connection& bulk() { return m_bulk; }
    [[nodiscard]] Session& session() { return m_session; }
    [[nodiscard]] bool isOwnBackend(std::int64_t pid) const;
    [[nodiscard]] const Container& container() const { return m_shared; }
    [[nodiscard]] bool hasTokens() const { return !m_tokens.empty(); }
    //! Of a lock that this process was granted; nobody else's is stored anywhere.
    [[nodiscard]] std::optional<FencingToken> tokenOf(const std::string& key,
                                                      const Owner& owner) const;
    //! What is unsafe or missing: sentences.
    [[nodiscard]] std::vector<std::string> warnings() const;
    //! What an error result means.
    [[nodiscard]] std::exception_ptr errorOf(const Result& result) const;
    //! One statement of our own connection for short ones. \throws what errorOf() gives
    [[nodiscard]] Task<Result> ask(Statement statement, Parameters parameters);
    //! The connection for what takes long, unless a pooler may give its transactions other
    //! sessions: then the one in which each transaction can have limits of its own.
    [[nodiscard]] Task<Connection*> connectionForChanges();
    //! One statement there that changes something. \throws what errorOf() gives
    [[nodiscard]] Task<Result> change(Statement statement, Parameters parameters);
    //! The name of a key with this hash, in quotes, as a live view knows it; else `advisory:HASH`.
    [[nodiscard]] std::string nameOf(std::uint32_t hash) const;
    //! Has every view look again.
    void noteAllChanged();

protected:
    Task<Grant> tryAcquire(LockKeys keys, AcquireOptions options, SharedContext context) override;
    Task<Renewal> renew(LockKeys keys, std::string owner, std::optional<Duration> lease) override;
    //! Its advisory locks: they have no lease, and a job that hangs would keep them.
    void onLeaseOver(const LockKeys& keys, const std::string& owner) override;
    [[nodiscard]] bool hasLost(const LockKeys& keys, const std::string& owner) const override;
    [[nodiscard]] Duration retryDelay(int attempt) const override;

private:
    //! What acquiring by a statement found.
    class Taking;
    //! A key that a job is about to release, for whoever waits for it here.
    class Offer;

    Task<Grant> acquireNow(LockKeys keys, AcquireOptions options);
    Task<Grant> acquireAdvertised(LockKeys keys, AcquireOptions options);
    Task<Grant> acquireRows(LockKeys keys, AcquireOptions options);
    Task<Grant> acquireForJob(LockKeys keys, AcquireOptions options);
    void conflictIfLocked(const Result& result, const LockKeys& keys,
                          const AcquireOptions& options) const;
    void addAcquire(Call& call, const LockKeys& keys, const AcquireOptions& options,
                    const std::vector<std::uint32_t>& hashes);
    void addAcquireForSession(Call& call, const LockKeys& keys, const AcquireOptions& options,
                              const std::vector<std::uint32_t>& hashes);
    void addAllOrNone(Call& call, const LockKeys& keys);
    [[nodiscard]] bool mayQueue(const AcquireOptions& options) const;
    [[nodiscard]] Task<bool> standInLine(std::uint32_t hash);
    //! Whether whoever waits here first may have it in one step: those elsewhere have not waited
    //! long for it.
    [[nodiscard]] bool mayHandOver(const Session& session, const LockKeys& keys);
    //! How a release ended; none: it is still to be made.
    [[nodiscard]] Task<std::optional<ReleaseResult>> handOver(Session* session, std::string key,
                                                              std::string owner);
    //! Null: nothing is offered of these keys, or not to this call.
    [[nodiscard]] std::shared_ptr<Offer> takeOffer(const LockKeys& keys,
                                                   const AcquireOptions& options);
    Task<Grant> takeOver(std::shared_ptr<Offer> offer, LockKeys keys, AcquireOptions options);
    void addUnlock(Call& call, const Session::Locks& locks);
    //! The one in which the owner's execute holds some of these; null: neither does.
    [[nodiscard]] Session* sessionOf(const LockKeys& keys, const std::string& owner);
    void forgetLost(const LockKeys& keys, const std::string& owner);
    Task<ReleaseResult> releaseOwn(LockKeys keys, ReleaseOptions options);
    Task<ReleaseResult> releaseExpected(LockKeys keys, ReleaseOptions options);
    Task<ReleaseResult> releaseMixed(LockKeys keys, ReleaseOptions options);
    //! `tellsAll`: even if nobody is known to wait.
    void addQuickRelease(Call& call, const std::string& key, const ReleaseOptions& options,
                         bool tellsAll);
    void addRelease(Call& call, const LockKeys& keys, const ReleaseOptions& options, bool tellsAll);
    enum class LeftBy : std::uint8_t { Nobody, Another, ItsLocker };
    Task<LeftBy> releaseOne(std::string key, Owner owner, bool patient, ReleaseAllResult* result);
    Task<void> releasePages(ReleaseAllOptions options, ReleaseAllResult* result);

    //! Whether a lock without owner is a conflict for this call.
    [[nodiscard]] bool claims(const AcquireOptions& options) const
    {
        return m_settings.ownerless == Ownerless::Claimable && !options.isExclusive();
    }
    [[nodiscard]] bool wantsToAdvertise(const LockKeys& keys) const;
    //! Asks to be told when one of these is freed.
    Task<void> advertise(LockKeys keys);
    void withdrawUnwanted();
    void takeNotification(const std::string& payload, int sender);
    void noteGranted(const LockKeys& keys, const Owner& owner, const Grant& grant);
    void noteChanged(const LockKeys& keys);
    Task<void> examine(std::vector<Finding>* findings);
    void noteGone(const std::string& key, const Owner& owner, bool wanted);
    template <typename Tell> void tellViews(Tell tell);

    Settings m_settings;
    Container m_shared;
    Administration m_administration;
    std::vector<std::string> m_warnings;
    Statements m_statements;
    std::vector<QPointer<View>> m_views;
    Connection m_work;
    Connection m_bulk;
    Session m_session;
    Session m_lane;
    std::unordered_set<std::string> m_advertised; // in this session
    Clock::TimerId m_withdrawTimer = 0;
    std::unordered_map<std::string, std::pair<Owner, FencingToken>> m_tokens;
    std::unordered_map<std::string, std::shared_ptr<Offer>> m_offers; // by key
};

} // namespace lockboard::postgres
