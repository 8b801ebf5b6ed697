// SPDX-License-Identifier: MIT
#include "engine/store/basic_provider.h"

#include "engine/store/execution.h"
#include "engine/store/give_back.h"
#include "engine/store/planted_fault.h"
#include "engine/store/polling_view.h"
#include "engine/store/waiting_call.h"

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
    m_ended = true;
    for (WaitQueue::Ticket* const ticket : m_queue.all())
        ticket->signal.raise(WakeReason::Cancelled);
    m_resumer.drain();
}

void BasicProvider::close()
{
    m_closing = true;
    for (WaitQueue::Ticket* const ticket : m_queue.all()) {
        if (!ticket->inFlight || isPlanted(PlantedFault::ClosingCancels))
            ticket->signal.raise(WakeReason::Cancelled);
    }
    while (!m_executions.empty())
        m_executions.begin()->second->orphan();
    m_giveBack->close();
    for (const auto& view : m_pollingViews) {
        if (view)
            view->abandon();
    }
    for (Signal* const signal : m_resting)
        signal->raise(WakeReason::Cancelled);
    m_resumer.drain();
}

LiveViewPtr BasicProvider::liveView()
{
    std::erase_if(m_pollingViews, [](const auto& view) { return view.isNull(); });
    auto view = std::make_unique<PollingView>(clock(), [this] { return list(); });
    m_pollingViews.emplace_back(view.get());
    return LiveViewPtr(view.release());
}

Task<LockBatch> BasicProvider::list()
{
    return failed<LockBatch>(InvalidArgument("This kind of provider does not list its locks."));
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

Task<Grant> BasicProvider::acquire(LockKeys keys, AcquireOptions options, SharedContext context)
{
    if (options.waits())
        return acquireWaiting(std::move(keys), std::move(options), std::move(context));
    if (!m_doubts.empty() && options.owner() && m_doubts.contains(*options.owner()))
        return acquireDespiteDoubt(std::move(keys), std::move(options), std::move(context));
    return tryAcquire(std::move(keys), std::move(options), std::move(context));
}

Task<Grant> BasicProvider::acquireWaiting(LockKeys keys, AcquireOptions options,
                                          SharedContext context)
{
    if (m_closing)
        throw Cancelled("The provider was closed.");
    WaitingCall call(*this, std::move(keys), std::move(options), std::move(context));
    co_return co_await call.run();
}

Task<Grant> BasicProvider::acquireDespiteDoubt(LockKeys keys, AcquireOptions options,
                                               SharedContext context)
{
    constexpr Duration pause = 10ms;
    const Owner owner = options.owner();
    while (isGivingBack(owner) && !m_closing)
        co_await rest(clock().now() + pause);
    if (m_closing)
        throw Cancelled("The provider was closed.");
    Doubt own(m_doubts, *owner);
    own.isAsking = true;
    Grant grant = co_await tryAcquire(keys, std::move(options), std::move(context));
    noteGranted(owner, keys, &own);
    co_return grant;
}

bool BasicProvider::isGivingBack(const Owner& owner) const
{
    if (m_doubts.empty() || !owner)
        return false;
    const auto [first, last] = m_doubts.equal_range(*owner);
    return std::any_of(first, last, [](const auto& doubt) { return doubt.second->isReleasing; });
}

bool BasicProvider::isAsking(const Owner& owner) const
{
    const auto [first, last] = m_doubts.equal_range(*owner);
    return std::any_of(first, last, [](const auto& doubt) { return doubt.second->isAsking; });
}

void BasicProvider::noteGranted(const Owner& owner, const LockKeys& keys, const Doubt* own)
{
    if (m_doubts.empty() || !owner)
        return;
    const auto [first, last] = m_doubts.equal_range(*owner);
    for (auto it = first; it != last; ++it) {
        if (it->second != own)
            it->second->claim(keys);
    }
}

Task<bool> BasicProvider::givenBack(Duration within)
{
    constexpr Duration pause = 20ms;
    const TimePoint until = clock().now() + countable(within.count());
    while (m_unanswered > 0 || !m_giveBack->isIdle()) {
        if (m_closing || clock().now() >= until)
            co_return false;
        co_await rest(std::min(until, clock().now() + pause));
    }
    co_return true;
}

} // namespace lockboard
