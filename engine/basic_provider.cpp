// SPDX-License-Identifier: MIT
#include "engine/basic_provider.h"

#include "engine/execution.h"
#include "engine/give_back.h"

#include <QUuid>

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

BasicProvider::BasicProvider(const Container& container)
    : m_container(container)
    , m_resumer(*container.clock)
    , m_giveBack(std::make_unique<GiveBack>(*this))
{
}

BasicProvider::~BasicProvider()
{
    close();
}

void BasicProvider::close()
{
    m_closing = true;
    while (WaitQueue::Ticket* ticket = m_queue.any()) {
        m_queue.leave(*ticket);
        ticket->signal.raise(WakeReason::Cancelled);
    }
    while (!m_executions.empty())
        m_executions.begin()->second->orphan();
    m_giveBack->close();
    for (Signal* const signal : m_resting)
        signal->raise(WakeReason::Cancelled);
    m_resumer.drain();
}

void BasicProvider::log(LogLevel level, const std::string& message) const
{
    m_container.log(level, message);
}

Duration BasicProvider::retryDelay(int attempt) const
{
    return std::min<Duration>(20ms * (1 << std::min(attempt, 10)), 1s);
}

void BasicProvider::wake(const std::string& key)
{
    if (WaitQueue::Ticket* ticket = m_queue.front(key))
        wake(*ticket);
}

void BasicProvider::wake(WaitQueue::Ticket& ticket)
{
    ticket.woken = true;
    ticket.blocker.reset();
    ticket.signal.raise();
}

void BasicProvider::wakeAfter(const std::string& key, Duration pause)
{
    if (WaitQueue::Ticket* ticket = m_queue.front(key)) {
        ticket->notBefore = clock().now() + pause;
        wake(*ticket);
    }
}

void BasicProvider::hint(const std::string& key)
{
    WaitQueue::Ticket* const ticket = m_queue.front(key);
    if (!ticket)
        return;
    // Who forestalled our last try is told of while that is under way, or a moment later. To look
    // again for this would cost the server a command for every lock and waiting process.
    if (clock().now() >= std::exchange(ticket->knownUntil, TimePoint()))
        wake(*ticket);
}

void BasicProvider::wakeAll()
{
    for (WaitQueue::Ticket* ticket : m_queue.fronts())
        wake(*ticket);
}

void BasicProvider::blockLeaders(const LockKeys& keys, const Owner& owner, const Grant& grant)
{
    for (const std::string& key : keys) {
        WaitQueue::Ticket* const ticket = m_queue.front(key);
        if (!ticket)
            continue;
        if (!ticket->woken)
            ticket->blocker = WaitQueue::Holder{owner, grant.leaseEnd()};
        ticket->signal.raise();
    }
}

void BasicProvider::wakeLeaders(const LockKeys& keys)
{
    for (const std::string& key : keys)
        wake(key);
}

void BasicProvider::noteLost(const Owner& owner, const std::string& key)
{
    if (m_executions.empty() || !owner)
        return;
    std::vector<std::shared_ptr<Execution>> all; // a job that is told to stop may end at once
    const auto [first, last] = m_executions.equal_range(*owner);
    for (auto it = first; it != last; ++it)
        all.push_back(it->second->shared_from_this());
    for (const auto& execution : all)
        execution->lose(key);
}

void BasicProvider::onLeaseOver(const LockKeys&, const std::string&) { }

bool BasicProvider::hasLost(const LockKeys&, const std::string&) const
{
    return false;
}

void BasicProvider::suspectAll()
{
    std::vector<std::shared_ptr<Execution>> all;
    all.reserve(m_executions.size());
    for (const auto& [owner, execution] : m_executions)
        all.push_back(execution->shared_from_this());
    for (const auto& execution : all)
        execution->suspect();
}

//! One try of a waiting call. It may outlive the call: if that times out while a server is silent,
//! what the try takes in the end is given back.
class BasicProvider::Attempt final {
public:
    explicit Attempt(LockKeys wanted, WaitQueue::Ticket* waiting)
        : keys(std::move(wanted))
        , ticket(waiting)
    {
    }

    LockKeys keys;
    WaitQueue::Ticket* ticket; // null once the call has given up
    std::optional<Grant> grant;
    std::optional<Duration> remaining;
    std::exception_ptr error;
    bool finished = false;
    bool unsure = false; // the keys may come to be held all the same
};

Task<void> BasicProvider::runAttempt(std::shared_ptr<Attempt> attempt, AcquireOptions options,
                                     SharedContext context)
{
    const Owner owner = options.owner();
    const bool unique = options.isUniquelyOwned();
    const std::optional<Duration> lease = options.lease();
    try {
        attempt->grant = co_await tryAcquire(attempt->keys, std::move(options), context);
    } catch (const Conflict& conflict) {
        attempt->remaining = conflict.remaining();
    } catch (const NotTaken&) {
        // Known to have done nothing so far, so the call may try again.
        attempt->unsure = true;
        attempt->remaining = Duration(0);
    } catch (const OutcomeUnknown&) {
        attempt->unsure = true;
        attempt->error = std::current_exception();
    } catch (...) {
        attempt->error = std::current_exception();
    }
    attempt->finished = true;
    if (attempt->ticket) {
        attempt->ticket->signal.raise();
    } else if (unique) {
        if (attempt->grant || attempt->unsure)
            m_giveBack->add(attempt->keys, *owner, lease);
    } else if (attempt->grant && !attempt->grant->isExtension() && !m_closing) {
        try {
            co_await release(attempt->keys, ReleaseOptions().ownedBy(owner), context);
        } catch (const LockError& error) {
            log(LogLevel::Warning,
                "Could not give back a lock that was granted too late: " + error.message());
        }
    }
}

Task<Grant> BasicProvider::acquire(LockKeys keys, AcquireOptions options, SharedContext context)
{
    if (options.waits())
        return acquireWaiting(std::move(keys), std::move(options), std::move(context));
    return tryAcquire(std::move(keys), std::move(options), std::move(context));
}

Task<Grant> BasicProvider::acquireWaiting(LockKeys keys, AcquireOptions options,
                                          SharedContext context)
{
    std::optional<TimePoint> deadline;
    if (options.timeout())
        deadline = clock().now() + *options.timeout();
    AcquireOptions oneTry = options;
    oneTry.exclusively(); // a waiter never claims a lock without owner

    const bool mayHold = options.owner() && options.reenters() && !options.isUniquelyOwned();
    if (mayHold && m_queue.hasWaiters(keys)) {
        // The same owner re-enters at once, past those who wait for him.
        const Renewal held = co_await renew(keys, *options.owner(), options.lease());
        if (held.isHeld() && !features().fencingTokens)
            co_return Grant(held.leaseEnd()).asExtension();
        if (held.isHeld()) {
            try { // every grant has a token of its own
                co_return co_await tryAcquire(keys, oneTry, context);
            } catch (const Conflict&) {
                // lost in between
            }
        }
    }

    if (m_closing)
        throw Cancelled("The provider was closed.");
    WaitQueue::Ticket ticket(keys, m_resumer);
    m_queue.join(ticket);
    std::shared_ptr<Attempt> attempt;
    std::optional<TimePoint> nextLook;
    bool unsure = false;

    const auto leave = [&] {
        if (attempt)
            attempt->ticket = nullptr;
        m_queue.leave(ticket);
        wakeLeaders(keys);
        if (unsure && options.isUniquelyOwned())
            m_giveBack->add(keys, *options.owner(), options.lease());
    };
    // While another holds our keys for a known time, only he himself would be let in.
    const auto isBlocked = [&] {
        return ticket.blocker
            && !(oneTry.reenters() && oneTry.owner() && ticket.blocker->owner == oneTry.owner());
    };
    for (int tries = 0;;) {
        if (m_closing)
            throw Cancelled("The provider was closed.");
        if (attempt && attempt->finished) {
            unsure = unsure || attempt->unsure;
            if (attempt->grant || attempt->error) {
                const auto done = std::exchange(attempt, nullptr);
                if (done->error) {
                    leave();
                    std::rethrow_exception(done->error);
                }
                m_queue.leave(ticket);
                blockLeaders(keys, options.owner(), *done->grant);
                co_return *done->grant;
            }
            nextLook = clock().now() + retryDelay(tries++);
            if (ticket.woken)
                nextLook.reset(); // what the try saw is old news
            else if (attempt->remaining)
                nextLook = std::min(*nextLook, clock().now() + *attempt->remaining + 1ms);
            attempt.reset();
            if (ticket.knownUntil == TimePoint::max())
                ticket.knownUntil = clock().now() + 2ms;
        }
        if (!attempt && isBlocked()) {
            nextLook = clock().now() + retryDelay(tries++);
            if (ticket.blocker->leaseEnd)
                nextLook = std::min(*nextLook, *ticket.blocker->leaseEnd + 1ms);
        }
        ticket.blocker.reset();
        if (ticket.notBefore > clock().now() && (!nextLook || ticket.notBefore > *nextLook))
            nextLook = ticket.notBefore;
        const bool mayLook = !nextLook || clock().now() >= *nextLook;
        if (!attempt && mayLook && m_queue.leads(ticket)) {
            if (std::exchange(ticket.woken, false))
                tries = 0;
            // Only a first look is soon followed by another: news during a later one must wake.
            ticket.knownUntil = tries == 0 ? TimePoint::max() : TimePoint();
            attempt = std::make_shared<Attempt>(keys, &ticket);
            oneTry.asLook(tries);
            letRun(runAttempt(attempt, oneTry, context));
            if (attempt->finished) {
                ticket.signal.reset(); // raised for nobody: nothing has waited yet
                continue;
            }
        }
        std::optional<TimePoint> until = deadline;
        if (!attempt && nextLook && m_queue.leads(ticket))
            until = deadline ? std::min(*deadline, *nextLook) : nextLook;
        const WakeReason reason = co_await ticket.signal.wait(until, options.stopToken());
        ticket.signal.reset();
        if (m_closing) {
            if (attempt)
                attempt->ticket = nullptr;
            throw Cancelled("The provider was closed.");
        }
        if (attempt && attempt->finished)
            continue; // a grant is not thrown away, whatever came after it
        if (reason == WakeReason::Cancelled) {
            leave();
            throw Cancelled();
        }
        if (deadline && clock().now() >= *deadline) {
            leave();
            throw TimedOut();
        }
        if (reason == WakeReason::Signalled && !attempt && !isBlocked())
            nextLook.reset();
    }
}

Task<void> BasicProvider::executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                                     SharedContext context)
{
    const bool unique = !options.owner();
    std::string owner = options.owner().value_or(
        "execute:" + QUuid::createUuid().toString(QUuid::WithoutBraces).toStdString());
    AcquireOptions acquisition;
    acquisition.ownedBy(owner)
        .expiringIn(options.lease())
        .waiting(options.requestedTimeout().value_or(executeTimeout()))
        .exclusively()
        .stoppedBy(options.stopToken());
    if (unique)
        acquisition.uniquelyOwned(); // finding it held by this owner is having taken it
    else
        acquisition.withoutReentry();
    const auto run = std::make_shared<Execution>(*this, keys, std::move(owner), options.lease(),
                                                 options.longestHold());
    const Grant grant = co_await acquire(keys, std::move(acquisition), context);
    run->begin(grant.leaseEnd().value_or(clock().now() + options.lease()));
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
        run->end();
        bool unsure = false;
        std::string problem;
        try {
            ReleaseOptions release;
            release.ownedBy(run->owner());
            const ReleaseResult result =
                co_await this->release(keys, std::move(release), std::move(context));
            for (const KeyRelease& left : result.left()) {
                unsure = unsure || left.outcome == ReleaseOutcome::Unknown;
                // What was not ours at the end was not ours all the time.
                if (!lost && (suspect || left.outcome != ReleaseOutcome::Unknown))
                    lost.emplace(left.key, jobError);
            }
        } catch (const LockError& error) {
            problem = error.message();
            if (!lost && suspect)
                lost.emplace(keys.front(), jobError);
        }
        if (unique && (unsure || !problem.empty()))
            m_giveBack->add(std::move(keys), run->owner(), options.lease());
        else if (!problem.empty())
            log(LogLevel::Warning,
                "Could not release after a job; the lease will end by itself: " + problem);
    }
    if (lost)
        throw Lost(*lost);
    if (jobError)
        std::rethrow_exception(jobError);
}

} // namespace lockboard
