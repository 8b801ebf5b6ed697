// SPDX-License-Identifier: MIT
#include "engine/postgres/locks/provider.h"

#include "engine/contract/medusa_hash.h"
#include "engine/postgres/session/keys.h"
#include "engine/postgres/view/live_view.h"
#include "engine/postgres/wire/url.h"

#include <QRandomGenerator>

#include <algorithm>

namespace lockboard::postgres {

using namespace postgres;
using namespace std::chrono_literals;

static constexpr Duration firstRetry = 10ms;
static constexpr Duration longestRetry = 250ms;
//! For those who wait in other processes, once they have been forestalled.
static constexpr Duration headStart = 2ms;
static constexpr Duration withdrawPause = 2s;
static constexpr std::size_t mostTokens = 100'000;

static const char* const transactionPooling =
    "The pooler in front of PostgreSQL gives every transaction another session (transaction "
    "pooling): an execute excludes other Lockboards and every acquire, but not Medusa's executes, "
    "and what others free is found by looking again; session pooling would mend both.";

Provider::Provider(const Container& container, Settings settings)
    : BasicProvider(container)
    , m_settings(std::move(settings))
    , m_shared(container)
    , m_administration(*this)
    , m_warnings(m_settings.endpoint.warnings())
    , m_statements(m_settings)
    , m_work(m_settings.endpoint, container, "work")
    , m_bulk(m_settings.endpoint, container, "bulk", Connection::Mode::Streaming)
    , m_session(m_settings.endpoint, container, m_statements, "locks", Session::Ear::Listens)
    , m_lane(m_settings.endpoint, container, m_statements, "line", Session::Ear::Deaf)
{
    for (const std::string& warning : m_warnings)
        log(LogLevel::Warning, warning);
    if (m_settings.createTable) {
        for (Connection* const one :
             {&m_work, &m_bulk, &m_session.connection(), &m_lane.connection()})
            one->addPreamble(m_statements.create);
    }
    for (Session* const one : {&m_session, &m_lane}) {
        QObject::connect(one, &Session::lost, one,
                         [this](const std::vector<std::pair<std::string, std::string>>& jobs) {
                             for (const auto& [owner, key] : jobs)
                                 noteLost(owner, key);
                         });
    }
    QObject::connect(&m_session, &Session::becameUnusable, &m_session, [this] {
        log(LogLevel::Warning, transactionPooling);
        tellViews([](View& view) { view.onWarningsChanged(); });
    });
    QObject::connect(&m_session, &Session::listening, &m_session, [this] {
        m_advertised.clear();
        wakeAll(); // what was freed meanwhile was not told
    });
    QObject::connect(&m_session.connection(), &Connection::notified, &m_session,
                     [this](const std::string&, const std::string& payload, int sender) {
                         takeNotification(payload, sender);
                     });
    m_work.open();
}

Provider::~Provider()
{
    close();
    clock().cancel(m_withdrawTimer);
    for (const auto& view : m_views) {
        if (view)
            view->detach();
    }
    m_lane.close();
    m_session.close();
    m_bulk.close();
    m_work.close();
    resumer().drain(); // what these have ended goes on while there is something to call
}

std::exception_ptr Provider::errorOf(const Result& result) const
{
    // Of the names that it uses, say, which are looked for along our search path.
    if (result.isInFunction() && result.sqlState().starts_with("42")
        && result.sqlState() != "42501")
        return std::make_exception_ptr(Unavailable(
            "A trigger or rule of " + printable(m_statements.table) + " at PostgreSQL "
            + m_settings.endpoint.name() + " fails, which must name what it uses with its schema: "
            + printableStart(result.message()) + " (" + printable(result.sqlState()) + ")."));
    return lockErrorOf(m_settings.endpoint.name(), m_statements.table, result.sqlState(),
                       withoutWords(result.message(), m_settings.endpoint.words));
}

std::vector<std::string> Provider::warnings() const
{
    std::vector<std::string> all = m_warnings;
    if (!m_session.isUsable())
        all.emplace_back(transactionPooling);
    return all;
}

bool Provider::isOwnBackend(std::int64_t pid) const
{
    return pid == m_work.backendPid() || pid == m_bulk.backendPid()
        || pid == m_session.connection().backendPid() || pid == m_lane.connection().backendPid();
}

Session* Provider::sessionOf(const LockKeys& keys, const std::string& owner)
{
    for (Session* const one : {&m_session, &m_lane}) {
        if (one->holds(owner, keys))
            return one;
    }
    return nullptr;
}

void Provider::onLeaseOver(const LockKeys& keys, const std::string& owner)
{
    if (Session* const session = sessionOf(keys, owner))
        session->unlockOf(owner, keys);
}

bool Provider::hasLost(const LockKeys& keys, const std::string& owner) const
{
    return m_session.hasLost(owner, keys) || m_lane.hasLost(owner, keys);
}

void Provider::forgetLost(const LockKeys& keys, const std::string& owner)
{
    m_session.forgetLost(owner, keys);
    m_lane.forgetLost(owner, keys);
}

Duration Provider::retryDelay(int attempt) const
{
    // Lockboards tell each other; Medusa does not.
    const Duration delay =
        std::min<Duration>(firstRetry * (1 << std::min(attempt, 10)), longestRetry);
    const double jitter = 0.75 + QRandomGenerator::global()->generateDouble() / 2;
    return std::max<Duration>(1ms, std::chrono::duration_cast<Duration>(delay * jitter));
}

template <typename Tell> void Provider::tellViews(Tell tell)
{
    if (m_views.empty())
        return;
    std::erase_if(m_views, [](const auto& view) { return !view; });
    for (const auto& view : m_views)
        tell(*view);
}

void Provider::noteGranted(const LockKeys& keys, const Owner& owner, const Grant& grant)
{
    if (m_tokens.size() + keys.size() > mostTokens)
        m_tokens.clear(); // of locks whose leases ended, say; they are for show
    for (const std::string& key : keys)
        m_tokens[key] = std::pair(owner, *grant.token());
    noteChanged(keys);
}

std::optional<FencingToken> Provider::tokenOf(const std::string& key, const Owner& owner) const
{
    const auto known = m_tokens.find(key);
    if (known == m_tokens.end() || known->second.first != owner)
        return {};
    return known->second.second;
}

void Provider::noteChanged(const LockKeys& keys)
{
    tellViews([&](View& view) { view.noteChanged({keys.begin(), keys.end()}); });
}

void Provider::noteGone(const std::string& key, const Owner& owner, bool wanted)
{
    m_tokens.erase(key);
    if (wanted)
        wakeAfter(key, headStart);
    else
        wake(key);
    noteLost(owner, key);
}

bool Provider::wantsToAdvertise(const LockKeys& keys) const
{
    return std::any_of(keys.begin(), keys.end(), [this](const std::string& key) {
        return isUtf8(key) && !m_advertised.contains(key);
    });
}

Task<void> Provider::advertise(LockKeys keys)
{
    m_session.connection().open();
    if (m_session.isPooled() && !m_session.isExamined())
        co_await m_session.tryToExamine();
    if (isClosing() || !m_session.isListening())
        co_return;
    std::vector<std::string> added;
    Array places; // one lock each, as they are withdrawn
    for (const std::string& key : keys) {
        if (isUtf8(key) && m_advertised.insert(key).second) {
            added.push_back(key);
            places.add(placeOf(medusaHash(key)));
        }
    }
    if (m_withdrawTimer == 0)
        m_withdrawTimer = clock().callAfter(withdrawPause, [this] { withdrawUnwanted(); });
    const bool done = co_await sendAside(&m_session.connection(), &m_statements.advertise,
                                         Parameters() << places.text());
    for (const std::string& key : added) {
        if (!done && !isClosing())
            m_advertised.erase(key);
    }
}

void Provider::withdrawUnwanted()
{
    m_withdrawTimer = 0;
    Array array;
    std::size_t count = 0;
    std::erase_if(m_advertised, [&](const std::string& key) {
        if (waitQueue().front(key))
            return false;
        array.add(placeOf(medusaHash(key)));
        ++count;
        return true;
    });
    if (count > 0)
        letRun(sendAside(&m_session.connection(), &m_statements.withdraw,
                         Parameters() << array.text()));
    if (!m_advertised.empty())
        m_withdrawTimer = clock().callAfter(withdrawPause, [this] { withdrawUnwanted(); });
}

void Provider::takeNotification(const std::string& payload, int sender)
{
    if (payload.empty() || isOwnBackend(sender))
        return;
    const bool isFreed = payload.front() == freed;
    if (payload.size() == 1) {
        noteAllChanged();
        wakeAll();
        suspectAll();
        return;
    }
    const std::string key = payload.substr(1);
    noteChanged(key);
    if (isFreed)
        wake(key);
    else
        hint(key);
    if (isFreed && m_session.holdsAny(medusaHash(key)))
        suspectAll(); // it may be a job's of ours
}

void Provider::noteAllChanged()
{
    tellViews([](View& view) { view.noteAllChanged(); });
}

std::string Provider::nameOf(std::uint32_t hash) const
{
    const std::string unknown = "advisory:" + std::to_string(hash);
    for (const auto& view : m_views) {
        const std::string name = view ? view->nameOf(hash) : unknown;
        if (name != unknown)
            return '"' + printableStart(name) + '"';
    }
    return unknown;
}

ProviderFeatures Provider::features() const
{
    ProviderFeatures features;
    features.shared = true;
    features.fencingTokens = true;
    features.endsSessions = true;
    features.changeNotices = true;
    return features;
}

LiveViewPtr Provider::liveView()
{
    auto view = std::make_unique<View>(*this);
    m_views.emplace_back(view.get());
    return LiveViewPtr(view.release());
}

} // namespace lockboard::postgres
