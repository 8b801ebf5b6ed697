// SPDX-License-Identifier: MIT
#include "engine/async/mailbox.h"

#include <QCoreApplication>
#include <QObject>

#include <chrono>

namespace lockboard {

//! Shared with the letters that are being read: one of them may destroy the mailbox.
class Mailbox::State final {
public:
    struct Post {
        Letter letter;
        Letter returned;
    };

    void ring(); // guarded
    //! Reads what is there, for a while; then the loop gets its turn.
    void read();

    std::mutex guard;
    std::deque<Post> posts;
    std::map<WatchId, Letter> watchers;
    std::unique_ptr<Bell> bell; // null: closed
    WatchId lastWatch = 0;
    bool rung = false;
};

class Mailbox::Bell final : public QObject {
public:
    explicit Bell(std::weak_ptr<State> state)
        : m_state(std::move(state))
    {
    }
    bool event(QEvent* event) override
    {
        if (event->type() != QEvent::User)
            return QObject::event(event);
        if (const auto state = m_state.lock())
            state->read(); // may be the end of this object
        return true;
    }

private:
    std::weak_ptr<State> m_state;
};

void Mailbox::State::ring()
{
    if (!std::exchange(rung, true))
        QCoreApplication::postEvent(bell.get(), new QEvent(QEvent::User));
}

void Mailbox::State::read()
{
    using Steady = std::chrono::steady_clock;
    const auto until = Steady::now() + std::chrono::milliseconds(5);
    {
        const std::lock_guard lock(guard);
        rung = false;
    }
    for (;;) {
        Post next;
        {
            const std::lock_guard lock(guard);
            if (!bell || posts.empty())
                return;
            next = std::move(posts.front());
            posts.pop_front();
            // Before the letter is run: it may run an event loop of its own.
            if (!posts.empty())
                ring();
        }
        next.letter();
        if (Steady::now() >= until)
            return;
    }
}

Mailbox::Mailbox()
    : m_state(std::make_shared<State>())
{
    m_state->bell = std::make_unique<Bell>(m_state);
}

Mailbox::~Mailbox()
{
    close();
}

std::shared_ptr<Mailbox> Mailbox::ofThisThread()
{
    struct Home final {
        ~Home() { box->close(); }
        std::shared_ptr<Mailbox> box = std::make_shared<Mailbox>();
    };
    thread_local const Home home;
    return home.box;
}

bool Mailbox::post(Letter letter, Letter returned)
{
    const std::lock_guard lock(m_state->guard);
    if (!m_state->bell)
        return false;
    m_state->posts.push_back({std::move(letter), std::move(returned)});
    m_state->ring();
    return true;
}

Mailbox::WatchId Mailbox::watch(Letter onClose)
{
    const std::lock_guard lock(m_state->guard);
    if (!m_state->bell)
        return 0;
    m_state->watchers.emplace(++m_state->lastWatch, std::move(onClose));
    return m_state->lastWatch;
}

void Mailbox::unwatch(WatchId id)
{
    const std::lock_guard lock(m_state->guard);
    m_state->watchers.erase(id);
}

void Mailbox::close()
{
    const auto state = m_state;
    std::unique_ptr<Bell> bell;
    std::deque<State::Post> posts;
    std::map<WatchId, Letter> watchers;
    {
        const std::lock_guard lock(state->guard);
        bell = std::move(state->bell);
        posts.swap(state->posts);
        watchers.swap(state->watchers);
    }
    bell.reset();
    for (const auto& [id, onClose] : watchers)
        onClose();
    for (const State::Post& post : posts) {
        if (post.returned)
            post.returned();
    }
}

} // namespace lockboard
