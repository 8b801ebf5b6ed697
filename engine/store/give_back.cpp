// SPDX-License-Identifier: MIT
#include "engine/store/give_back.h"

#include <algorithm>
#include <array>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr Duration longestReleasePause = 1s;
static constexpr Duration askingPause = 20ms;
//! A refusal that passes, because a server loads its data say, is waited out; one for want of a
//! right does not pass by itself.
static constexpr int mostRefusals = 5;
static constexpr Duration refusalPause = 250ms;
//! For how long a server that can't be reached is tried: the lease, but within these.
static constexpr Duration leastTime = 1min;
static constexpr Duration mostTime = 1h;
//! What a dead line had brought may come to be read only after the server has answered on a new
//! one, when it was stopped or packets are sent again: what was free is looked at once more, and
//! again.
static constexpr std::array<Duration, 3> laterLooks{1s, 4s, 15s};

GiveBack::GiveBack(BasicProvider& provider)
    : m_provider(provider)
    , m_signal(provider.resumer())
{
}

void GiveBack::add(LockKeys keys, std::string owner, std::optional<Duration> lease,
                   std::shared_ptr<Doubt> doubt)
{
    if (m_provider.isClosing())
        return;
    const TimePoint now = m_provider.clock().now();
    Item item;
    item.keys = std::move(keys);
    item.owner = std::move(owner);
    item.doubt = std::move(doubt);
    item.end = now + std::clamp<Duration>(lease.value_or(mostTime), leastTime, mostTime);
    item.leased = lease.has_value();
    m_items.emplace(now, std::move(item));
    m_signal.raise();
    if (!m_running)
        letRun(run());
}

void GiveBack::close()
{
    m_items.clear();
    m_signal.raise();
}

//! Without the keys that another call of that owner has been granted since.
LockKeys GiveBack::unclaimed(const Item& item)
{
    std::vector<std::string> keys;
    for (const std::string& key : item.keys) {
        if (!item.doubt->isClaimed(key))
            keys.push_back(key);
    }
    return LockKeys(std::move(keys));
}

bool GiveBack::isIdle() const
{
    return !m_busy && std::all_of(m_items.begin(), m_items.end(), [](const auto& item) {
        return item.second.looks > 1; // nothing was held at once, nor a while later
    });
}

Task<void> GiveBack::run()
{
    m_running = true;
    m_pause = shortestReleasePause;
    m_rested = TimePoint();
    while (!m_items.empty()) {
        Clock& clock = m_provider.clock();
        const TimePoint next = std::max(m_items.begin()->first, m_rested);
        if (next > clock.now()) {
            m_signal.reset();
            co_await m_signal.wait(next, std::stop_token());
            continue;
        }
        Item item = std::move(m_items.extract(m_items.begin()).mapped());
        if (item.doubt)
            item.keys = unclaimed(item);
        if (item.keys.isEmpty())
            continue;
        if (item.doubt && m_provider.isAsking(item.owner)) { // it may be granted any moment
            m_items.emplace(clock.now() + askingPause, std::move(item));
            continue;
        }
        if (item.doubt)
            item.doubt->isReleasing = true;
        m_busy = true;
        std::string problem;
        const Answer answer = co_await ask(item.keys, item.owner, &problem);
        m_busy = false;
        if (item.doubt)
            item.doubt->isReleasing = false;
        if (m_provider.isClosing())
            break;
        conclude(std::move(item), answer, problem);
    }
    m_running = false;
}

Task<GiveBack::Answer> GiveBack::ask(LockKeys keys, std::string owner, std::string* problem)
{
    Answer answer = Answer::Refused;
    try {
        const bool freed = co_await release(std::move(keys), std::move(owner));
        answer = freed ? Answer::Freed : Answer::NothingHeld;
    } catch (const Unavailable& error) {
        *problem = error.message();
        answer = Answer::None;
    } catch (const OutcomeUnknown& error) {
        *problem = error.message();
        answer = Answer::None;
    } catch (...) {
        *problem = messageOf(std::current_exception());
    }
    co_return answer;
}

void GiveBack::conclude(Item item, Answer answer, const std::string& problem)
{
    const TimePoint now = m_provider.clock().now();
    if (answer != Answer::None && answer != Answer::Refused)
        m_pause = shortestReleasePause;
    switch (answer) {
    case Answer::Freed:
        m_provider.log(LogLevel::Info,
                       "Gave back the lock for key \"" + printable(item.keys.front())
                           + "\", which a call had left held when it lost the server.");
        return;
    case Answer::NothingHeld:
        if (item.looks < laterLooks.size()) {
            const Duration later = laterLooks[item.looks++];
            m_items.emplace(now + later, std::move(item));
        }
        return;
    case Answer::Refused:
        if (++item.refusals < mostRefusals)
            m_items.emplace(now + refusalPause * (1 << item.refusals), std::move(item));
        else
            giveUp(item, problem);
        return;
    case Answer::None:
        m_rested = now + m_pause;
        m_pause = std::min<Duration>(m_pause * 2, longestReleasePause);
        if (now < item.end)
            m_items.emplace(m_rested, std::move(item));
        else
            giveUp(item, problem);
        return;
    }
}

void GiveBack::giveUp(const Item& item, const std::string& problem) const
{
    m_provider.log(LogLevel::Warning,
                   "Could not give back the lock for key \"" + printable(item.keys.front()) + "\"; "
                       + (item.leased ? "if it is held, then till its lease ends: "
                                      : "if it is held, then till somebody releases it: ")
                       + problem);
}

Task<bool> GiveBack::release(LockKeys keys, std::string owner)
{
    ReleaseOptions options;
    options.ownedBy(std::move(owner));
    const ReleaseResult result =
        co_await m_provider.release(keys, std::move(options), SharedContext());
    const auto isUnknown = [](const KeyRelease& key) {
        return key.outcome == ReleaseOutcome::Unknown;
    };
    if (std::any_of(result.left().begin(), result.left().end(), isUnknown))
        throw OutcomeUnknown("The release was sent, and its outcome is not known.");
    co_return result.left().size() < keys.size();
}

} // namespace lockboard
