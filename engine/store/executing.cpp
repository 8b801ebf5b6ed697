// SPDX-License-Identifier: MIT
#include "engine/store/basic_provider.h"
#include "engine/store/execution.h"
#include "engine/store/give_back.h"
#include "engine/store/planted_fault.h"

#include <QUuid>

#include <algorithm>

// A job that runs while its keys are held.

namespace lockboard {

using namespace std::chrono_literals;

//! Between two questions whether a lease that has passed can be had again.
static constexpr Duration revivalPause = 100ms;

namespace {

//! What becomes of a call that somebody may have stopped waiting for.
template <typename T> struct Followed {
    std::optional<T> result;
    std::exception_ptr error;
    Signal* waiting = nullptr;
    bool isDone = false;
};

template <typename T> Task<void> follow(Task<T> call, std::shared_ptr<Followed<T>> followed)
{
    try {
        followed->result.emplace(co_await call);
    } catch (...) {
        followed->error = std::current_exception();
    }
    followed->isDone = true;
    if (followed->waiting)
        followed->waiting->raise();
}

} // namespace

template <typename T>
Task<std::optional<T>> BasicProvider::within(Task<T> call, TimePoint until, std::stop_token stop)
{
    const auto followed = std::make_shared<Followed<T>>();
    letRun(follow(std::move(call), followed));
    if (!followed->isDone && !m_closing) {
        Signal signal(m_resumer);
        followed->waiting = &signal;
        m_resting.push_back(&signal);
        co_await signal.wait(until, stop);
        std::erase(m_resting, &signal);
        followed->waiting = nullptr;
    }
    if (followed->error)
        std::rethrow_exception(followed->error);
    co_return std::move(followed->result);
}

Task<void> BasicProvider::releaseNow(LockKeys keys, std::string owner, SharedContext context)
{
    std::string problem;
    try {
        co_await release(std::move(keys), ReleaseOptions().ownedBy(std::move(owner)),
                         std::move(context));
    } catch (...) {
        problem = messageOf(std::current_exception());
    }
    if (!problem.empty() && !m_closing)
        log(LogLevel::Warning,
            "Could not release after a job; the lease will end by itself: " + problem);
}

void BasicProvider::releaseAside(LockKeys keys, std::string owner, bool unique, Duration lease,
                                 SharedContext context)
{
    if (m_closing)
        return;
    if (unique)
        m_giveBack->add(std::move(keys), std::move(owner), lease, {});
    else
        letRun(releaseNow(std::move(keys), std::move(owner), std::move(context)));
}

Task<std::optional<TimePoint>> BasicProvider::revive(LockKeys keys, AcquireOptions options,
                                                     TimePoint until)
{
    const Duration lease = *options.lease();
    for (;;) {
        const TimePoint asked = clock().now();
        std::optional<Renewal> renewal;
        try {
            Task<Renewal> call = renew(keys, *options.owner(), lease);
            renewal = co_await within(std::move(call), until, options.stopToken());
        } catch (const LockError&) {
            // asked again while there is time
        }
        if (m_closing)
            throw OutcomeUnknown("The provider was closed while a lock was granted.");
        if (renewal && !renewal->isHeld())
            co_return std::nullopt;
        const TimePoint now = clock().now();
        if (renewal) {
            const TimePoint end = renewal->leaseEnd().value_or(asked + lease);
            if (now < Execution::deadlineOf(end, lease))
                co_return end;
        }
        const bool stopped = options.stopToken().stop_requested();
        if (stopped || now >= until) {
            releaseAside(keys, *options.owner(), options.isUniquelyOwned(), lease, {});
            if (stopped)
                throw Cancelled();
            throw TimedOut();
        }
        if (!renewal)
            co_await rest(std::min(until, now + revivalPause));
    }
}

Task<std::optional<std::string>> BasicProvider::releaseAfterJob(LockKeys keys, std::string owner,
                                                                bool unique, bool suspect,
                                                                Duration lease, TimePoint leaseEnd,
                                                                SharedContext context)
{
    std::optional<ReleaseResult> result;
    std::string problem;
    try {
        Task<ReleaseResult> call = release(keys, ReleaseOptions().ownedBy(owner), context);
        if (call.isReady()) {
            result.emplace(co_await call);
        } else {
            // When the lease is over the answer tells nothing any more about the time of the job.
            result = co_await within(std::move(call), leaseEnd, {});
            if (!result)
                problem = "the store did not answer before the lease ended";
        }
    } catch (...) {
        problem = messageOf(std::current_exception());
    }
    bool unsure = !problem.empty();
    std::optional<std::string> lost;
    if (suspect && !problem.empty())
        lost = keys.front();
    for (const KeyRelease& left : result ? result->left() : std::vector<KeyRelease>()) {
        unsure = unsure || left.outcome == ReleaseOutcome::Unknown;
        // What was not ours at the end was not ours all the time.
        if (!lost && (suspect || left.outcome != ReleaseOutcome::Unknown))
            lost = left.key;
    }
    if (unsure && unique && !m_closing)
        m_giveBack->add(std::move(keys), std::move(owner), lease, {});
    else if (!problem.empty() && !m_closing)
        log(LogLevel::Warning,
            "Could not release after a job; the lease will end by itself: " + problem);
    co_return lost;
}

static AcquireOptions acquisitionFor(const ExecuteOptions& options, const std::string& owner,
                                     Duration timeout)
{
    AcquireOptions acquisition;
    acquisition.ownedBy(owner)
        .expiringIn(options.lease())
        .waiting(timeout)
        .exclusively()
        .stoppedBy(options.stopToken());
    if (options.owner())
        acquisition.withoutReentry();
    else
        acquisition.uniquelyOwned(); // finding it held by this owner is having taken it
    return acquisition;
}

Task<Grant> BasicProvider::acquireForJob(LockKeys keys, AcquireOptions acquisition,
                                         std::shared_ptr<Execution> run, SharedContext context)
{
    const TimePoint until = clock().now() + *acquisition.timeout();
    const Duration lease = *acquisition.lease();
    for (;;) {
        Grant grant = co_await acquire(keys, acquisition, context);
        if (m_closing)
            throw OutcomeUnknown("The provider was closed while a lock was granted.");
        std::optional<TimePoint> leaseEnd = grant.leaseEnd().value_or(clock().now() + lease);
        const bool late = clock().now() >= Execution::deadlineOf(*leaseEnd, lease);
        if (late && !isPlanted(PlantedFault::StartsOnOldLease)) {
            // The store was slow: somebody else may hold the keys by now.
            leaseEnd = co_await revive(keys, acquisition, until);
            acquisition.waiting(std::max<Duration>(
                std::chrono::duration_cast<Duration>(until - clock().now()), 0ms));
        }
        if (leaseEnd) {
            run->begin(*leaseEnd);
            co_return grant;
        }
    }
}

Task<void> BasicProvider::executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                                     SharedContext context)
{
    const bool unique = !options.owner();
    const Duration lease = options.lease();
    std::string owner = options.owner().value_or(
        "execute:" + QUuid::createUuid().toString(QUuid::WithoutBraces).toStdString());
    AcquireOptions acquisition =
        acquisitionFor(options, owner, options.requestedTimeout().value_or(executeTimeout()));
    const auto run =
        std::make_shared<Execution>(*this, keys, std::move(owner), lease, options.longestHold());
    const Grant grant = co_await acquireForJob(keys, std::move(acquisition), run, context);
    if (hasLost(keys, run->owner()))
        run->lose(keys.front());

    std::exception_ptr jobError;
    {
        const std::stop_callback forward(options.stopToken(),
                                         [run] { run->stopSource().request_stop(); });
        try {
            co_await job(run->stopSource().get_token(), grant);
        } catch (...) {
            jobError = std::current_exception();
        }
    }
    std::optional<Lost> lost = run->loss(jobError);
    if (!run->isOrphan()) {
        const bool suspect = run->isSuspect();
        const TimePoint end = run->deadline();
        run->end();
        if (lost && !isPlanted(PlantedFault::LostAfterRelease)) {
            releaseAside(std::move(keys), run->owner(), unique, lease, std::move(context));
        } else {
            const auto key = co_await releaseAfterJob(keys, run->owner(), unique, suspect, lease,
                                                      end, std::move(context));
            if (key && !lost)
                lost.emplace(*key, jobError);
        }
    }
    if (lost)
        throw Lost(*lost);
    if (jobError)
        std::rethrow_exception(jobError);
}

} // namespace lockboard
