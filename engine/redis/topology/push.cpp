// SPDX-License-Identifier: MIT
#include "engine/redis/topology/push.h"

#include "engine/contract/errors.h"

#include <QPointer>

namespace lockboard::redis {

using namespace std::chrono_literals;

static constexpr const char* ways[] = {"RESP3", "RESP2", "keyspace events"};
static constexpr Duration heartbeat = 2s;
static constexpr Duration longestSilence = 3s;
// A server may be upgraded, or a user permitted more.
static constexpr Duration pauseAfterRefusal = 60s;

static Container silent(const Container& container)
{
    // The provider's own connection says already that a server can't be reached.
    return Container(*container.clock, [](LogLevel, const std::string&) {});
}

Push::Push(const Endpoint& endpoint, std::string prefix, const Container& container)
    : m_endpoint(endpoint)
    , m_prefix(std::move(prefix))
    , m_eventPrefix("__keyspace@" + std::to_string(endpoint.database) + "__:")
    , m_clock(*container.clock)
    , m_container(container)
{
    m_endpoint.commandTimeout = std::min(m_endpoint.commandTimeout, longestSilence);
    m_endpoint.database = 0; // it hears of all
}

Push::~Push()
{
    close();
}

void Push::open()
{
    if (m_mode == Mode::Off)
        connectAnew(firstWay());
}

void Push::close()
{
    if (m_mode == Mode::Closed)
        return;
    m_mode = Mode::Closed;
    m_clock.cancel(m_timer);
    if (m_connection)
        m_connection->close();
    Q_EMIT lost();
}

const char* Push::way() const
{
    return ways[static_cast<std::size_t>(m_way)];
}

Push::Way Push::firstWay()
{
    return Reply::canBePush() ? Way::Resp3 : Way::Resp2;
}

void Push::connectAnew(Way way)
{
    m_mode = Mode::Trying;
    m_way = way;
    m_connection = std::make_unique<Connection>(m_endpoint, silent(m_container));
    m_connection->setMessageHandler([this](const Reply& message) { take(message); });
    connect(m_connection.get(), &Connection::ready, this, [this] { letRun(arm()); });
    connect(m_connection.get(), &Connection::unavailable, this, [this] {
        try {
            std::rethrow_exception(m_connection->problem());
        } catch (const LockError& error) {
            lose(error.message());
        }
    });
    m_connection->open();
}

Task<void> Push::arm()
{
    std::string refusal;
    try {
        if (m_way == Way::Resp3)
            refusal = co_await askForPush();
        else if (m_way == Way::Resp2)
            refusal = co_await askForRedirection();
        else
            refusal = co_await askForEvents();
    } catch (const LockError&) {
        co_return; // lost: the connection says so itself, and tries again
    }
    if (refusal.empty())
        becomeLive();
    else
        refuse(refusal);
}

void Push::becomeLive()
{
    m_mode = Mode::Live;
    m_why.clear();
    m_logged.clear();
    m_refusals.clear();
    m_clock.cancel(m_timer);
    m_timer = m_clock.callAfter(heartbeat, [this] { beat(); });
    m_dirty.clear(); // whoever listens looks at everything now
    m_allDirty = false;
    Q_EMIT live();
}

void Push::refuse(const std::string& why)
{
    m_refusals += (m_refusals.empty() ? "" : "; ") + why;
    if (m_way != Way::Events) {
        connectAnew(m_way == Way::Resp3 ? Way::Resp2 : Way::Events);
        return;
    }
    // It stays so until somebody sees to it, unless the server is just busy: no reason to keep a
    // connection.
    const bool passes = m_refusals.find("BUSY ") != std::string::npos;
    m_connection->close();
    m_clock.cancel(m_timer);
    m_timer = m_clock.callAfter(passes ? heartbeat : pauseAfterRefusal,
                                [this] { connectAnew(firstWay()); });
    lose(std::exchange(m_refusals, {}));
    // That the server can't be reached, the provider's own connection says already.
    if (m_why != std::exchange(m_logged, m_why))
        m_container.log(LogLevel::Info, "Redis does not push, so it is polled: " + m_why);
}

void Push::lose(std::string why)
{
    const bool wasLive = m_mode == Mode::Live;
    const bool isNews = !isSettled() || wasLive;
    if (why.ends_with('.'))
        why.pop_back();
    m_why = std::move(why);
    if (wasLive)
        m_clock.cancel(m_timer);
    m_mode = Mode::Trying;
    m_dirty.clear(); // whoever listens looks at everything when it is live again
    m_allDirty = false;
    if (isNews)
        Q_EMIT lost();
}

void Push::beat()
{
    m_timer = m_clock.callAfter(heartbeat, [this] { beat(); });
    if (!m_pinging)
        letRun(ping());
}

Task<void> Push::ping()
{
    // Unanswered, it makes the connection give itself up.
    const QPointer<Push> self(this);
    m_pinging = true;
    try {
        Call call(*m_connection, Command("PING"), Effect::Reads);
        const Reply reply = co_await call.answer();
        if (reply.isError() && self)
            Q_EMIT troubled();
    } catch (const LockError&) {
    }
    if (self)
        m_pinging = false;
}

//! Of other keys it was not asked to tell.
void Push::noteDirty(std::string_view name)
{
    if (name.starts_with(m_prefix))
        m_dirty.emplace(name);
}

void Push::take(const Reply& message)
{
    if (m_way == Way::Events) {
        const std::string_view from = message.at(2).text();
        if (from.starts_with(m_eventPrefix))
            noteDirty(from.substr(m_eventPrefix.size()));
    } else {
        const bool pushed = message.isPush();
        if (message.at(pushed ? 0 : 1).text() != (pushed ? "invalidate" : redirectionChannel))
            return;
        const Reply names = message.at(pushed ? 1 : 2);
        if (names.isNil())
            m_allDirty = true;
        for (std::size_t i = 0; i < names.size(); ++i)
            noteDirty(names.at(i).text());
    }
    if (m_deliveryPosted)
        return;
    m_deliveryPosted = true;
    QMetaObject::invokeMethod(this, &Push::deliver, Qt::QueuedConnection);
}

void Push::deliver()
{
    m_deliveryPosted = false;
    if (m_mode != Mode::Live)
        return;
    const auto dirty = std::exchange(m_dirty, {});
    if (std::exchange(m_allDirty, false))
        Q_EMIT flushed();
    else if (!dirty.empty())
        Q_EMIT changed(std::vector<std::string>(dirty.begin(), dirty.end()));
}

} // namespace lockboard::redis
