// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/container.h"
#include "engine/contract/provider.h"
#include "engine/store/doubt.h"
#include "engine/store/wait_queue.h"

#include <QPointer>

#include <vector>

namespace lockboard {

class Execution;
class GiveBack;
class PollingView;
class WaitingCall;

//! What a renewal found: until when the keys are held now, or the key that is no longer.
class Renewal final {
public:
    //! Held; none: for ever.
    [[nodiscard]] static Renewal until(std::optional<TimePoint> end) { return Renewal(end, {}); }
    [[nodiscard]] static Renewal lost(std::string key) { return Renewal({}, std::move(key)); }

    [[nodiscard]] bool isHeld() const { return m_lostKey.empty(); }
    [[nodiscard]] std::optional<TimePoint> leaseEnd() const { return m_leaseEnd; }
    [[nodiscard]] const std::string& lostKey() const { return m_lostKey; }

private:
    Renewal(std::optional<TimePoint> end, std::string key)
        : m_leaseEnd(end)
        , m_lostKey(std::move(key))
    {
    }

    std::optional<TimePoint> m_leaseEnd;
    std::string m_lostKey;
};

//! The base for a provider's author: implement tryAcquire, renew, release, releaseAll, list, features
//! and check; waiting in a queue, execute (wait, renew, stop token, release) and a live view that
//! asks once a second come free. A store that tells of its changes has a live view of its own.
class BasicProvider : public LockProvider {
public:
    explicit BasicProvider(const Container& container);
    ~BasicProvider() override;

    Task<Grant> acquire(LockKeys keys, AcquireOptions options, SharedContext context) override;
    Task<void> executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                          SharedContext context) override;
    [[nodiscard]] Task<bool> givenBack(Duration within) override;
    //! A PollingView of list().
    [[nodiscard]] LiveViewPtr liveView() override;

protected:
    //! One try, all keys or none, that never waits in a queue. An ownerless lock is a conflict if
    //! options.isExclusive() or the provider's policy says so; one of the same owner if not
    //! options.reenters(). \throws Conflict, Unavailable, OutcomeUnknown, Denied; what a server was
    //! asked and did not answer is settled first
    virtual Task<Grant> tryAcquire(LockKeys keys, AcquireOptions options,
                                   SharedContext context) = 0;
    //! Extends the lease of every key if all are held by `owner` still; none: looks, extends
    //! nothing.
    virtual Task<Renewal> renew(LockKeys keys, std::string owner,
                                std::optional<Duration> lease) = 0;

    //! Every lock that there is, each key once, whoever holds it. Not needed where liveView() is
    //! overridden.
    [[nodiscard]] virtual Task<LockBatch> list();

    //! The lease of an execute has ended while its job may still run: what else it held may go.
    virtual void onLeaseOver(const LockKeys& keys, const std::string& owner);
    //! For what was noted lost before its execute had begun.
    [[nodiscard]] virtual bool hasLost(const LockKeys& keys, const std::string& owner) const;

    //! For tryAcquire, when it does not know what became of a command it has sent: looks who holds
    //! the keys, for `within` at the most if it can't. `began`: the command was sent then or later;
    //! `problem` says what happened.
    //! \throws NotTaken, OutcomeUnknown
    Task<Grant> settle(LockKeys keys, AcquireOptions options, TimePoint began, Duration within,
                       std::string problem);

    //! How long the first waiter of a key rests before its n-th look (n counts from 0), for locks
    //! that other programs free without telling us.
    [[nodiscard]] virtual Duration retryDelay(int attempt) const;
    //! How long execute waits for its keys if the call doesn't say.
    [[nodiscard]] virtual Duration executeTimeout() const { return ExecuteOptions::defaultTimeout; }

    //! Says that a key may be free now: whoever waits for it first looks at once.
    void wake(const std::string& key);
    //! The same, but whoever waits for it elsewhere may look first.
    void wakeAfter(const std::string& key, Duration pause);
    //! Says that a key was changed by somebody: taken, extended or freed.
    void hint(const std::string& key);
    //! Says that every key may be free now.
    void wakeAll();
    //! Says that an owner's lock is gone without its doing: its execute stops, if it has one here.
    void noteLost(const Owner& owner, const std::string& key);
    //! Says that the store may have forgotten locks, after a failover say: those of the executes
    //! here are renewed now, and none of these executes succeeds before that is confirmed.
    void suspectAll();
    //! Ends all that only waits with Cancelled and all executions with Lost. Call it first thing in
    //! the destructor of a leaf: what wakes up still uses the provider. Then end what the store was
    //! asked and has not answered: OutcomeUnknown if it was sent, else Cancelled. A call whose
    //! question the leaf does not end so ends with OutcomeUnknown once the leaf is gone.
    void close();

    [[nodiscard]] Clock& clock() const { return *m_container.clock; }
    [[nodiscard]] Resumer& resumer() { return m_resumer; }
    [[nodiscard]] WaitQueue& waitQueue() { return m_queue; }
    [[nodiscard]] bool isClosing() const { return m_closing; }
    void log(LogLevel level, const std::string& message) const;

private:
    friend class Execution;
    friend class GiveBack;
    friend class WaitingCall;

    Task<Grant> acquireWaiting(LockKeys keys, AcquireOptions options, SharedContext context);
    Task<Grant> acquireDespiteDoubt(LockKeys keys, AcquireOptions options, SharedContext context);
    //! Other calls of this owner that are in doubt about these keys need not give them back.
    void noteGranted(const Owner& owner, const LockKeys& keys, const Doubt* own = nullptr);
    //! A key of this owner is being given back: who asks for it now may lose it to that.
    [[nodiscard]] bool isGivingBack(const Owner& owner) const;
    //! Another call of this owner has asked for keys, and is not answered yet.
    [[nodiscard]] bool isAsking(const Owner& owner) const;
    //! Acquires what a job needs, on a lease that is not over yet, and begins its execution.
    Task<Grant> acquireForJob(LockKeys keys, AcquireOptions acquisition,
                              std::shared_ptr<Execution> run, SharedContext context);
    //! What a job may start on: its keys, held for a while yet. none: they are lost
    Task<std::optional<TimePoint>> revive(LockKeys keys, AcquireOptions options, TimePoint until);
    //! Lets go of what a call that is over holds, without making it wait.
    void releaseAside(LockKeys keys, std::string owner, bool unique, Duration lease,
                      SharedContext context);
    Task<void> releaseNow(LockKeys keys, std::string owner, SharedContext context);
    //! Releases what a job held that has ended in time; gives the key that was not its own any
    //! more.
    Task<std::optional<std::string>> releaseAfterJob(LockKeys keys, std::string owner, bool unique,
                                                     bool suspect, Duration lease,
                                                     TimePoint leaseEnd, SharedContext context);
    //! Waits for a call, which goes on by itself if it isn't answered in time; none: it was not.
    template <typename T>
    Task<std::optional<T>> within(Task<T> call, TimePoint until, std::stop_token stop);
    //! Waits; not once the provider is closed.
    Task<void> rest(TimePoint until);
    //! renew() without a lease; none: no answer. \throws Cancelled
    Task<std::optional<Renewal>> look(LockKeys keys, std::string owner);
    static void wake(WaitQueue::Ticket& ticket);
    void wakeLeaders(const LockKeys& keys);
    //! Lets those who lead now know who has just taken the keys.
    void blockLeaders(const LockKeys& keys, const Owner& owner, const Grant& grant);

    Container m_container;
    Resumer m_resumer;
    WaitQueue m_queue;
    std::unordered_multimap<std::string, Execution*> m_executions;
    Doubts m_doubts;
    std::unique_ptr<GiveBack> m_giveBack;
    std::vector<QPointer<PollingView>> m_pollingViews;
    std::vector<Signal*> m_resting; // in the order of their coming
    int m_unanswered = 0; // questions whose calls have ended
    bool m_closing = false;
    bool m_ended = false; // the leaf is gone
};

} // namespace lockboard
