// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/mailbox.h"
#include "engine/contract/provider.h"

#include <set>

namespace lockboard {

//! A call of the module's that was made on another thread. Its caller goes on exactly once, on its
//! own thread, with what the call gave or a truthful word of why that is not known.
class Crossing {
public:
    Crossing(std::shared_ptr<Mailbox> home, bool changes);
    virtual ~Crossing();
    Crossing(const Crossing&) = delete;
    Crossing& operator=(const Crossing&) = delete;

    [[nodiscard]] const std::shared_ptr<Mailbox>& home() const { return m_home; }
    //! Before it is sent.
    void wait(std::coroutine_handle<> caller) { m_caller = caller; }
    //! The call has ended; null: well.
    void end(std::exception_ptr error);
    //! It never reached the module.
    void refuse();
    //! The module is gone, and the call has not ended: it does so now, or with its job.
    void abandon();
    //! A job of it runs on the caller's thread, or does no longer.
    void setWorking(bool working);

    //! After the caller has gone on: throws what the call has ended with, if not well.
    void rethrow() const;

protected:
    //! The caller's thread has ended, so that nobody takes the result.
    virtual void drop() { }

private:
    const std::shared_ptr<Mailbox> m_home;
    const bool m_changes;
    std::coroutine_handle<> m_caller;
    std::mutex m_guard;
    std::exception_ptr m_error;
    bool m_ended = false;
    bool m_working = false;
};

template <typename T> class ResultCrossing final : public Crossing {
public:
    using Result = std::conditional_t<std::is_void_v<T>, bool, T>;
    using Crossing::Crossing;

    std::optional<Result> result;
    std::function<void(Result&)> dropped; //!< given a result that nobody takes, on any thread

protected:
    void drop() override
    {
        if (result && dropped)
            dropped(*result);
    }
};

//! What a module and the calls that come from other threads share; it outlives the module.
class Door final {
public:
    //! Awaited, goes on when the crossing has ended. `begin` runs on the module's thread.
    class [[nodiscard]] Passage final {
    public:
        Passage(std::shared_ptr<Door> door, std::shared_ptr<Crossing> crossing,
                Mailbox::Letter begin)
            : m_door(std::move(door))
            , m_crossing(std::move(crossing))
            , m_begin(std::move(begin))
        {
        }
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        [[nodiscard]] bool await_suspend(std::coroutine_handle<> caller);
        //! \throws Cancelled: the module was gone already
        void await_resume() const;

    private:
        std::shared_ptr<Door> m_door;
        std::shared_ptr<Crossing> m_crossing;
        Mailbox::Letter m_begin;
        bool m_refused = false;
    };

    [[nodiscard]] Mailbox& box() { return m_box; }
    //! From here on, on the module's thread.
    void enter(const std::shared_ptr<Crossing>& crossing) { m_underWay.insert(crossing); }
    void leave(const std::shared_ptr<Crossing>& crossing) { m_underWay.erase(crossing); }
    //! No call comes in any more; those that were on their way are told so.
    void close() { m_box.close(); }
    //! The providers are gone: ends what they have not ended.
    void abandonAll();

private:
    Mailbox m_box;
    std::set<std::shared_ptr<Crossing>> m_underWay;
};

//! Runs a job where its call was made; awaited by the provider, on the module's thread. If that
//! thread ends before the job does, it gives up with Cancelled, so that the locks are released.
Task<void> runAtHome(std::shared_ptr<Door> door, std::shared_ptr<Crossing> crossing,
                     std::shared_ptr<LockedJob> job, std::string key, std::stop_token lost,
                     Grant grant);

} // namespace lockboard
