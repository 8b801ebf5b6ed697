// SPDX-License-Identifier: MIT
#include "engine/redis/wire/connection.h"

#include "engine/contract/errors.h"
#include "engine/redis/wire/error.h"
#include "engine/redis/wire/sentinels.h"
#include "engine/redis/wire/socket.h"

#include <QPointer>
#include <QScopedValueRollback>

#include <algorithm>

namespace lockboard::redis {

using namespace std::chrono_literals;

//! Bytes of commands that are written while answers are still read, so that the server does not
//! wait for us to come to an end, nor we for it.
static constexpr std::size_t earlyWrite = 1024;
//! Who sends so little within the time for an answer, and does not come to its end, is silent.
static constexpr std::size_t leastProgress = std::size_t(16) * 1024;
//! One reply may take so many times the time for an answer, however much of it comes.
static constexpr int longestReply = 6;

Connection::Connection(const Endpoint& endpoint, const Container& container)
    : m_endpoint(endpoint)
    , m_clock(*container.clock)
    , m_log(container.log)
{
    if (!endpoint.sentinel.sentinels.empty())
        watchSentinels(container);
}

Connection::~Connection()
{
    close();
}

void Connection::open()
{
    if (m_state == State::Idle)
        connectNow();
}

void Connection::close(std::exception_ptr why)
{
    if (m_state == State::Closed)
        return;
    m_state = State::Closed;
    m_clock.cancel(m_connectTimer);
    m_clock.cancel(m_silenceTimer);
    discardSocket();
    m_problem = why ? why : std::make_exception_ptr(Cancelled("The provider was closed."));
    failAll(m_problem,
            std::make_exception_ptr(OutcomeUnknown(
                "The connection to Redis at " + m_endpoint.name()
                + " was closed before it had answered; whether a command under way took effect is "
                  "not known")));
}

std::string Connection::unreachable(const std::string& why) const
{
    return "Redis at " + m_endpoint.name() + " can't be reached: " + why;
}

std::string Connection::lost(const std::string& why) const
{
    return "The connection to Redis at " + m_endpoint.name() + " was lost: " + why;
}

void Connection::scheduleConnect(TimePoint when)
{
    m_clock.cancel(m_connectTimer);
    m_connectTimer = m_clock.callAt(when, [this] { connectNow(); });
}

void Connection::watchSentinels(const Container& container)
{
    m_sentinels = std::make_unique<Sentinels>(m_endpoint, container);
    connect(m_sentinels.get(), &Sentinels::located, this, &Connection::takeLocation);
    connect(m_sentinels.get(), &Sentinels::failed, this, [this](const std::exception_ptr& problem) {
        if (m_state == State::Connecting && !m_socket)
            drop(problem);
    });
}

void Connection::takeLocation(const std::string& host, int port)
{
    const std::string before = m_endpoint.name();
    const bool moved = host != m_endpoint.host || port != m_endpoint.port;
    m_endpoint.host = host;
    m_endpoint.port = port;
    if (m_state == State::Connecting && !m_socket)
        openSocket();
    else if (moved && m_state == State::Resting)
        scheduleConnect(m_clock.now());
    else if (moved && (m_state == State::Ready || m_state == State::Connecting))
        drop("The sentinels say that the master is not " + before + " but " + m_endpoint.name()
             + " now.");
}

void Connection::connectNow()
{
    m_clock.cancel(m_connectTimer);
    m_state = State::Connecting;
    m_redial.begin(m_clock.now());
    if (m_sentinels)
        m_sentinels->ask(); // takeLocation() goes on
    else
        openSocket();
}

void Connection::openSocket()
{
    m_connectTimer = m_clock.callAfter(m_endpoint.connectTimeout, [this] {
        // A Redis that speaks plainly takes our TLS for a line that does not end.
        const bool unheard = m_socket->isEncrypting();
        drop(unreachable("no answer" + std::string(unheard ? " to the TLS handshake" : "")
                         + " within " + std::to_string(m_endpoint.connectTimeout.count()) + " ms"
                         + (unheard ? "; it may not speak TLS at this port" : "")));
    });
    m_decoder = std::make_unique<Decoder>();
    m_heard = 0;
    m_socket = new Socket(m_endpoint);
    const auto handle = [this](auto what) {
        // Whoever is resumed by what we do may destroy us.
        const QPointer<Connection> self(this);
        ++m_handling;
        what();
        if (self)
            --m_handling;
    };
    connect(m_socket, &Socket::opened, this, [this, handle] { handle([this] { shakeHands(); }); });
    connect(m_socket, &Socket::readyRead, this,
            [this, handle] { handle([this] { readAvailable(); }); });
    connect(m_socket, &Socket::failed, this, [this, handle](const QString& why) {
        handle([this, &why] {
            const std::string text = why.toStdString();
            drop(m_state == State::Ready ? lost(text) : unreachable(text));
        });
    });
}

void Connection::shakeHands()
{
    std::string out;
    if (!m_endpoint.password.empty()) {
        Command auth("AUTH");
        if (!m_endpoint.username.empty())
            auth << m_endpoint.username;
        auth << m_endpoint.password;
        auth.writeTo(out);
        m_steps.push_back(Step::Auth);
    }
    if (m_endpoint.database != 0) {
        const std::string database = std::to_string(m_endpoint.database);
        (Command("SELECT") << database).writeTo(out);
        m_steps.push_back(Step::Select);
    }
    (Command("CLIENT") << "SETNAME" << m_endpoint.clientName).writeTo(out);
    m_steps.push_back(Step::SetName);
    // One by one: several at once are for Redis 7.
    (Command("INFO") << "server").writeTo(out);
    m_steps.push_back(Step::InfoServer);
    (Command("INFO") << "replication").writeTo(out);
    m_steps.push_back(Step::InfoReplication);
    m_socket->write(out.data(), static_cast<qint64>(out.size()));
}

void Connection::takeHandshakeReply(const Reply& reply)
{
    const Step step = m_steps.front();
    const std::string who = "Redis at " + m_endpoint.name() + ' ';
    if (step == Step::Auth && reply.isError()) {
        // Never what the server says: it may repeat the password.
        if (reply.text().find("without any password configured") == std::string_view::npos) {
            drop(std::make_exception_ptr(
                Denied(who + "does not accept this user name and password.")));
            return;
        }
        m_log(LogLevel::Warning, who + "asks for no password, though one is configured.");
    }
    if (step == Step::Select && reply.isError("ERR")) {
        drop(who + "has no database " + std::to_string(m_endpoint.database) + '.');
        return;
    }
    // A name is a courtesy to the server's administrator; not to be allowed one is no obstacle.
    const bool matters = step == Step::Select || reply.isError("NOAUTH") || reply.isError("DENIED")
        || reply.isError("ERR max number of clients");
    if (step != Step::Auth && reply.isError() && matters) {
        drop(lockErrorOf(m_endpoint.name(), reply.text()));
        return;
    }
    const bool mustBeOk = step == Step::Auth || step == Step::Select;
    const bool mayBeText = step == Step::InfoServer || step == Step::InfoReplication;
    if (!reply.isError()
        && ((mustBeOk && !reply.isStatus("OK")) || (mayBeText && !reply.isString()))) {
        const char* const names[] = {"AUTH", "SELECT", "CLIENT SETNAME", "INFO", "INFO"};
        drop(who + "answered " + names[static_cast<std::size_t>(step)] + " with "
             + reply.description() + ", which is no answer to that.");
        return;
    }
    m_steps.pop_front();
    if (step == Step::InfoServer)
        m_infoServer = reply.isError() ? std::string_view() : reply.text();
    if (m_steps.empty()) {
        const std::string_view info = reply.isError() ? std::string_view() : reply.text();
        becomeReady(Identity(m_endpoint.name(), m_infoServer, info));
    }
}

void Connection::becomeReady(const Identity& identity)
{
    if (identity.isReplica() && identity.takesWrites()) {
        drop("Redis at " + m_endpoint.name()
             + " is a replica that takes writes, which its master does not know of: it is not "
               "used.");
        return;
    }
    if (identity.isReplica() && m_sentinels) {
        drop("Redis at " + m_endpoint.name()
             + " is a replica, though the sentinels call it the master.");
        return;
    }
    std::string change;
    if (identity.isKnown() && m_identity.isKnown())
        change = identity.changeSince(m_identity);
    const bool isAnother = m_wasReady && (!change.empty() || !identity.isKnown());
    if (identity.isKnown())
        m_identity = identity;
    m_wasReady = true;
    m_clock.cancel(m_connectTimer);
    m_state = State::Ready;
    m_redial.succeed(m_clock.now());
    m_problem = nullptr;
    if (!m_loggedProblem.empty())
        m_log(LogLevel::Info, "Connected to Redis at " + m_endpoint.name() + " again.");
    m_loggedProblem.clear();
    m_lastHeard = m_lastReply = m_clock.now();
    if (isAnother)
        Q_EMIT replaced(change);
    flush();
    Q_EMIT ready();
}

void Connection::send(Pending& pending, const Command& command)
{
    if (m_state == State::Closed) {
        pending.m_error = m_problem;
        return;
    }
    if (pending.m_error)
        return; // the connection was lost between two commands of a batch
    command.writeTo(m_out);
    ++pending.m_due;
    if (m_slots.size() > m_sent && m_slots.back().pending == &pending)
        ++m_slots.back().due;
    else
        m_slots.push_back(Slot{&pending, 1});
    if (m_state == State::Resting)
        scheduleConnect(m_redial.hastened(m_clock.now()));
    if (m_state != State::Ready || m_reading || m_flushPosted)
        return;
    m_flushPosted = true;
    const auto later = [this] {
        m_flushPosted = false;
        flush();
    };
    QMetaObject::invokeMethod(this, later, Qt::QueuedConnection);
}

void Connection::forget(Pending& pending)
{
    for (Slot& slot : m_slots) {
        if (slot.pending == &pending)
            slot.pending = nullptr;
    }
}

void Connection::flush()
{
    if (m_state != State::Ready || m_out.empty() || m_leaving)
        return;
    const TimePoint now = m_clock.now();
    if (m_sent == 0)
        m_lastHeard = m_lastReply = now; // silence counts from when an answer is due
    for (; m_sent < m_slots.size(); ++m_sent) {
        if (Pending* const pending = m_slots[m_sent].pending)
            pending->m_sentAt = now;
    }
    watchSilence();
    // Writing may find the connection lost, and say so, before it returns: to whoever is resumed
    // by that, who may destroy us.
    const QPointer<Connection> self(this);
    std::string out = std::exchange(m_out, {});
    m_socket->write(out.data(), static_cast<qint64>(out.size()));
    if (self && m_out.empty()) {
        out.clear();
        m_out = std::move(out); // for its capacity
    }
}

void Connection::readAvailable()
{
    const QPointer<Connection> self(this);
    const std::uint64_t epoch = m_epoch;
    // No more in one turn of the event loop: others want theirs.
    int budget = 4;
    // hiredis moves what is left in its buffer to the front every kilobyte: feed it small pieces.
    char piece[16 * 1024];
    m_reading = true;
    while (budget-- > 0) {
        const qint64 size = m_socket->read(piece, sizeof piece);
        if (size <= 0)
            break;
        noteHeard(static_cast<std::size_t>(size));
        m_decoder->feed({piece, static_cast<std::size_t>(size)});
        const bool goesOn = takeReplies();
        if (!self)
            return;
        if (!goesOn) {
            m_reading = false;
            return;
        }
    }
    m_reading = false;
    flush();
    if (self && epoch == m_epoch && budget < 0) {
        const auto more = [this, epoch] {
            if (epoch == m_epoch)
                readAvailable();
        };
        QMetaObject::invokeMethod(this, more, Qt::QueuedConnection);
    }
}

//! Of the piece that was fed. Gives whether this connection is there still.
bool Connection::takeReplies()
{
    const QPointer<Connection> self(this);
    const std::uint64_t epoch = m_epoch;
    for (;;) {
        Reply reply;
        const Decoder::Step step = m_decoder->next(reply, nextLimits());
        if (step == Decoder::Step::NeedsMore)
            return true;
        if (step == Decoder::Step::Refused) {
            m_reading = false;
            const std::string& problem = m_decoder->problem();
            drop(problem.empty() ? "What answers at " + m_endpoint.name()
                         + " does not speak the protocol of Redis."
                                 : "Redis at " + m_endpoint.name()
                         + " is not listened to any more: it sent " + problem + '.');
            return false;
        }
        m_lastHeard = m_lastReply = m_clock.now();
        m_heard = 0;
        reply.hideInError(m_endpoint.password); // which it knows, and may repeat
        if (m_state == State::Connecting)
            takeHandshakeReply(reply);
        else
            deliver(std::move(reply));
        if (self && epoch == m_epoch && m_out.size() >= earlyWrite)
            flush();
        if (!self || epoch != m_epoch)
            return false;
    }
}

//! Of the next reply: what its caller can take.
Decoder::Limits Connection::nextLimits() const
{
    const bool isAsked = m_sent > 0 && m_slots.front().pending;
    return isAsked ? m_slots.front().pending->nextLimits() : Decoder::Limits();
}

//! That bytes come is no answer yet: they may come one by one.
void Connection::noteHeard(std::size_t bytes)
{
    m_heard += bytes;
    if (m_heard < leastProgress)
        return;
    m_heard = 0;
    m_lastHeard = m_clock.now();
}

void Connection::distrust(const std::string& sentence)
{
    if (m_state == State::Ready)
        drop(sentence);
}

//! A script of Redis before 7 repeats what the command in it was told.
static bool isReadOnly(const Reply& reply)
{
    return reply.isError()
        && (reply.isError("READONLY") || reply.text().find("-READONLY") != std::string_view::npos);
}

void Connection::leaveSoon()
{
    const auto leave = [this, epoch = m_epoch] {
        if (epoch == m_epoch)
            drop("Redis at " + m_endpoint.name() + " is not the master any more.");
    };
    QMetaObject::invokeMethod(this, leave, Qt::QueuedConnection);
}

void Connection::deliver(Reply reply)
{
    if (m_onMessage && (reply.isPush() || reply.at(0).text().ends_with("message"))) {
        m_onMessage(reply);
        return;
    }
    if (m_slots.empty() || m_sent == 0) {
        const std::string said =
            reply.isError() ? ": " + printableStart(reply.text()) : std::string();
        drop(lost("it answered without being asked" + said));
        return;
    }
    m_leaving |= m_sentinels && isReadOnly(reply);
    Slot& slot = m_slots.front();
    Pending* const pending = slot.pending;
    if (pending)
        pending->m_budget -= std::min(pending->m_budget, m_decoder->lastBytes());
    if (--slot.due == 0) {
        m_slots.pop_front();
        --m_sent;
    }
    // What was sent is answered first: each with a refusal, and not with a loss of the connection.
    if (m_leaving && m_sent == 0)
        leaveSoon();
    if (!pending)
        return;
    if (pending->m_replies)
        pending->m_replies->push_back(std::move(reply));
    else
        pending->m_reply = std::move(reply);
    if (--pending->m_due == 0 && pending->m_waiting)
        std::exchange(pending->m_waiting, {}).resume();
}

void Connection::watchSilence()
{
    if (m_silenceTimer == 0)
        m_silenceTimer =
            m_clock.callAt(std::min(m_lastHeard + m_endpoint.commandTimeout,
                                    m_lastReply + m_endpoint.commandTimeout * longestReply),
                           [this] { checkSilence(); });
}

void Connection::checkSilence()
{
    m_silenceTimer = 0;
    if (m_state != State::Ready || m_sent == 0)
        return;
    const Duration longest = m_endpoint.commandTimeout * longestReply;
    if (m_clock.now() >= m_lastReply + longest) {
        drop(lost("it has not come to the end of an answer for " + std::to_string(longest.count())
                  + " ms"));
        return;
    }
    if (m_clock.now() < m_lastHeard + m_endpoint.commandTimeout) {
        watchSilence();
        return;
    }
    drop(lost("it has not answered for " + std::to_string(m_endpoint.commandTimeout.count())
              + " ms"));
}

void Connection::drop(const std::string& sentence)
{
    drop(std::make_exception_ptr(Unavailable(sentence)));
}

void Connection::drop(std::exception_ptr problem)
{
    if (m_state == State::Closed)
        return;
    m_state = State::Resting;
    m_problem = problem;
    discardSocket();
    scheduleConnect(m_redial.fail(m_clock.now()));

    const std::string message = messageOf(problem);
    if (message != m_loggedProblem)
        m_log(LogLevel::Warning, message);
    m_loggedProblem = message;

    const QPointer<Connection> self(this);
    Q_EMIT unavailable();
    if (self) {
        failAll(problem,
                std::make_exception_ptr(OutcomeUnknown(
                    message + "; whether a command under way took effect is not known")));
    }
}

void Connection::failAll(const std::exception_ptr& unsent, const std::exception_ptr& unanswered)
{
    const std::deque<Slot> slots = std::exchange(m_slots, {});
    const std::size_t sent = std::exchange(m_sent, 0);
    m_out.clear();
    std::vector<std::coroutine_handle<>> waiting;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        Pending* const pending = slots[i].pending;
        if (!pending || pending->m_error)
            continue; // a batch whose first part was sent fails as sent
        const bool unknown = i < sent && pending->m_effect == Effect::Mutates;
        pending->m_error = unknown ? unanswered : unsent;
        pending->m_due = 0;
        if (pending->m_waiting)
            waiting.push_back(std::exchange(pending->m_waiting, {}));
    }
    // Each waits for this alone, and so none of them ends before its turn. They may call anew.
    for (const auto coroutine : waiting)
        coroutine.resume();
}

void Connection::discardSocket()
{
    ++m_epoch;
    m_leaving = false;
    m_steps.clear();
    m_decoder.reset();
    if (!m_socket)
        return;
    m_socket->disconnect(this);
    if (m_handling > 0)
        m_socket->deleteLater(); // it is about to return into itself
    else
        delete m_socket;
    m_socket = nullptr;
}

} // namespace lockboard::redis
