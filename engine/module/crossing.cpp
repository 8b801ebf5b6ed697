// SPDX-License-Identifier: MIT
#include "engine/module/crossing.h"

#include <atomic>

namespace lockboard {

//! Keeps what can neither go on nor be destroyed: a coroutine whose thread or whose provider is
//! gone. Its frame may refer to what has gone with them. It costs some hundred bytes until the
//! process ends.
static void keepForEver(std::coroutine_handle<> coroutine)
{
    static std::mutex guard;
    static auto* const kept = new std::vector<std::coroutine_handle<>>();
    const std::lock_guard lock(guard);
    kept->push_back(coroutine);
}

Crossing::Crossing(std::shared_ptr<Mailbox> home, bool changes)
    : m_home(std::move(home))
    , m_changes(changes)
{
}

Crossing::~Crossing() = default;

void Crossing::end(std::exception_ptr error)
{
    {
        const std::lock_guard lock(m_guard);
        if (std::exchange(m_ended, true))
            return;
        m_error = std::move(error);
    }
    // The letters hold `this` by the caller's frame, which has it until it goes on.
    const auto nobody = [this] {
        drop();
        keepForEver(m_caller);
    };
    const auto home = m_home; // as soon as it is posted, this object may be gone
    if (!home->post([this] { m_caller.resume(); }, nobody))
        nobody();
}

void Crossing::refuse()
{
    end(std::make_exception_ptr(Cancelled("The locking module was closed.")));
}

void Crossing::abandon()
{
    {
        const std::lock_guard lock(m_guard);
        if (m_working)
            return; // the job refers to its caller: the call ends after it
    }
    const char* const sentence = "The locking module was closed before the call had ended.";
    end(m_changes ? std::make_exception_ptr(OutcomeUnknown(sentence))
                  : std::make_exception_ptr(Cancelled(sentence)));
}

void Crossing::setWorking(bool working)
{
    const std::lock_guard lock(m_guard);
    m_working = working;
}

void Crossing::rethrow() const
{
    if (m_error)
        std::rethrow_exception(m_error);
}

bool Door::Passage::await_suspend(std::coroutine_handle<> caller)
{
    // Once it is posted, the caller may go on elsewhere, and this object be gone.
    const auto door = m_door;
    const auto crossing = m_crossing;
    crossing->wait(caller);
    if (door->box().post(std::move(m_begin), [crossing] { crossing->refuse(); }))
        return true;
    m_refused = true;
    return false;
}

void Door::Passage::await_resume() const
{
    if (m_refused)
        throw Cancelled("The locking module was closed.");
}

void Door::abandonAll()
{
    for (const auto& crossing : std::exchange(m_underWay, {}))
        crossing->abandon();
}

namespace {

//! One run of a job on the thread of its caller.
class Errand final : public std::enable_shared_from_this<Errand> {
public:
    Errand(std::shared_ptr<Door> door, std::shared_ptr<Crossing> crossing,
           std::shared_ptr<LockedJob> job, std::string key)
        : m_door(std::move(door))
        , m_crossing(std::move(crossing))
        , m_job(std::move(job))
        , m_key(std::move(key))
    {
    }

    //! False: there is no such thread any more.
    bool start(std::coroutine_handle<> provider, const std::stop_token& lost, const Grant& grant)
    {
        const auto self = shared_from_this();
        Mailbox& home = *m_crossing->home();
        m_provider = provider;
        m_crossing->setWorking(true);
        const auto threadEnded = [self] { self->end({}, true); };
        m_watch = home.watch(threadEnded);
        // Whatever is posted is returned when the mailbox is closed; the watch says so too.
        const bool sent = m_watch != 0
            && home.post([self, lost, grant] { letRun(self->work(self, lost, grant)); });
        if (sent || m_over.exchange(true))
            return true;
        m_crossing->setWorking(false);
        m_error = gone();
        return false;
    }
    void rethrow() const
    {
        if (m_error)
            std::rethrow_exception(m_error);
    }

private:
    static std::exception_ptr gone()
    {
        return std::make_exception_ptr(
            Cancelled("The thread that the call was made on has ended, and its job with it."));
    }

    Task<void> work(std::shared_ptr<Errand> self, std::stop_token lost, Grant grant)
    {
        std::exception_ptr error;
        try {
            co_await (*m_job)(std::move(lost), std::move(grant));
        } catch (...) {
            error = std::current_exception();
        }
        self->end(error, false);
    }

    //! On the caller's thread.
    void end(const std::exception_ptr& error, bool threadEnded)
    {
        if (m_over.exchange(true))
            return;
        if (!threadEnded)
            m_crossing->home()->unwatch(m_watch);
        m_error = threadEnded ? gone() : error;
        // Returned while the module closes, it goes on all the same: the providers are there yet.
        const auto goOn = [self = shared_from_this()] {
            self->m_crossing->setWorking(false);
            self->m_provider.resume();
        };
        if (m_door->box().post(goOn, goOn))
            return;
        // The module is gone, and with it what would have kept and released the lock. Until this is
        // said the crossing is at work: on the module's thread it may be abandoned at this moment.
        keepForEver(m_provider);
        m_crossing->end(std::make_exception_ptr(Lost(m_key, error)));
    }

    const std::shared_ptr<Door> m_door;
    const std::shared_ptr<Crossing> m_crossing;
    const std::shared_ptr<LockedJob> m_job;
    const std::string m_key;
    std::coroutine_handle<> m_provider;
    std::exception_ptr m_error;
    Mailbox::WatchId m_watch = 0;
    std::atomic<bool> m_over = false;
};

//! Awaited by the provider.
class [[nodiscard]] AtHome final {
public:
    AtHome(std::shared_ptr<Errand> errand, const std::stop_token& lost, const Grant& grant)
        : m_errand(std::move(errand))
        , m_lost(lost)
        , m_grant(grant)
    {
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    [[nodiscard]] bool await_suspend(std::coroutine_handle<> provider) const
    {
        const auto errand = m_errand;
        return errand->start(provider, m_lost, m_grant);
    }
    void await_resume() const { m_errand->rethrow(); }

private:
    std::shared_ptr<Errand> m_errand;
    const std::stop_token& m_lost;
    const Grant& m_grant;
};

} // namespace

Task<void> runAtHome(std::shared_ptr<Door> door, std::shared_ptr<Crossing> crossing,
                     std::shared_ptr<LockedJob> job, std::string key, std::stop_token lost,
                     Grant grant)
{
    const auto errand = std::make_shared<Errand>(std::move(door), std::move(crossing),
                                                 std::move(job), std::move(key));
    AtHome atHome(errand, lost, grant);
    co_await atHome;
}

} // namespace lockboard
