// SPDX-License-Identifier: MIT
#include "engine/redis/redis_sentinels.h"

#include "engine/errors.h"
#include "engine/redis/redis_connection.h"
#include "engine/redis/redis_error.h"
#include "engine/redis/redis_sentinel_reply.h"

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr std::string_view channel = "+switch-master";
static constexpr Duration heartbeat = 5s;
static constexpr Duration pauseWithoutAny = 2s;

RedisSentinels::RedisSentinels(const RedisEndpoint& endpoint, const Container& container)
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

RedisSentinels::~RedisSentinels()
{
    m_container.clock->cancel(m_timer);
    // Ends what waits for their answers.
    if (m_asked)
        m_asked->close();
    if (m_watched)
        m_watched->close();
}

void RedisSentinels::ask()
{
    if (!m_asking)
        letRun(askAll());
}

std::unique_ptr<RedisConnection>
RedisSentinels::connectTo(const RedisSentinelSettings::Address& address)
{
    RedisEndpoint endpoint = m_endpoint;
    endpoint.host = address.host;
    endpoint.port = address.port;
    auto connection = std::make_unique<RedisConnection>(endpoint, m_container);
    connection->setMessageHandler([this](const RedisReply& message) { take(message); });
    connection->open();
    return connection;
}

Task<void> RedisSentinels::askAll()
{
    m_asking = true;
    std::exception_ptr problem;
    bool answered = false; // by one at least, with a refusal
    for (std::size_t i = 0; i < m_settings.sentinels.size(); ++i) {
        m_asked = connectTo(m_settings.sentinels.front());
        std::string host;
        int port = 0;
        try {
            RedisCommand command("SENTINEL");
            command << "get-master-addr-by-name" << m_settings.master;
            RedisCall call(*m_asked, command, RedisEffect::Reads);
            const RedisReply reply = co_await call.answer();
            const std::string who = m_asked->endpoint().name();
            answered = true;
            const RedisMasterAddress master = readMaster(reply);
            if (reply.isError())
                problem = redisError(who, reply.text());
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
        std::unique_ptr<RedisConnection> sentinel = std::move(m_asked);
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

std::exception_ptr RedisSentinels::explain(const std::exception_ptr& problem) const
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

void RedisSentinels::watch(std::unique_ptr<RedisConnection> sentinel)
{
    m_watched = std::move(sentinel);
    connect(m_watched.get(), &RedisConnection::unavailable, this, [this] {
        m_watched.reset();
        m_container.clock->cancel(m_timer);
        // It may be the master's machine that is gone, and it with it.
        m_timer = m_container.clock->callAfter(0ms, [this] { ask(); });
    });
    m_container.clock->cancel(m_timer);
    letRun(subscribe());
}

Task<void> RedisSentinels::subscribe()
{
    try {
        RedisCall call(*m_watched, RedisCommand("SUBSCRIBE") << channel, RedisEffect::Reads);
        co_await call.answer();
    } catch (const LockError&) {
        co_return;
    }
    // Where that is not allowed, the server says itself that it is no master any more.
    m_timer = m_container.clock->callAfter(heartbeat, [this] { letRun(ping()); });
}

Task<void> RedisSentinels::ping()
{
    try {
        RedisCall call(*m_watched, RedisCommand("PING"), RedisEffect::Reads);
        co_await call.answer();
    } catch (const LockError&) {
        co_return; // silent, it has given itself up
    }
    m_timer = m_container.clock->callAfter(heartbeat, [this] { letRun(ping()); });
}

void RedisSentinels::take(const RedisReply& message)
{
    if (message.at(1).text() != channel)
        return;
    const RedisMasterAddress master = readSwitch(message.at(2).text(), m_settings.master);
    if (master.port != 0)
        Q_EMIT located(master.host, master.port);
}

} // namespace lockboard
