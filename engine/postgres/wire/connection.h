// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/container.h"
#include "engine/postgres/wire/call.h"
#include "engine/postgres/wire/settings.h"
#include "engine/store/redial.h"

#include <QHostInfo>
#include <QObject>
#include <QPointer>
#include <QSocketNotifier>

#include <deque>
#include <map>

using PGconn = struct pg_conn;

namespace lockboard::postgres {

//! One session that any number of calls share: their transactions are sent in order, without
//! waiting for each other's answers. Lost, it comes back by itself, later and later up to every
//! five seconds; a call made meanwhile waits for the outcome of the next attempt. Calls that were
//! not sent fail with Unavailable; of those that were, the mutations with OutcomeUnknown. Nothing
//! is ever sent twice.
class Connection final : public QObject {
    Q_OBJECT

public:
    enum class Mode : std::uint8_t {
        Pipelined,
        Streaming, //!< one call after the other, of one statement each, which may be a COPY
    };

    //! `purpose` tells an administrator what it is for: part of its application_name.
    Connection(const Endpoint& endpoint, const Container& container, const std::string& purpose,
               Mode mode = Mode::Pipelined);
    ~Connection() override;

    //! Every session begins with these, each of them a transaction of its own. Added before it is
    //! opened; they outlive it. One that fails ends the attempt.
    void addPreamble(const Statement& statement) { m_preamble.push_back(&statement); }
    //! One that is for a session of our own: a pooler's may serve others the moment after.
    void addSessionPreamble(const Statement& statement) { m_sessionPreamble.push_back(&statement); }
    //! Connects, if that has not been begun.
    void open();
    //! Ends what waits, for good: a mutation that was sent and not answered with OutcomeUnknown,
    //! the rest with `why` or Cancelled. Answers that are here already still count.
    void close(std::exception_ptr why = {});
    [[nodiscard]] bool isReady() const { return m_state == State::Ready; }
    [[nodiscard]] const Endpoint& endpoint() const { return m_endpoint; }
    //! Why it is not ready, if an attempt has shown that: Unavailable or Denied.
    [[nodiscard]] std::exception_ptr problem() const { return m_problem; }
    //! Counts sessions: another number, another session.
    [[nodiscard]] std::uint64_t session() const { return m_session; }
    //! The server's process, as the server says; it is not the one behind this socket if a pooler
    //! is in between.
    [[nodiscard]] int backendPid() const { return m_backendPid; }
    [[nodiscard]] bool isPooled() const { return m_pooled; }
    [[nodiscard]] bool isEncrypted() const;
    //! Of 150018, say, for 15.18.
    [[nodiscard]] int serverVersion() const;

Q_SIGNALS:
    void ready();
    //! An attempt failed, or the session was lost; problem() says why.
    void unavailable();
    //! The session is over, and with it what it held.
    void lost();
    //! `sender`: the backend that it came from.
    void notified(const std::string& channel, const std::string& payload, int sender);

private Q_SLOTS:
    void takeLookup(const QHostInfo& found);

private:
    friend class Call;
    enum class State : std::uint8_t { Idle, Resting, Connecting, Greeting, Ready, Closed };
    //! A transaction that was sent; null: nobody waits for it any more.
    struct Slot {
        Call* call = nullptr;
        bool greeting = false;
        std::vector<std::string> prepares; // statements that it has parsed as well
        std::vector<bool> passOver; // per result: of no interest
    };

    void take(Call& call);
    void forget(Call& call);
    void write(Call& call);
    void writeStatement(const Statement& statement,
                        const std::vector<std::optional<std::string>>& values, bool aside);
    [[nodiscard]] bool isReadable() const;
    void writeWaiting();

    void connectNow();
    void resolve(const std::string& host);
    void startConnect(const std::string& hosts, const std::string& addresses);
    void pollConnect();
    void watch(bool reads, bool writes);
    void greet();
    void writeGreetings();
    void takeGreeting(const Result& result);
    void becomeReady();
    void takeLastAnswers();
    void flush();
    void readAvailable();
    void takeResults();
    void takeCopyData();
    void takeNotifications();
    void finishSlot();
    [[nodiscard]] Duration longestSilence() const;
    void watchSilence();
    void checkSilence();
    void scheduleConnect(TimePoint when);
    void drop(std::exception_ptr problem);
    void drop(const std::string& sentence);
    void failAll(const std::exception_ptr& unsent, const std::exception_ptr& unanswered);
    void discard();
    [[nodiscard]] std::string lastMessage() const;
    [[nodiscard]] std::string unreachable(const std::string& why) const;

    Endpoint m_endpoint;
    Clock& m_clock;
    Logger m_log;
    std::string m_applicationName;
    std::vector<const Statement*> m_preamble;
    std::vector<const Statement*> m_sessionPreamble;
    const bool m_streaming;
    Statement m_greeting;
    Statement m_limits; // of a session
    Statement m_localLimits; // of one transaction
    std::deque<const Statement*> m_greetings; // still to be sent
    State m_state = State::Idle;
    PGconn* m_connection = nullptr;
    std::unique_ptr<QSocketNotifier> m_reader;
    std::unique_ptr<QSocketNotifier> m_writer;
    int m_lookup = -1;
    // Statements in this session: parsed for good, or not known to be (yet).
    std::map<std::string, bool> m_prepared;
    std::deque<Call*> m_unsent;
    std::deque<Slot> m_slots; // sent, oldest first
    Result m_result; // of the oldest, so far
    std::size_t m_results = 0;
    std::exception_ptr m_problem;
    std::string m_loggedProblem;
    std::uint64_t m_session = 0;
    int m_backendPid = 0;
    bool m_pooled = false;
    bool m_wasReady = false;
    std::size_t m_unfinished = 0; // bytes of an answer, so far
    bool m_refusing = false; // what is called from now on, because it is being closed
    bool m_copying = false;
    Redial m_redial;
    TimePoint m_lastHeard;
    Clock::TimerId m_connectTimer = 0; // the next attempt, or the end of this one
    Clock::TimerId m_silenceTimer = 0;
};

} // namespace lockboard::postgres
