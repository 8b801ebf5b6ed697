// SPDX-License-Identifier: MIT
#include "engine/store/waiting_call.h"

#include "engine/store/give_back.h"
#include "engine/store/planted_fault.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lockboard {

using namespace std::chrono_literals;

//! How long a call that has to end waits for the answer that tells whether it may promise that
//! nothing is held. A timeout or stop is honoured within 250 ms.
static constexpr Duration lastWait = 200ms;
//! Before it is seen whether a key of its owner has been given back.
static constexpr Duration givingBackPause = 10ms;

//! One question to the store. It may outlive its call.
class WaitingCall::Attempt final {
public:
    Attempt(WaitingCall& of, bool asLook)
        : call(&of)
        , keys(of.m_keys)
        , owner(of.m_options.owner())
        , lease(of.m_options.lease())
        , isUnique(of.m_options.isUniquelyOwned())
        , isLook(asLook)
        , doubt(of.m_doubt)
    {
    }

    WaitingCall* call; // null once it has ended
    const LockKeys keys;
    const Owner owner;
    const std::optional<Duration> lease;
    const bool isUnique;
    const bool isLook; // takes nothing
    const std::shared_ptr<Doubt> doubt; // of an owner whom other calls may use too
    bool canBeGivenBack = false;

    bool isFinished = false;
    std::optional<Grant> grant;
    std::optional<Renewal> seen; // by a look
    std::optional<Duration> remaining; // with a conflict
    bool isOthers = false; // with a conflict: the holder is not our owner
    std::exception_ptr error;
    bool isUnsure = false; // the keys may come to be held all the same
};

//! A planted fault's ticket of a call that is over. It is kept for as long as the process: its
//! queue goes first, and is not to be left then.
static void leaveGhost(WaitQueue& queue, const LockKeys& keys, Resumer& resumer)
{
    static auto& ghosts = *new std::vector<std::pair<LockKeys*, WaitQueue::Ticket*>>;
    LockKeys* const kept = new LockKeys(keys);
    ghosts.emplace_back(kept, new WaitQueue::Ticket(*kept, resumer));
    queue.join(*ghosts.back().second);
}

WaitingCall::WaitingCall(BasicProvider& provider, LockKeys keys, AcquireOptions options,
                         SharedContext context)
    : m_provider(provider)
    , m_keys(std::move(keys))
    , m_options(std::move(options))
    , m_oneTry(m_options)
    , m_context(std::move(context))
    , m_ticket(m_keys, provider.m_resumer)
{
    m_oneTry.exclusively(); // a waiter never claims a lock without owner
    if (m_options.timeout())
        m_deadline = provider.clock().now() + *m_options.timeout();
    if (m_options.owner() && !m_options.isUniquelyOwned())
        m_doubt = std::make_shared<Doubt>(provider.m_doubts, *m_options.owner());
}

WaitingCall::~WaitingCall()
{
    if (m_doubt)
        m_doubt->isAsking = false; // nobody counts on the answer any more
    if (m_attempt) {
        m_attempt->call = nullptr;
        if (!m_attempt->isLook)
            ++m_provider.m_unanswered;
    }
    if (isPlanted(PlantedFault::TicketLeftBehind) && m_ending == Ending::TimedOut)
        leaveGhost(m_provider.m_queue, m_keys, m_provider.m_resumer);
    m_provider.m_queue.leave(m_ticket);
    if (m_granted)
        return;
    if (!isPlanted(PlantedFault::WakeUpLost))
        m_provider.wakeLeaders(m_keys);
    if (m_unsure && canBeGivenBack())
        m_provider.m_giveBack->add(m_keys, *m_options.owner(), m_options.lease(), m_doubt);
}

Task<Grant> WaitingCall::run()
{
    m_provider.m_queue.join(m_ticket);
    if (m_doubt && m_options.reenters() && !m_provider.isGivingBack(m_options.owner()))
        startLook();
    for (;;) {
        if (const std::optional<Grant> grant = takeAnswer())
            co_return *grant;
        if (!m_attempt && m_provider.m_closing)
            throw Cancelled("The provider was closed.");
        if (mayAsk()) {
            startAsking();
            if (isAnswered())
                continue;
        }
        // Obeyed already, or too late: what is under way is answered first.
        const bool ignoresStop = m_lastMoment || m_provider.m_closing;
        const std::stop_token stop = ignoresStop ? std::stop_token() : m_options.stopToken();
        const WakeReason reason = co_await m_ticket.signal.wait(nextTurn(), stop);
        m_ticket.signal.reset();
        if (!isAnswered()) // a grant is not thrown away, whatever came after it
            considerEnding(reason);
    }
}

bool WaitingCall::isAnswered() const
{
    return m_attempt && m_attempt->isFinished;
}

std::optional<Grant> WaitingCall::takeAnswer()
{
    if (!isAnswered())
        return {};
    m_ticket.inFlight = false;
    if (m_doubt)
        m_doubt->isAsking = false;
    const auto done = std::exchange(m_attempt, nullptr);
    if (done->isLook) {
        takeLook(*done);
        return {};
    }
    if (done->isUnsure) {
        m_unsure = true;
        if (!done->error) // it was looked for, and the owner held none of the keys
            m_oneTry.notHeldBefore();
    }
    if (done->grant) {
        m_granted = true;
        m_provider.m_queue.leave(m_ticket);
        m_provider.noteGranted(m_options.owner(), m_keys, m_doubt.get());
        m_provider.blockLeaders(m_keys, m_options.owner(), *done->grant);
        return done->grant;
    }
    if (done->error)
        std::rethrow_exception(done->error);
    if (done->isOthers && m_keys.size() == 1)
        m_oneTry.notHeldBefore();
    if (m_ending != Ending::None)
        throwEnding();
    planNextLook(*done);
    return {};
}

//! The same owner re-enters at once, past those who wait for it. The look may be old news by now:
//! what counts is what the store says when it is asked.
void WaitingCall::takeLook(const Attempt& done)
{
    if (!done.seen || m_provider.isGivingBack(m_options.owner()))
        return; // the first try will tell
    if (done.seen->isHeld())
        m_asksNow = true;
    else if (m_keys.size() == 1)
        m_oneTry.notHeldBefore();
}

void WaitingCall::planNextLook(const Attempt& done)
{
    const TimePoint now = m_provider.clock().now();
    m_nextLook = now + m_provider.retryDelay(m_tries++);
    if (m_ticket.woken)
        m_nextLook.reset(); // what the try saw is old news
    else if (done.remaining)
        m_nextLook = std::min(*m_nextLook, now + *done.remaining + 1ms);
    if (m_ticket.knownUntil == TimePoint::max())
        m_ticket.knownUntil = now + 2ms;
}

//! While another holds our keys for a known time, only that holder itself would be let in.
bool WaitingCall::isBlocked() const
{
    return m_ticket.blocker
        && !(m_oneTry.reenters() && m_oneTry.owner()
             && m_ticket.blocker->owner == m_oneTry.owner());
}

bool WaitingCall::mayAsk()
{
    if (m_attempt || m_ending != Ending::None)
        return false;
    const TimePoint now = m_provider.clock().now();
    if (m_doubt && m_provider.isGivingBack(m_options.owner())) {
        m_nextLook = now + givingBackPause;
        return false;
    }
    if (m_asksNow)
        return true;
    if (isBlocked()) {
        m_nextLook = now + m_provider.retryDelay(m_tries++);
        if (m_ticket.blocker->leaseEnd)
            m_nextLook = std::min(*m_nextLook, *m_ticket.blocker->leaseEnd + 1ms);
    }
    m_ticket.blocker.reset();
    if (m_ticket.notBefore > now && (!m_nextLook || m_ticket.notBefore > *m_nextLook))
        m_nextLook = m_ticket.notBefore;
    return (!m_nextLook || now >= *m_nextLook) && m_provider.m_queue.leads(m_ticket);
}

void WaitingCall::startLook()
{
    m_attempt = std::make_shared<Attempt>(*this, true);
    m_ticket.inFlight = true;
    m_doubt->isAsking = true;
    letRun(look(&m_provider, m_attempt));
    if (isAnswered())
        m_ticket.signal.reset(); // raised for nobody: nothing has waited yet
}

void WaitingCall::startAsking()
{
    if (std::exchange(m_ticket.woken, false))
        m_tries = 0;
    // A re-entry is to be told for sure: it is no first look, which a store may cut short.
    const int look = std::exchange(m_asksNow, false) ? std::max(m_tries, 1) : m_tries;
    // Only a first look is soon followed by another: news during a later one must wake.
    m_ticket.knownUntil = look == 0 ? TimePoint::max() : TimePoint();
    if (isClaimed())
        m_oneTry.notHeldBefore(false); // by another call of its
    m_attempt = std::make_shared<Attempt>(*this, false);
    m_attempt->canBeGivenBack = canBeGivenBack();
    m_oneTry.asLook(look);
    m_ticket.inFlight = true;
    if (m_doubt)
        m_doubt->isAsking = true;
    letRun(ask(&m_provider, m_attempt, m_oneTry, m_context));
    if (isAnswered())
        m_ticket.signal.reset();
}

std::optional<TimePoint> WaitingCall::nextTurn() const
{
    if (m_lastMoment)
        return m_lastMoment;
    if (!m_attempt && m_nextLook && m_provider.m_queue.leads(m_ticket))
        return m_deadline ? std::min(*m_deadline, *m_nextLook) : m_nextLook;
    return m_deadline;
}

//! What an unanswered try takes can be given back for sure: nobody else's lock has that owner.
bool WaitingCall::canBeGivenBack() const
{
    return m_oneTry.owner()
        && (m_oneTry.isUniquelyOwned()
            || (m_oneTry.reenters() && m_oneTry.wasNotHeldBefore() && !isClaimed()));
}

//! Another call of the owner has been granted one of the keys meanwhile.
bool WaitingCall::isClaimed() const
{
    return m_doubt && std::any_of(m_keys.begin(), m_keys.end(), [this](const std::string& key) {
               return m_doubt->isClaimed(key);
           });
}

void WaitingCall::considerEnding(WakeReason reason)
{
    const TimePoint now = m_provider.clock().now();
    if (m_provider.m_ended && m_attempt) {
        if (m_attempt->isLook || isPlanted(PlantedFault::ClosingCancels))
            throw Cancelled("The provider was closed.");
        throw OutcomeUnknown("The provider was closed while the store was asked for a lock.");
    }
    if (m_lastMoment) {
        if (now >= *m_lastMoment)
            throw OutcomeUnknown(
                "The call has ended before the store said whether it took the lock "
                "for key \""
                + printable(m_keys.front()) + "\".");
        return;
    }
    if (m_provider.m_closing) {
        if (isPlanted(PlantedFault::ClosingCancels))
            throw Cancelled("The provider was closed.");
        return; // what is under way is answered first
    }
    if (reason == WakeReason::Cancelled)
        m_ending = Ending::Cancelled;
    else if (m_deadline && now >= *m_deadline)
        m_ending = Ending::TimedOut;
    if (m_ending == Ending::None) {
        if (reason == WakeReason::Signalled && !m_attempt && !isBlocked())
            m_nextLook.reset();
        return;
    }
    const bool mayWait = isPlanted(PlantedFault::LateLookUnbounded);
    if (m_attempt && m_attempt->isLook && mayWait) {
        m_lastMoment = TimePoint::max();
        return;
    }
    if (!m_attempt || m_attempt->isLook || canBeGivenBack())
        throwEnding();
    m_lastMoment = now + lastWait;
}

void WaitingCall::throwEnding() const
{
    if (m_ending == Ending::Cancelled)
        throw Cancelled();
    throw TimedOut();
}

Task<void> WaitingCall::look(BasicProvider* provider, std::shared_ptr<Attempt> attempt)
{
    try {
        attempt->seen = co_await provider->renew(attempt->keys, *attempt->owner, attempt->lease);
    } catch (...) {
        // The first try says what is wrong, if anything is.
    }
    attempt->isFinished = true;
    if (attempt->call)
        attempt->call->m_ticket.signal.raise();
}

Task<void> WaitingCall::ask(BasicProvider* provider, std::shared_ptr<Attempt> attempt,
                            AcquireOptions options, SharedContext context)
{
    try {
        attempt->grant = co_await provider->tryAcquire(attempt->keys, std::move(options), context);
    } catch (const Conflict& conflict) {
        attempt->remaining = conflict.remaining();
        attempt->isOthers = conflict.holder() && conflict.holder() != attempt->owner;
    } catch (const NotTaken&) {
        // Known to have done nothing so far, so the call may try again.
        attempt->isUnsure = true;
        attempt->remaining = Duration(0);
    } catch (const OutcomeUnknown&) {
        attempt->isUnsure = true;
        attempt->error = std::current_exception();
    } catch (...) {
        attempt->error = std::current_exception();
    }
    attempt->isFinished = true;
    if (attempt->call) {
        attempt->call->m_ticket.signal.raise();
        co_return;
    }
    if ((attempt->grant || attempt->isUnsure) && !provider->m_closing)
        co_await clearUp(provider, attempt, std::move(context));
    --provider->m_unanswered;
}

Task<void> WaitingCall::clearUp(BasicProvider* provider, std::shared_ptr<Attempt> attempt,
                                SharedContext context)
{
    if (attempt->isUnique || (!attempt->grant && attempt->canBeGivenBack)) {
        if (!isPlanted(PlantedFault::UnknownGivenUp))
            provider->m_giveBack->add(attempt->keys, *attempt->owner, attempt->lease,
                                      attempt->doubt);
        co_return;
    }
    constexpr Duration pause = 20ms;
    while (attempt->doubt && provider->isAsking(attempt->owner) && !provider->m_closing)
        co_await provider->rest(provider->clock().now() + pause);
    if (provider->m_closing)
        co_return;
    std::string problem = "the store did not say whether it took it";
    if (attempt->grant && !isPlanted(PlantedFault::LateGrantKept)) {
        // What the owner held before stays, and so does what another call of its has been granted.
        std::vector<std::string> keys;
        std::vector<SeenLock> taken;
        for (const KeyGrant& one : attempt->grant->outcomes(attempt->keys)) {
            if (one.extended || (attempt->doubt && attempt->doubt->isClaimed(one.key)))
                continue;
            keys.push_back(one.key);
            taken.emplace_back(Lock(one.key, attempt->owner, one.leaseEnd));
            taken.back().token = attempt->grant->token();
        }
        if (keys.empty())
            co_return;
        ReleaseOptions options;
        options.ownedBy(attempt->owner).expecting(std::move(taken));
        problem.clear();
        if (attempt->doubt)
            attempt->doubt->isReleasing = true;
        try {
            const ReleaseResult result =
                co_await provider->release(LockKeys(std::move(keys)), options, std::move(context));
            for (const KeyRelease& left : result.left()) {
                if (left.outcome == ReleaseOutcome::Unknown)
                    problem = "the line to the store was lost when it was given back";
            }
        } catch (const OutcomeUnknown& error) {
            problem = error.message();
        } catch (...) {
            problem = messageOf(std::current_exception());
        }
        if (attempt->doubt)
            attempt->doubt->isReleasing = false;
        if (!problem.empty() && attempt->canBeGivenBack && !provider->m_closing) {
            provider->m_giveBack->add(attempt->keys, *attempt->owner, attempt->lease,
                                      attempt->doubt);
            co_return;
        }
    }
    if (!problem.empty() && !provider->m_closing)
        provider->log(LogLevel::Warning,
                      "The lock for key \"" + printable(attempt->keys.front())
                          + "\" may be held for a call that has ended: " + problem);
}

} // namespace lockboard
