// SPDX-License-Identifier: MIT
#include "engine/redis/wire/sentinels.h"

#include "engine/contract/errors.h"
#include "engine/redis/wire/connection.h"
#include "engine/redis/wire/error.h"
#include "engine/redis/wire/sentinel_reply.h"

#include <algorithm>

namespace lockboard::redis {

using namespace std::chrono_literals;

static constexpr std::string_view channel = "+switch-master";
static constexpr Duration heartbeat = 5s;
static constexpr Duration pauseWithoutAny = 2s;

Sentinels::Sentinels(const Endpoint& endpoint, const Container& container)
    : m_settings(endpoint.sentinel)
    , m_container(*container.clock, [](LogLevel, const std::string&) {}) // failed() says it
{
    const auto count = static_cast<int>(m_settings.sentinels.size());
    m_endpoint.username = m_settings.username;
    m_endpoint.password = m_settings.password;
    m_endpoint.tls = m_settings.tls;
    m_endpoint.clientName = endpoint.clientName;
    // All of them are to have their turn while somebody waits for a connection.
    m_endpoint.connectTimeout = std::clamp<Duration>(endpoint.connectTimeout / count, 200ms, 2s);
    m_endpoint.commandTimeout = m_endpoint.connectTimeout;
}

Sentinels::~Sentinels()
{
    m_container.clock->cancel(m_timer);
    // Ends what waits for their answers.
    if (m_asked)
        m_asked->close();
    if (m_watched)
        m_watched->close();
}

void Sentinels::ask()
{
    if (!m_asking)
        letRun(askAll());
}

std::unique_ptr<Connection> Sentinels::connectTo(const SentinelSettings::Address& address)
{
    Endpoint endpoint = m_endpoint;
    endpoint.host = address.host;
    endpoint.port = address.port;
    auto connection = std::make_unique<Connection>(endpoint, m_container);
    connection->setMessageHandler([this](const Reply& message) { take(message); });
    connection->open();
    return connection;
}

Task<void> Sentinels::askAll()
{
    m_asking = true;
    std::exception_ptr problem;
    bool answered = false; // by one at least, with a refusal
    for (std::size_t i = 0; i < m_settings.sentinels.size(); ++i) {
        m_asked = connectTo(m_settings.sentinels.front());
        std::string host;
        int port = 0;
        try {
            Command command("SENTINEL");
            command << "get-master-addr-by-name" << m_settings.master;
            Call call(*m_asked, command, Effect::Reads);
            const Reply reply = co_await call.answer();
            const std::string who = m_asked->endpoint().name();
            answered = true;
            const MasterAddress master = readMaster(reply);
            if (reply.isError())
                problem = lockErrorOf(who, reply.text());
            else if (reply.isNil())
                problem = std::make_exception_ptr(
                    Unavailable("the sentinel at " + who + " knows no master of that name."));
            else if (master.port == 0)
                problem = std::make_exception_ptr(
                    Unavailable("the sentinel at " + who + " answered with " + reply.description()
                                + ", which is no address of a master."));
            host = master.host;
            port = master.port;
        } catch (const Cancelled&) {
            co_return; // we are no more
        } catch (const LockError& error) {
            if (!answered || error.code() == ErrorCode::Denied)
                problem = std::current_exception();
        }
        std::unique_ptr<Connection> sentinel = std::move(m_asked);
        if (!host.empty() && port > 0) {
            m_asking = false;
            if (!m_watched)
                watch(std::move(sentinel));
            sentinel.reset();
            Q_EMIT located(host, port);
            co_return;
        }
        std::rotate(m_settings.sentinels.begin(), m_settings.sentinels.begin() + 1,
                    m_settings.sentinels.end());
    }
    m_asking = false;
    m_container.clock->cancel(m_timer);
    if (!m_watched)
        m_timer = m_container.clock->callAfter(pauseWithoutAny, [this] { ask(); });
    Q_EMIT failed(explain(problem));
}

std::exception_ptr Sentinels::explain(const std::exception_ptr& problem) const
{
    const std::string head =
        "No sentinel says where the master \"" + printable(m_settings.master) + "\" is: ";
    try {
        std::rethrow_exception(problem);
    } catch (const Denied& error) {
        return std::make_exception_ptr(Denied(head + error.message()));
    } catch (const LockError& error) {
        return std::make_exception_ptr(Unavailable(head + error.message()));
    }
}

void Sentinels::watch(std::unique_ptr<Connection> sentinel)
{
    m_watched = std::move(sentinel);
    connect(m_watched.get(), &Connection::unavailable, this, [this] {
        m_watched.reset();
        m_container.clock->cancel(m_timer);
        // It may be the master's machine that is gone, and it with it.
        m_timer = m_container.clock->callAfter(0ms, [this] { ask(); });
    });
    m_container.clock->cancel(m_timer);
    letRun(subscribe());
}

Task<void> Sentinels::subscribe()
{
    try {
        Call call(*m_watched, Command("SUBSCRIBE") << channel, Effect::Reads);
        co_await call.answer();
    } catch (const LockError&) {
        co_return;
    }
    // Where that is not allowed, the server says itself that it is no master any more.
    m_timer = m_container.clock->callAfter(heartbeat, [this] { letRun(ping()); });
}

Task<void> Sentinels::ping()
{
    try {
        Call call(*m_watched, Command("PING"), Effect::Reads);
        co_await call.answer();
    } catch (const LockError&) {
        co_return; // silent, it has given itself up
    }
    m_timer = m_container.clock->callAfter(heartbeat, [this] { letRun(ping()); });
}

void Sentinels::take(const Reply& message)
{
    if (message.at(1).text() != channel)
        return;
    const MasterAddress master = readSwitch(message.at(2).text(), m_settings.master);
    if (master.port != 0)
        Q_EMIT located(master.host, master.port);
}

} // namespace lockboard::redis
