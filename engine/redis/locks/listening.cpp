// SPDX-License-Identifier: MIT
#include "engine/redis/locks/provider.h"

// What the server pushes. It tells of our own writes too, so a key that we hold ourselves is not
// tried for at once but read a moment later, however often it was named till then.

namespace lockboard::redis {

using namespace std::chrono_literals;

static constexpr Duration verifyPause = 20ms;
static constexpr Duration longestCheck = 2s;
static constexpr Duration headStart = 1ms;
static constexpr std::size_t mostContended = 10'000;

void Provider::listen()
{
    const auto lookAtAll = [this] {
        for (const auto& [key, value] : m_mine)
            suspect(key);
        wakeAll();
    };
    // m_push goes first, and these with it.
    QObject::connect(m_push.get(), &PushGroup::live, m_push.get(), lookAtAll);
    QObject::connect(m_push.get(), &PushGroup::flushed, m_push.get(), lookAtAll);
    QObject::connect(m_push.get(), &PushGroup::changed, m_push.get(),
                     [this](const std::vector<std::string>& names) { takeChanged(names); });
}

void Provider::takeChanged(const std::vector<std::string>& names)
{
    std::vector<std::string> keys;
    keys.reserve(names.size());
    for (const std::string& name : names)
        keys.emplace_back(lockKey(name));
    for (const std::string& key : keys) {
        if (m_mine.contains(key))
            suspect(key);
        else
            hint(key);
    }
    noteChanged(keys);
}

void Provider::noteForestalled(const std::string& key)
{
    if (m_contended.size() >= mostContended)
        m_contended.clear(); // of waiters that gave up, say; it is a courtesy only
    m_contended.insert(key);
}

void Provider::wakeFairly(const std::string& key)
{
    // We know first that it is free. Once they have been forestalled, the others get their turn by
    // a head start; if they don't take it, they have gone.
    if (m_contended.erase(key) > 0)
        wakeAfter(key, headStart);
    else
        wake(key);
}

void Provider::noteMine(const LockKeys& keys, const Owner& owner)
{
    if (!m_push->isLive())
        return;
    for (const std::string& key : keys) {
        if (m_mine.contains(key) || waitQueue().front(key))
            m_mine[key] = owner.value_or(nobody);
    }
}

void Provider::suspect(const std::string& key)
{
    m_suspects.insert(key);
    if (m_verifyTimer == 0) {
        m_verifyTimer = clock().callAfter(verifyPause, [this] {
            m_verifyTimer = 0;
            letRun(verifyMine());
        });
    }
}

Task<void> Provider::verifyMine()
{
    // Answers come in the order of the commands: when these are there, m_mine is what it was, as
    // far as it is up to us, when the server read them.
    std::vector<std::string> keys;
    for (const std::string& key : std::exchange(m_suspects, {})) {
        if (m_mine.contains(key))
            keys.push_back(key);
    }
    if (keys.empty())
        co_return;
    std::vector<Reply> values;
    try {
        std::vector<std::string> names;
        for (const std::string& key : keys)
            names.push_back(stored(key));
        Answers answers = co_await m_client.ask(std::move(names), "GET");
        values = std::move(answers.replies);
    } catch (const LockError&) {
        co_return; // the deadlines of those who hold them stand
    }
    if (isClosing())
        co_return;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto mine = m_mine.find(keys[i]);
        if (mine == m_mine.end() || values[i].isDeniedKey() || values[i].text() == mine->second)
            continue;
        const Owner owner = mine->second == nobody ? Owner() : Owner(mine->second);
        m_mine.erase(mine);
        noteLost(owner, keys[i]);
        wake(keys[i]);
    }
}

Task<std::string> Provider::liveMode()
{
    // A look at the server is made to learn this too.
    if (m_client.isReady() && !m_push->isSettled()) {
        const auto settled = std::make_shared<Signal>(resumer());
        const auto raise = [settled] { settled->raise(); };
        const auto live = QObject::connect(m_push.get(), &PushGroup::live, m_push.get(), raise);
        const auto lost = QObject::connect(m_push.get(), &PushGroup::lost, m_push.get(), raise);
        m_push->open();
        co_await settled->wait(clock().now() + longestCheck, std::stop_token());
        QObject::disconnect(live);
        QObject::disconnect(lost);
    }
    if (m_push->isLive())
        co_return std::string("push (") + m_push->way()
            + "); all locks are looked at again every 30 s.";
    co_return "polling: "
        + (m_push->why().empty() ? std::string("push is not tried while the server does not answer")
                                 : m_push->why())
        + '.';
}

} // namespace lockboard::redis
