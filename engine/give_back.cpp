// SPDX-License-Identifier: MIT
#include "engine/give_back.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr Duration shortestPause = 50ms;
static constexpr Duration longestPause = 1s;
//! A server that was stopped may come to read what the dead line had brought it only after it has
//! answered on a new one: what was free is looked at once more.
static constexpr Duration secondLook = 1s;

GiveBack::GiveBack(BasicProvider& provider)
    : m_provider(provider)
    , m_signal(provider.resumer())
{
}

void GiveBack::add(LockKeys keys, std::string owner)
{
    if (m_provider.isClosing())
        return;
    Item item;
    item.keys = std::move(keys);
    item.owner = std::move(owner);
    item.due = m_provider.clock().now();
    m_items.push_front(std::move(item));
    m_signal.raise();
    if (!m_running)
        run();
}

void GiveBack::close()
{
    m_items.clear();
    m_signal.raise();
}

Task<void> GiveBack::run()
{
    m_running = true;
    Duration pause = shortestPause;
    while (!m_items.empty()) {
        Clock& clock = m_provider.clock();
        if (m_items.front().due > clock.now()) {
            m_signal.reset();
            co_await m_signal.wait(m_items.front().due, std::stop_token());
            continue;
        }
        Item item = std::move(m_items.front());
        m_items.pop_front();
        bool asked = false;
        bool freed = false;
        try {
            freed = co_await release(item.keys, item.owner);
            asked = true;
            pause = shortestPause;
            if (freed) {
                m_provider.log(LogLevel::Info,
                               "Gave back the lock for key \"" + printable(item.keys.front())
                                   + "\", which a call had left held when it lost the server.");
            }
        } catch (const Unavailable&) {
        } catch (const OutcomeUnknown&) {
        } catch (const LockError& error) {
            if (m_provider.isClosing())
                break;
            m_provider.log(LogLevel::Warning,
                           "Could not give back the lock for key \"" + printable(item.keys.front())
                               + "\"; its lease will end by itself: " + error.message());
            continue;
        }
        if (m_provider.isClosing())
            break;
        if (!asked) {
            item.due = clock.now() + pause;
            pause = std::min<Duration>(pause * 2, longestPause);
            m_items.push_front(std::move(item));
        } else if (!freed && !item.seenFree) {
            item.seenFree = true;
            item.due = clock.now() + secondLook;
            m_items.push_back(std::move(item));
        }
    }
    m_running = false;
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
