// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/container.h"
#include "engine/redis/wire/call.h"
#include "engine/redis/wire/identity.h"
#include "engine/redis/wire/settings.h"
#include "engine/store/redial.h"

#include <QObject>

#include <deque>

namespace lockboard::redis {

class Sentinels;
class Socket;

//! One connection that any number of commands share: sent in order, those of one turn of the event
//! loop with one write, answered in order. Lost, it comes back by itself, later and later up to
//! every five seconds; a call made meanwhile waits for the outcome of the next attempt. Commands
//! that were not sent fail with Unavailable; of those that were, the mutations with OutcomeUnknown.
//! Nothing is ever sent twice. Where there are sentinels, it goes to the server that they call the
//! master at the time, and leaves it as soon as that is another.
class Connection final : public QObject {
    Q_OBJECT

public:
    Connection(const Endpoint& endpoint, const Container& container);
    ~Connection() override;

    //! Starts to connect; returns at once.
    void open();
    //! For good. Before this returns, what was not sent ends with Cancelled, or with `why`, and so
    //! does what only reads; a mutation that was sent and not answered with OutcomeUnknown.
    void close(std::exception_ptr why = {});

    [[nodiscard]] bool isReady() const { return m_state == State::Ready; }
    //! No answer is due.
    [[nodiscard]] bool isIdle() const { return m_slots.empty(); }
    [[nodiscard]] const Endpoint& endpoint() const { return m_endpoint; }
    //! For a connection that subscribes: takes what comes unasked. Set before it is opened.
    void setMessageHandler(std::function<void(const Reply&)> handler)
    {
        m_onMessage = std::move(handler);
    }
    //! Why it is not ready, if an attempt has shown that: Unavailable or Denied.
    [[nodiscard]] std::exception_ptr problem() const { return m_problem; }

Q_SIGNALS:
    void ready();
    //! An attempt failed, or the connection was lost; problem() says why.
    void unavailable();
    //! Said before ready: what answers now may not know what it was told before, since the server
    //! was restarted or another took its place. `how`: a sentence; empty: it does not say who it
    //! is.
    void replaced(const std::string& how);

private:
    friend class Pending;
    friend class Call;
    friend class Calls;

    enum class State : std::uint8_t { Idle, Resting, Connecting, Ready, Closed };
    enum class Step : std::uint8_t { Auth, Select, SetName, InfoServer, InfoReplication };
    //! Answers due in a row to one caller; null: to nobody any more.
    struct Slot {
        Pending* pending;
        std::uint32_t due;
    };

    void send(Pending& pending, const Command& command);
    void forget(Pending& pending);
    //! It has answered what it can't answer.
    void distrust(const std::string& sentence);

    void connectNow();
    void openSocket();
    void watchSentinels(const Container& container);
    void takeLocation(const std::string& host, int port);
    void scheduleConnect(TimePoint when);
    void shakeHands();
    void takeHandshakeReply(const Reply& reply);
    void becomeReady(const Identity& identity);
    void flush();
    void readAvailable();
    bool takeReplies();
    [[nodiscard]] Decoder::Limits nextLimits() const;
    void noteHeard(std::size_t bytes);
    void deliver(Reply reply);
    void leaveSoon();
    void watchSilence();
    void checkSilence();
    void drop(std::exception_ptr problem);
    void drop(const std::string& sentence);
    void failAll(const std::exception_ptr& unsent, const std::exception_ptr& unanswered);
    void discardSocket();
    [[nodiscard]] std::string unreachable(const std::string& why) const;
    [[nodiscard]] std::string lost(const std::string& why) const;

    Endpoint m_endpoint;
    Clock& m_clock;
    Logger m_log;
    std::function<void(const Reply&)> m_onMessage;
    State m_state = State::Idle;
    std::unique_ptr<Sentinels> m_sentinels; // null: the server does not move
    Socket* m_socket = nullptr;
    std::unique_ptr<Decoder> m_decoder;
    std::string m_out; // not yet written
    std::deque<Slot> m_slots;
    std::size_t m_sent = 0; // how many of m_slots, from the front, are written
    std::deque<Step> m_steps;
    std::string m_infoServer; // what it says of itself, while we shake hands
    Identity m_identity; // the last that is known
    bool m_wasReady = false;
    std::exception_ptr m_problem;
    std::string m_loggedProblem;
    std::uint64_t m_epoch = 0; // counts sockets, so that a loop sees that its own is gone
    Redial m_redial;
    TimePoint m_lastHeard;
    TimePoint m_lastReply; // or when the first that is due now was asked for
    std::size_t m_heard = 0; // bytes of a reply since m_lastHeard
    Clock::TimerId m_connectTimer = 0; // the next attempt, or the end of this one
    Clock::TimerId m_silenceTimer = 0;
    int m_handling = 0; // how deep we are in signals of the socket
    bool m_reading = false;
    bool m_flushPosted = false;
    bool m_leaving = false; // a master no longer: nothing more is sent to it
};

} // namespace lockboard::redis
