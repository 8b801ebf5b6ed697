// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/contract/capabilities.h"
#include "engine/contract/context.h"
#include "engine/contract/errors.h"
#include "engine/contract/features.h"
#include "engine/contract/live_view.h"
#include "engine/contract/lock.h"
#include "engine/contract/options.h"
#include "engine/contract/typed_job.h"

//! The contract: what every provider of locks does. The guide is Medusa's "How to Create a Locking
//! Module Provider"; where it is silent we do what Medusa's packages do, unless they are wrong.
//! To write a provider, derive from BasicProvider (engine/store/basic_provider.h) and implement a
//! few primitives.

namespace lockboard {

//! A place that keeps locks. Single-threaded: made, called and destroyed on one thread, that of the
//! module, which validates arguments before they come here. Every call throws through co_await,
//! LockErrors only and what a job throws; the module contains anything else and names the provider.
//!
//! **The end of life, one rule**: who is destroyed first tells everyone who waits on it,
//! truthfully.
//! - What was not sent ends with Cancelled, and nothing of it is held. So does a call that waits
//!   its turn, and a job that has not started.
//! - What was sent and not answered ends with OutcomeUnknown (a release of several keys says it key
//!   by key: ReleaseOutcome::Unknown). What is known to be done already is told as done, by the
//!   result.
//! - A job that runs is told to stop, and its call ends with Lost once it has ended. Its lease is
//!   left to end by itself: nobody is there any more who could know when the job has.
//! - All that happens before the destructor returns. Afterwards nothing goes on that refers to what
//!   is gone, on any thread, and nothing waits for an event of it: tickets, timers and waiters
//!   leave by RAII. A view that outlives its provider says that it failed, and falls silent.
//! - Calls that come from other threads are the module's to end (engine/module/locking_module.h).
class LockProvider {
public:
    LockProvider() = default;
    virtual ~LockProvider() = default;
    LockProvider(const LockProvider&) = delete;
    LockProvider& operator=(const LockProvider&) = delete;

    //! Takes all keys or none.
    //!
    //! | state of the key    | caller         | Claimable                     | Exclusive      |
    //! |---------------------|----------------|-------------------------------|----------------|
    //! | free, or lease over | anyone         | granted                       | granted        |
    //! | held by X           | X              | granted, lease extended       | the same       |
    //! | held by X           | Y, or no owner | Conflict                      | Conflict       |
    //! | held without owner  | no owner       | granted, lease extended       | Conflict       |
    //! | held without owner  | Y              | granted, extended, Y its owner| Conflict       |
    //!
    //! A call that waits is served first come, first served within a process; the same owner
    //! re-enters at once; a waiter never claims a lock without owner.
    //! \throws Conflict, TimedOut, Cancelled, Unavailable, OutcomeUnknown, Denied
    virtual Task<Grant> acquire(LockKeys keys, AcquireOptions options, SharedContext context) = 0;

    //! Waits for all keys, runs the job while holding them under an owner of its own, renews the
    //! lease every third of it, and releases on every way out.
    //! \throws TimedOut and the job never starts; Lost if the lease was lost, whatever the job
    //!         returned; what the job throws, unchanged; else as acquire
    virtual Task<void> executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                                  SharedContext context) = 0;

    //! Key by key an atomic compare-and-delete.
    //!
    //! | state of the key    | caller passes      | result                                       |
    //! |---------------------|--------------------|----------------------------------------------|
    //! | held by X           | X                  | released                                     |
    //! | held by X           | Y, or no owner     | HeldByOther, untouched                       |
    //! | held without owner  | no owner, or any   | released; Exclusive: only if none is passed  |
    //! | free, or lease over | anyone             | NotHeld                                      |
    //!
    //! With ReleaseOptions::onlyIfOver no lock that is live is released, whoever holds it: it is
    //! HeldByOther, or NotHeld to a provider that keeps nothing of a lock that is over. What is
    //! left of one that is over is removed (KeyRelease::cleared). \throws Unavailable, Denied; a
    //! key of unknown outcome is in the result
    virtual Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options,
                                        SharedContext context) = 0;

    //! All locks of the provider, or only one owner's. A lock that somebody else takes in between
    //! is not touched. An error that comes when some are released already is in the result.
    virtual Task<ReleaseAllResult> releaseAll(ReleaseAllOptions options, SharedContext context) = 0;

    //! What a console shows. The provider outlives its views' use; a view outliving it falls
    //! silent.
    [[nodiscard]] virtual LiveViewPtr liveView() = 0;
    [[nodiscard]] virtual ProviderFeatures features() const = 0;
    //! Looks at the server and says what it finds. Never throws.
    [[nodiscard]] virtual Task<CheckReport> check() = 0;

    //! Whether all is given back that calls which have ended may have left held, waiting for it for
    //! `within` at the most. A process that ends before leaves it to its lease.
    [[nodiscard]] virtual Task<bool> givenBack(Duration) { return ready(true); }

    // What only some kinds can do; null: this one can't. They live as long as the provider.
    [[nodiscard]] virtual SessionControl* sessionControl() { return nullptr; }
    [[nodiscard]] virtual ChangeNotices* changeNotices() { return nullptr; }

    //! The same as executeJob, for a job `(std::stop_token, const Grant&) -> T`,
    //! `(std::stop_token) -> T`, `() -> T` or any of these of Task<T>. The job is copied. One that
    //! owns something is passed by its name, not as a temporary (engine/async/task.h says why).
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
};

} // namespace lockboard
