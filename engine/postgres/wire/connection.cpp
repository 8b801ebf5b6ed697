// SPDX-License-Identifier: MIT
#include "engine/postgres/wire/connection.h"

#include "engine/contract/errors.h"
#include "engine/postgres/wire/url.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace lockboard::postgres {

using namespace std::chrono_literals;

//! How much longer than a statement may take the server may be silent.
static constexpr Duration grace = 3s;
//! Ten thousand keys and owners of ordinary length take a hundredth of it.
static constexpr std::size_t longestAnswer = 128 * 1024 * 1024;

//! Our statements name everything with its schema; the triggers of a table that they change may
//! not, and run as this user.
static std::string limits(const Endpoint& endpoint, bool unlimited, bool local)
{
    const auto set = [scope = local ? ", true)" : ", false)"](const char* name,
                                                              const std::string& value) {
        return "pg_catalog.set_config('" + std::string(name) + "', '" + value + '\'' + scope;
    };
    const Duration longest = unlimited ? Duration(0) : endpoint.statementTimeout;
    std::string sql = "SELECT " + set("search_path", "pg_catalog, pg_temp") + ", "
        + set("statement_timeout", std::to_string(longest.count())) + ", "
        + set("lock_timeout", std::to_string(endpoint.lockTimeout.count()));
    if (!local)
        sql += ", " + set("default_transaction_isolation", "read committed");
    return sql;
}

Connection::Connection(const Endpoint& endpoint, const Container& container,
                       const std::string& purpose, Mode mode)
    : m_endpoint(endpoint)
    , m_clock(*container.clock)
    , m_log(container.log)
    , m_applicationName("lockboard " + purpose)
    , m_streaming(mode == Mode::Streaming)
    , m_greeting({}, "SELECT pg_catalog.pg_backend_pid()")
    // Not in the startup message, where a pooler may refuse them.
    , m_limits({}, limits(endpoint, m_streaming, false))
    , m_localLimits({}, limits(endpoint, m_streaming, true))
{
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
    if (m_state == State::Closed || m_refusing)
        return;
    m_refusing = true;
    m_problem = why ? why : std::make_exception_ptr(Cancelled("The provider was closed."));
    const std::exception_ptr problem = m_problem;
    takeLastAnswers();
    m_state = State::Closed;
    m_clock.cancel(m_connectTimer);
    m_clock.cancel(m_silenceTimer);
    if (m_lookup >= 0)
        QHostInfo::abortHostLookup(m_lookup);
    discard();
    m_problem = problem;
    failAll(problem,
            std::make_exception_ptr(OutcomeUnknown("The provider was closed before PostgreSQL at "
                                                   + m_endpoint.name() + " had answered.")));
}

//! What is read here resumes those who wait for it; what they call then is refused.
void Connection::takeLastAnswers()
{
    constexpr int mostReads = 100; // somebody may never stop talking
    for (int i = 0; i < mostReads && m_state == State::Ready && !m_slots.empty() && isReadable();
         ++i)
        readAvailable();
}

bool Connection::isEncrypted() const
{
    return m_connection && PQsslInUse(m_connection) != 0;
}

int Connection::serverVersion() const
{
    return m_connection ? PQserverVersion(m_connection) : 0;
}

//! libpq's words are lines, of which the first tells.
std::string Connection::lastMessage() const
{
    std::string text = m_connection ? PQerrorMessage(m_connection) : "out of memory";
    text = withoutWords(std::move(text), m_endpoint.words);
    text.resize(std::min(text.find('\n'), text.size()));
    while (text.ends_with('.') || text.ends_with(' '))
        text.pop_back();
    return printableStart(text);
}

std::string Connection::unreachable(const std::string& why) const
{
    return "PostgreSQL at " + m_endpoint.name() + " can't be reached: " + why + '.';
}

void Connection::scheduleConnect(TimePoint when)
{
    m_clock.cancel(m_connectTimer);
    m_connectTimer = m_clock.callAt(when, [this] { connectNow(); });
}

void Connection::take(Call& call)
{
    if (m_state == State::Closed || m_refusing) {
        call.m_error = m_problem;
        call.m_done = true;
        return;
    }
    m_unsent.push_back(&call);
    if (m_state == State::Ready)
        writeWaiting();
    else if (m_state == State::Idle)
        connectNow();
    else if (m_state == State::Resting) // somebody wants it now, but not in a tight loop
        scheduleConnect(m_redial.hastened(m_clock.now()));
}

void Connection::forget(Call& call)
{
    std::erase(m_unsent, &call);
    for (Slot& slot : m_slots) {
        if (slot.call == &call)
            slot.call = nullptr;
    }
}

bool Connection::isReadable() const
{
    pollfd socket{.fd = m_connection ? PQsocket(m_connection) : -1, .events = POLLIN, .revents = 0};
    return poll(&socket, 1, 0) > 0;
}

void Connection::writeWaiting()
{
    // What has died unnoticed is better noticed before something is sent that may be in doubt then.
    const QPointer<Connection> self(this);
    while (!m_unsent.empty() && m_slots.empty() && isReadable()) {
        readAvailable();
        if (!self)
            return;
    }
    while (!m_unsent.empty() && m_state == State::Ready && !m_refusing
           && !(m_streaming && !m_slots.empty())) {
        Call* const call = m_unsent.front();
        m_unsent.pop_front();
        write(*call);
    }
    if (m_state == State::Ready)
        flush();
}

void Connection::write(Call& call)
{
    if (m_slots.empty())
        m_lastHeard = m_clock.now();
    m_slots.emplace_back().call = &call;
    call.m_sentAt = m_clock.now();
    if (m_pooled && !m_streaming) // the session may be somebody else's the moment after
        writeStatement(m_localLimits, {}, true);
    for (const Call::Step& step : call.m_steps)
        writeStatement(*step.statement, step.parameters.values(), step.aside);
    if (!m_streaming)
        PQpipelineSync(m_connection);
    watchSilence();
}

void Connection::writeStatement(const Statement& statement,
                                const std::vector<std::optional<std::string>>& values, bool aside)
{
    // Only what is known to be parsed is relied upon by name.
    const bool mayPrepare = !statement.name.empty() && !m_pooled && !m_streaming;
    const auto known = mayPrepare ? m_prepared.find(statement.name) : m_prepared.end();
    const bool isNew = mayPrepare && known == m_prepared.end();
    const bool isPrepared = isNew || (known != m_prepared.end() && known->second);
    Slot& slot = m_slots.back();
    const int count = static_cast<int>(values.size());
    std::vector<const char*> texts;
    for (const auto& value : values)
        texts.push_back(value ? value->c_str() : nullptr);
    if (isNew) {
        m_prepared[statement.name] = false;
        slot.prepares.push_back(statement.name);
        slot.passOver.push_back(true);
        PQsendPrepare(m_connection, statement.name.c_str(), statement.sql.c_str(), 0, nullptr);
    }
    slot.passOver.push_back(aside);
    // What fails here shows when it is read.
    if (isPrepared)
        PQsendQueryPrepared(m_connection, statement.name.c_str(), count, texts.data(), nullptr,
                            nullptr, 0);
    else
        PQsendQueryParams(m_connection, statement.sql.c_str(), count, nullptr, texts.data(),
                          nullptr, nullptr, 0);
}

void Connection::flush()
{
    const int left = PQflush(m_connection);
    if (m_writer)
        m_writer->setEnabled(left > 0);
}

void Connection::readAvailable()
{
    m_lastHeard = m_clock.now();
    int waiting = 0;
    if (ioctl(PQsocket(m_connection), FIONREAD, &waiting) == 0 && waiting > 0)
        m_unfinished += static_cast<std::size_t>(waiting);
    const bool alive = PQconsumeInput(m_connection) != 0;
    const QPointer<Connection> self(this);
    const std::uint64_t session = m_session;
    takeResults();
    const auto isOver = [&] { return !self || m_session != session || !m_connection; };
    if (isOver())
        return;
    takeNotifications();
    if (isOver())
        return;
    if (m_unfinished > longestAnswer) {
        drop("The connection to PostgreSQL at " + m_endpoint.name()
             + " was given up: an answer is longer than "
             + std::to_string(longestAnswer / (1024 * 1024)) + " MiB.");
        return;
    }
    if (!alive || PQstatus(m_connection) == CONNECTION_BAD) {
        const std::string text = lastMessage();
        drop(m_state == State::Ready ? "The connection to PostgreSQL at " + m_endpoint.name()
                     + " was lost: " + text + '.'
                                     : unreachable(text));
    } else if (PQflush(m_connection) > 0) {
        m_writer->setEnabled(true);
    }
}

void Connection::takeResults()
{
    const QPointer<Connection> self(this);
    const std::uint64_t session = m_session;
    const auto isOver = [&] { return !self || m_session != session || !m_connection; };
    while (!m_slots.empty() && (m_copying || !PQisBusy(m_connection))) {
        if (m_copying) {
            takeCopyData();
            if (isOver() || m_copying)
                return;
            continue;
        }
        m_unfinished = 0;
        PGresult* const raw = PQgetResult(m_connection);
        Result result(raw);
        const ExecStatusType status = raw ? PQresultStatus(raw) : PGRES_EMPTY_QUERY;
        if (!raw && PQstatus(m_connection) == CONNECTION_BAD)
            return; // whoever called sees it too
        // libpq would give this one again and again.
        if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH
            || (status == PGRES_COPY_OUT && !m_streaming)) {
            drop("The connection to PostgreSQL at " + m_endpoint.name()
                 + " was given up: it wants to copy what nobody asked to have copied.");
            return;
        }
        m_copying = status == PGRES_COPY_OUT;
        if (m_streaming ? !raw : status == PGRES_PIPELINE_SYNC) {
            finishSlot();
            if (isOver())
                return;
        } else if (raw && !m_copying && status != PGRES_PIPELINE_ABORTED) {
            const std::vector<bool>& passOver = m_slots.front().passOver;
            const bool isAside = m_results < passOver.size() && passOver[m_results];
            ++m_results;
            // The first error stands, or else the last result.
            if (!m_result.isError() && (!isAside || result.isError()))
                m_result = std::move(result);
        }
    }
}

void Connection::takeCopyData()
{
    for (;;) {
        char* line = nullptr;
        const int size = PQgetCopyData(m_connection, &line, 1);
        const std::unique_ptr<char, decltype(&PQfreemem)> owned(line, &PQfreemem);
        if (size <= 0) {
            m_copying = size == 0; // there is more to come, later
            return;
        }
        m_unfinished = 0;
        Call* const call = m_slots.front().call;
        if (call && call->m_onLine)
            call->m_onLine(std::string_view(line, static_cast<std::size_t>(size)));
    }
}

void Connection::finishSlot()
{
    const Slot slot = std::move(m_slots.front());
    m_slots.pop_front();
    m_results = 0;
    Result result = std::move(m_result);
    m_result = Result();
    if (slot.greeting) {
        takeGreeting(result);
        return;
    }
    for (const std::string& name : slot.prepares)
        m_prepared[name] = !result.isError();
    if (m_streaming && m_state == State::Ready)
        writeWaiting();
    if (!slot.call)
        return;
    slot.call->m_result = std::move(result);
    slot.call->m_done = true;
    if (slot.call->m_waiting)
        slot.call->m_waiting.resume();
}

void Connection::takeNotifications()
{
    const QPointer<Connection> self(this);
    while (self && m_connection) {
        const std::unique_ptr<PGnotify, decltype(&PQfreemem)> one(PQnotifies(m_connection),
                                                                  &PQfreemem);
        if (!one)
            return;
        const std::string payload = one->extra;
        Q_EMIT notified(one->relname, payload, one->be_pid);
    }
}

//! What takes long has no statement timeout, and a peer that is gone is noticed sooner anyhow.
Duration Connection::longestSilence() const
{
    const Duration longest = m_endpoint.statementTimeout;
    return (m_streaming ? std::max<Duration>(longest, 1min) : longest) + grace;
}

void Connection::watchSilence()
{
    if (m_silenceTimer != 0)
        return;
    const Duration longest = longestSilence();
    m_silenceTimer = m_clock.callAt(m_lastHeard + longest, [this] { checkSilence(); });
}

void Connection::checkSilence()
{
    m_silenceTimer = 0;
    if (m_slots.empty() || !m_connection)
        return;
    const Duration longest = longestSilence();
    if (m_clock.now() < m_lastHeard + longest)
        watchSilence();
    else
        drop("The connection to PostgreSQL at " + m_endpoint.name() + " was given up: no answer "
             + "within " + std::to_string(longest.count()) + " ms.");
}

void Connection::drop(const std::string& sentence)
{
    drop(std::make_exception_ptr(Unavailable(sentence)));
}

void Connection::drop(std::exception_ptr problem)
{
    const bool wasReady = m_state == State::Ready;
    discard();
    m_state = State::Resting;
    if (!m_refusing) // that it is closed is what those who call now are told
        m_problem = problem;
    const std::string sentence = messageOf(problem);
    if (sentence != m_loggedProblem)
        m_log(LogLevel::Warning, sentence);
    m_loggedProblem = sentence;
    const TimePoint next = m_redial.fail(m_clock.now());
    if (!m_refusing)
        scheduleConnect(next);
    const QPointer<Connection> self(this);
    if (wasReady)
        Q_EMIT lost();
    if (!self)
        return;
    failAll(problem, std::make_exception_ptr(OutcomeUnknown(sentence)));
    if (self)
        Q_EMIT unavailable();
}

void Connection::discard()
{
    m_clock.cancel(m_silenceTimer);
    m_silenceTimer = 0;
    for (auto* const notifier : {&m_reader, &m_writer}) {
        if (*notifier) { // this may be its own call
            (*notifier)->setEnabled(false);
            notifier->release()->deleteLater();
        }
    }
    if (m_connection)
        PQfinish(m_connection);
    m_connection = nullptr;
    m_greetings.clear();
    m_prepared.clear();
    m_result = Result();
    m_results = 0;
    m_unfinished = 0;
    m_copying = false;
    m_backendPid = 0;
    m_pooled = false;
}

void Connection::failAll(const std::exception_ptr& unsent, const std::exception_ptr& unanswered)
{
    const QPointer<Connection> self(this);
    // Whoever is resumed may call again: that is for the next session.
    std::deque<Slot> slots = std::exchange(m_slots, {});
    std::deque<Call*> waiting = std::exchange(m_unsent, {});
    std::vector<std::pair<Call*, std::exception_ptr>> all;
    for (const Slot& slot : slots) {
        if (slot.call)
            all.emplace_back(slot.call,
                             slot.call->m_effect == Effect::Mutates ? unanswered : unsent);
    }
    for (Call* const call : waiting)
        all.emplace_back(call, unsent);
    for (const auto& [call, error] : all) {
        call->m_error = error;
        call->m_done = true;
    }
    std::vector<std::coroutine_handle<>> resumed;
    for (const auto& [call, error] : all) {
        if (call->m_waiting)
            resumed.push_back(call->m_waiting);
    }
    for (const std::coroutine_handle<> one : resumed)
        one.resume();
}

} // namespace lockboard::postgres
