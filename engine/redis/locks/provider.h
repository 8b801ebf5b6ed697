// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/topology/client.h"
#include "engine/redis/topology/push_group.h"
#include "engine/redis/topology/replicas.h"
#include "engine/redis/wire/note.h"
#include "engine/redis/wire/scan.h"
#include "engine/store/basic_provider.h"

#include <QPointer>

#include <set>
#include <unordered_set>

namespace lockboard::redis {

class View;

//! Locks in Redis, shared with Medusa's package over the same server. A lock is a string: key
//! `namespace` + key, value the owner or `*` for none, lease the key's own expiry.
class Provider final : public BasicProvider {
public:
    static constexpr const char* identifier = "redis";
    //! Keys asked of SCAN at a time.
    static constexpr int pageSize = Scan::pageSize;
    //! What stands for "no owner" on the wire.
    static const std::string nobody;
    [[nodiscard]] static Owner ownerOf(std::string_view value);
    //! The same of a reply, which may say no more than that it is too long.
    [[nodiscard]] static Owner holderIn(const Reply& value);

    //! Connects in the background; a server that can't be reached shows when a call is made.
    Provider(const Container& container, Settings settings);
    ~Provider() override;

    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options,
                                SharedContext context) override;
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions options, SharedContext context) override;
    [[nodiscard]] LiveViewPtr liveView() override;
    [[nodiscard]] ProviderFeatures features() const override;
    [[nodiscard]] Task<CheckReport> check() override;

    // For the live view.
    [[nodiscard]] std::vector<std::string> warnings() const;
    [[nodiscard]] bool isInsecure() const { return !m_warnings.empty(); }
    void warn(const std::string& sentence) const { log(LogLevel::Warning, sentence); }
    [[nodiscard]] PushGroup& push() { return *m_push; }
    [[nodiscard]] Client& client() { return m_client; }
    [[nodiscard]] const Notes& notes() const { return m_notes; }
    [[nodiscard]] Clock& sharedClock() const { return clock(); }
    //! The key as Redis knows it.
    [[nodiscard]] std::string stored(const std::string& key) const
    {
        std::string name;
        name.reserve(m_settings.keyspace.size() + key.size());
        return name.append(m_settings.keyspace).append(key);
    }
    //! The lock's key of one as Redis knows it, which begins with the namespace.
    [[nodiscard]] std::string_view lockKey(std::string_view stored) const
    {
        return stored.substr(m_settings.keyspace.size());
    }
    [[nodiscard]] const std::string& keyspace() const { return m_settings.keyspace; }
    //! A pattern for SCAN that matches the namespace letter by letter.
    [[nodiscard]] const std::string& scanPattern() const { return m_scanPattern; }

protected:
    Task<Grant> tryAcquire(LockKeys keys, AcquireOptions options, SharedContext context) override;
    Task<Renewal> renew(LockKeys keys, std::string owner, std::optional<Duration> lease) override;
    [[nodiscard]] Duration retryDelay(int attempt) const override;
    [[nodiscard]] Duration executeTimeout() const override { return m_settings.executeTimeout; }

private:
    //! What one script has taken, and what it said of how it was before.
    class Taken final {
    public:
        Taken(LockKeys k, Answer a, Grant g)
            : keys(std::move(k))
            , answer(std::move(a))
            , grant(std::move(g))
        {
        }
        //! The answer was lost, and whether the owner held it before is not known.
        [[nodiscard]] bool isUnsure() const { return answer.reply.isNil() && grant.isExtension(); }

        LockKeys keys;
        Answer answer;
        Grant grant;
    };

    //! `taken`, if it is not null, gets what undo() needs, and nobody is told yet of what is held.
    Task<Grant> take(LockKeys keys, AcquireOptions options, SharedContext context,
                     std::vector<Taken>* taken = nullptr);
    //! Takes them, and makes them what they were if too few replicas have them in time.
    Task<Grant> takeReplicated(LockKeys keys, AcquireOptions options, SharedContext context);
    void pruneReplicas();
    //! As Replicas::findFault, of each server its own.
    Task<std::string> findReplicaFault(LockKeys keys, std::string value);
    //! \throws Conflict, InvalidArgument: what a script says of a key that stands in its way
    static void throwIfRefused(const Reply& reply, const LockKeys& keys);
    //! The server that keeps this lock; null: not known yet.
    [[nodiscard]] Connection* serverFor(const std::string& key);
    //! Of one key and without notes: the path that is short.
    Task<Grant> acquireOne(LockKeys keys, AcquireOptions options, Connection* server);
    Call callToTake(Connection& server, const std::string& key,
                    const AcquireOptions& options) const;
    //! What is to be done if that did not take it.
    Task<Grant> acquireAfter(const Call& call, const Reply& reply, const std::string& problem,
                             LockKeys& keys, AcquireOptions& options);
    //! `note`: what to write beside the locks; empty if no notes are written. `taken`: as take().
    Task<Grant> acquireByScript(LockKeys keys, AcquireOptions options, std::string note = {},
                                std::vector<Taken>* taken = nullptr);
    Task<Grant> settleAcquire(LockKeys keys, AcquireOptions options, TimePoint began,
                              std::string problem);
    Task<ReleaseResult> releaseOne(LockKeys keys, ReleaseOptions options, Connection* server);
    Call callToRelease(Connection& server, const std::string& key, const Owner& owner) const;
    Task<ReleaseResult> releaseByScript(LockKeys keys, ReleaseOptions options);
    [[nodiscard]] Eval evalToRelease(const LockKeys& keys, const ReleaseOptions& options) const;
    [[nodiscard]] Eval evalToReleaseSeen(const LockKeys& keys, const ReleaseOptions& options) const;
    //! Takes the script's answer.
    ReleaseResult noteReleased(const LockKeys& keys, const ReleaseOptions& options,
                               const Reply& reply);
    void noteTaken(const LockKeys& keys, const AcquireOptions& options, const Grant& grant);

    //! To a script's keys, which are locks, the keys of their notes, as an extra.
    static void addNotes(Eval& eval);
    //! Runs a script, without its notes if the user may not touch those. \throws as
    //! Client::eval
    Task<Answer> run(Eval eval);
    Task<Answer> runNoted(Eval eval);
    void setNotesProblem(const std::string& sentence);
    //! Where the tokens of this key, as Redis knows it, are counted.
    [[nodiscard]] std::string counterFor(const std::string& stored) const
    {
        return Notes::counterFor(stored, m_client.isCluster());
    }

    // Of keys that different nodes of a cluster may keep: part by part.
    Task<Grant> acquireMany(LockKeys keys, AcquireOptions options, std::string note,
                            std::vector<Taken>* taken);
    [[nodiscard]] Task<std::vector<LockKeys>> partsOf(LockKeys keys);
    Task<Grant> acquireParts(LockKeys keys, std::vector<LockKeys> parts, AcquireOptions options,
                             std::string note, std::vector<Taken>* taken);
    Task<void> refuseIfHeld(LockKeys keys, AcquireOptions options);
    //! Gives what went wrong, as a sentence.
    Task<std::string> undo(Taken taken, AcquireOptions options);
    //! Makes one token that of all parts. \throws as Client::eval
    Task<void> raiseTokens(std::vector<LockKeys> parts, FencingToken token);
    Task<Renewal> renewParts(std::vector<LockKeys> parts, std::string owner,
                             std::optional<Duration> lease);
    Task<ReleaseResult> releaseMany(LockKeys keys, ReleaseOptions options);
    Task<ReleaseResult> releaseParts(std::vector<LockKeys> parts, ReleaseOptions options);

    Task<void> releasePages(ReleaseAllOptions options, ReleaseAllResult* result);
    Task<void> releasePagesOf(QPointer<Connection> server, ReleaseAllOptions options,
                              ReleaseAllResult* result, std::uint64_t* seen);
    Task<void> releasePage(std::vector<std::string> page, Owner owner, ReleaseAllResult* result);
    //! Whether a lock without owner is a conflict for this call.
    [[nodiscard]] bool claims(const AcquireOptions& options) const
    {
        return m_settings.ownerless == Ownerless::Claimable && !options.isExclusive();
    }
    void noteHeld(const LockKeys& keys, const Owner& owner, std::optional<TimePoint> leaseEnd);
    void noteChanged(const std::vector<std::string>& keys);
    //! Tells those who watch, wait or run here.
    void noteGone(const std::string& key, const Owner& owner);
    template <typename Tell> void tellViews(Tell tell);

    //! The server may have forgotten locks. `how`: a sentence; empty: it is only possible.
    void onReplaced(const std::string& how);
    void setReplacement(const std::string& sentence);

    // What the server pushes, for those who wait and run here.
    void listen();
    void takeChanged(const std::vector<std::string>& names);
    //! Remembers who of this process has taken what others here wait for.
    void noteMine(const LockKeys& keys, const Owner& owner);
    //! Remembers that somebody elsewhere wants this key too.
    void noteForestalled(const std::string& key);
    //! Wakes who waits for a key that we have just freed, after those who wait elsewhere.
    void wakeFairly(const std::string& key);
    void suspect(const std::string& key);
    Task<void> verifyMine();
    [[nodiscard]] Task<std::string> liveMode();
    //! Whether this user may keep what is asked for beside the locks.
    Task<void> checkNotes(std::vector<Finding>* findings);
    //! Whether it answers.
    Task<bool> checkServer(QPointer<Connection> server, std::vector<Finding>* findings);

    Settings m_settings;
    std::vector<std::string> m_warnings;
    std::string m_scanPattern;
    Notes m_notes;
    Script m_acquireScript;
    Script m_undoScript;
    Script m_raiseScript;
    Script m_extendScript;
    Script m_releaseScript;
    Script m_releaseSeenScript;
    Script m_releasePageScript;
    std::vector<QPointer<View>> m_views;
    Client m_client;
    // Values under which calls that waited hold their keys.
    std::unordered_map<std::string, std::string> m_mine;
    std::unordered_set<std::string> m_contended; // keys that others were quicker to take
    std::set<std::string> m_suspects; // of m_mine: changed, perhaps by ourselves
    Clock::TimerId m_verifyTimer = 0;
    std::string m_replacement; // a restart or failover not long ago, as a sentence
    Clock::TimerId m_replacementTimer = 0;
    std::string m_notesProblem; // why none are written, as a sentence
    std::unique_ptr<PushGroup> m_push;
    // By the server whose replicas they are; of one server, by "". Made when first needed.
    std::map<std::string, std::unique_ptr<Replicas>> m_replicas;
    std::uint64_t m_replicasTopology = 0; // the number of it when they were looked through
};

} // namespace lockboard::redis
