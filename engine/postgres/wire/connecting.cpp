// SPDX-License-Identifier: MIT
#include "engine/postgres/wire/connection.h"

#include "engine/contract/errors.h"
#include "engine/postgres/wire/url.h"

#include <QHostAddress>

#include <libpq-fe.h>

// From an attempt to a session that is ready.

namespace lockboard::postgres {

void Connection::connectNow()
{
    m_clock.cancel(m_connectTimer);
    m_state = State::Connecting;
    m_redial.begin(m_clock.now());
    m_connectTimer = m_clock.callAfter(m_endpoint.connectTimeout, [this] {
        drop(unreachable("no answer within " + std::to_string(m_endpoint.connectTimeout.count())
                         + " ms"));
    });
    // libpq would look the name up itself, and stand still for as long as that takes.
    const std::string host = m_endpoint.hostToResolve();
    if (host.empty())
        startConnect({}, {});
    else
        resolve(host);
}

void Connection::resolve(const std::string& host)
{
    // Not to a closure: Qt 6.4 leaks that when the look-up is aborted.
    m_lookup =
        QHostInfo::lookupHost(QString::fromStdString(host), this, SLOT(takeLookup(QHostInfo)));
}

void Connection::takeLookup(const QHostInfo& found)
{
    m_lookup = -1;
    if (m_state != State::Connecting)
        return;
    std::string addresses;
    std::string names; // one for each of them, as libpq wants it
    const QList<QHostAddress> all = found.addresses();
    for (const QHostAddress& one : all) {
        addresses += (addresses.empty() ? "" : ",") + one.toString().toStdString();
        names += (names.empty() ? "" : ",") + m_endpoint.hostToResolve();
    }
    if (all.isEmpty())
        drop(unreachable(found.errorString().toStdString()));
    else
        startConnect(names, addresses);
}

void Connection::startConnect(const std::string& hosts, const std::string& addresses)
{
    std::map<std::string, std::string> words = m_endpoint.words;
    if (!addresses.empty()) {
        words["host"] = hosts; // for the certificate
        words["hostaddr"] = addresses;
    }
    words["client_encoding"] = "UTF8"; // whatever the environment says
    words.try_emplace("application_name", m_applicationName);
    // A peer that is gone without a word is noticed within half a minute.
    words.try_emplace("keepalives_idle", "10");
    words.try_emplace("keepalives_interval", "5");
    words.try_emplace("keepalives_count", "3");
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : words) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    m_connection = PQconnectStartParams(names.data(), values.data(), 0);
    if (!m_connection || PQstatus(m_connection) == CONNECTION_BAD) {
        drop(unreachable(lastMessage()));
        return;
    }
    PQsetNoticeProcessor(
        m_connection, [](void*, const char*) {}, nullptr); // libpq's own is to print them
    PQsetErrorVerbosity(m_connection, PQERRORS_VERBOSE); // the only way to know an SQLSTATE here
    watch(false, true);
}

void Connection::watch(bool reads, bool writes)
{
    // libpq may open another socket with every step of connecting.
    const int socket = PQsocket(m_connection);
    const auto make = [this, socket](std::unique_ptr<QSocketNotifier>& notifier, bool on,
                                     QSocketNotifier::Type type) {
        if (!notifier || notifier->socket() != socket) {
            if (notifier) { // this may be its own call
                notifier->setEnabled(false);
                notifier.release()->deleteLater();
            }
            notifier = std::make_unique<QSocketNotifier>(socket, type);
            connect(notifier.get(), &QSocketNotifier::activated, this, [this, type] {
                if (m_state == State::Connecting)
                    pollConnect();
                else if (type == QSocketNotifier::Read)
                    readAvailable();
                else
                    flush();
            });
        }
        notifier->setEnabled(on);
    };
    make(m_reader, reads, QSocketNotifier::Read);
    make(m_writer, writes, QSocketNotifier::Write);
}

//! Takes the code out of a message like `FATAL:  28P01: password authentication failed`, in
//! whatever language.
static std::string takeSqlState(std::string& message)
{
    constexpr std::size_t length = 5;
    const std::size_t colon = message.find(":  ");
    if (colon == std::string::npos || message.size() < colon + 3 + length
        || message.compare(colon + 3 + length, 2, ": ") != 0)
        return {};
    std::string state = message.substr(colon + 3, length);
    message.erase(colon + 2, length + 3);
    return state;
}

void Connection::pollConnect()
{
    switch (PQconnectPoll(m_connection)) {
    case PGRES_POLLING_READING:
        watch(true, false);
        break;
    case PGRES_POLLING_WRITING:
        watch(false, true);
        break;
    case PGRES_POLLING_OK:
        watch(true, false);
        greet();
        break;
    default: {
        std::string text = lastMessage();
        const std::string state = takeSqlState(text);
        if (state.starts_with("28") || state == "42501" || PQconnectionNeedsPassword(m_connection))
            drop(std::make_exception_ptr(Denied("PostgreSQL at " + m_endpoint.name()
                                                + " does not let this user in: " + text + '.')));
        else
            drop(unreachable(text));
    }
    }
}

void Connection::greet()
{
    m_state = State::Greeting;
    ++m_session;
    PQsetnonblocking(m_connection, 1);
    if (!m_streaming)
        PQenterPipelineMode(m_connection);
    m_greetings = {&m_greeting};
    writeGreetings();
}

void Connection::writeGreetings()
{
    while (!m_greetings.empty() && !(m_streaming && !m_slots.empty())) {
        m_slots.emplace_back().greeting = true;
        writeStatement(Statement({}, m_greetings.front()->sql), {}, false);
        m_greetings.pop_front();
        if (!m_streaming)
            PQpipelineSync(m_connection);
    }
    m_lastHeard = m_clock.now();
    flush();
}

void Connection::takeGreeting(const Result& result)
{
    if (result.isError()) {
        drop(lockErrorOf(m_endpoint.name(), "it needs", result.sqlState(),
                         withoutWords(result.message(), m_endpoint.words)));
        return;
    }
    if (m_backendPid == 0) {
        if (!result.hasColumns("u") || result.rows() != 1) {
            drop(unreachable("it answers something else than what it is asked"));
            return;
        }
        m_backendPid = static_cast<int>(result.integer(0, 0));
        m_pooled = m_backendPid != PQbackendPID(m_connection);
        if (!m_pooled) {
            m_greetings = {&m_limits};
            m_greetings.insert(m_greetings.end(), m_sessionPreamble.begin(),
                               m_sessionPreamble.end());
        }
        m_greetings.insert(m_greetings.end(), m_preamble.begin(), m_preamble.end());
    }
    if (!m_greetings.empty())
        writeGreetings();
    else if (m_slots.empty())
        becomeReady();
}

void Connection::becomeReady()
{
    m_clock.cancel(m_connectTimer);
    m_state = State::Ready;
    m_redial.succeed(m_clock.now());
    m_problem = nullptr;
    if (!m_loggedProblem.empty() || m_wasReady)
        m_log(LogLevel::Info, "Connected to PostgreSQL at " + m_endpoint.name() + " again.");
    m_loggedProblem.clear();
    m_wasReady = true;
    const QPointer<Connection> self(this);
    Q_EMIT ready();
    if (self)
        writeWaiting();
}

} // namespace lockboard::postgres
