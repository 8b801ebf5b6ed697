// SPDX-License-Identifier: MIT
#pragma once

#include "engine/store/basic_provider.h"

namespace lockboard {

//! One acquire that waits: it stands in the queues of its keys, asks the store when it leads, rests
//! in between, and ends with a grant, an error of the store's, its timeout or its stop.
//!
//! A timeout or stop is honoured at once, whatever the store does. What the store was asked by then
//! goes on without the call (Attempt), and what it takes in the end is given back. Where that can't
//! be promised, since others may hold keys under the same name, the answer is waited for a moment,
//! and then the call ends with OutcomeUnknown rather than with a promise.
class WaitingCall final {
public:
    WaitingCall(BasicProvider& provider, LockKeys keys, AcquireOptions options,
                SharedContext context);
    ~WaitingCall();
    WaitingCall(const WaitingCall&) = delete;
    WaitingCall& operator=(const WaitingCall&) = delete;

    Task<Grant> run();

private:
    friend class BasicProvider;
    class Attempt;
    enum class Ending : std::uint8_t { None, TimedOut, Cancelled };

    static Task<void> look(BasicProvider* provider, std::shared_ptr<Attempt> attempt);
    static Task<void> ask(BasicProvider* provider, std::shared_ptr<Attempt> attempt,
                          AcquireOptions options, SharedContext context);
    //! What is to become of what the store answers after the call has ended.
    static Task<void> clearUp(BasicProvider* provider, std::shared_ptr<Attempt> attempt,
                              SharedContext context);

    [[nodiscard]] bool isAnswered() const;
    std::optional<Grant> takeAnswer();
    void takeLook(const Attempt& done);
    [[nodiscard]] bool mayAsk();
    void startLook();
    void startAsking();
    [[nodiscard]] std::optional<TimePoint> nextTurn() const;
    [[nodiscard]] bool isBlocked() const;
    void planNextLook(const Attempt& done);
    void considerEnding(WakeReason reason);
    [[nodiscard]] bool canBeGivenBack() const;
    [[nodiscard]] bool isClaimed() const;
    [[noreturn]] void throwEnding() const;

    BasicProvider& m_provider;
    const LockKeys m_keys;
    const AcquireOptions m_options;
    AcquireOptions m_oneTry;
    SharedContext m_context;
    WaitQueue::Ticket m_ticket;
    std::shared_ptr<Attempt> m_attempt; // under way, or answered and not looked at yet
    std::shared_ptr<Doubt> m_doubt; // of an owner whom other calls may use too
    std::optional<TimePoint> m_deadline;
    std::optional<TimePoint> m_nextLook;
    std::optional<TimePoint> m_lastMoment; // the call has to end, and waits for an answer till then
    Ending m_ending = Ending::None;
    int m_tries = 0;
    bool m_asksNow = false; // the owner holds the keys: past those who wait for them
    bool m_unsure = false; // a try may come to hold the keys all the same
    bool m_granted = false;
};

} // namespace lockboard
