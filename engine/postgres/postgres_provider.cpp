// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_provider.h"

#include "engine/postgres/medusa_hash.h"
#include "engine/postgres/postgres_live_view.h"

#include <QRandomGenerator>

#include <algorithm>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr int mostTries = 3;
static constexpr Duration firstRetry = 10ms;
static constexpr Duration longestRetry = 250ms;
//! For those who wait in other processes, once they have been forestalled.
static constexpr Duration headStart = 2ms;
static constexpr Duration withdrawPause = 2s;
static constexpr std::size_t mostTokens = 100'000;
//! What a notification may hold, with some room.
static constexpr std::size_t longestPayload = 7000;

// What a notification begins with; the key follows, unless it is too long.
static constexpr char freed = 'f';

static const char* const transactionPooling =
    "The pooler in front of PostgreSQL gives every transaction another session (transaction "
    "pooling): an execute excludes other Lockboards and every acquire, but not Medusa's executes, "
    "and what others free is found by looking again; session pooling would mend both.";

PostgresProvider::PostgresProvider(const Container& container, PostgresSettings settings)
    : BasicProvider(container)
    , m_settings(std::move(settings))
    , m_shared(container)
    , m_warnings(m_settings.endpoint.warnings())
    , m_statements(m_settings)
    , m_work(m_settings.endpoint, container, "work")
    , m_bulk(m_settings.endpoint, container, "bulk", PostgresConnection::Mode::Streaming)
    , m_session(m_settings.endpoint, container, m_statements)
{
    for (const std::string& warning : m_warnings)
        log(LogLevel::Warning, warning);
    if (m_settings.createTable)
        m_work.setPreamble({&m_statements.create});
    QObject::connect(&m_session, &PostgresSession::lost, &m_session,
                     [this](const std::vector<std::pair<std::string, std::string>>& jobs) {
                         for (const auto& [owner, key] : jobs)
                             noteLost(owner, key);
                     });
    QObject::connect(&m_session, &PostgresSession::becameUnusable, &m_session, [this] {
        m_warnings.emplace_back(transactionPooling);
        log(LogLevel::Warning, transactionPooling);
        tellViews([](PostgresLiveView& view) { view.onWarningsChanged(); });
    });
    PostgresConnection& session = m_session.connection();
    QObject::connect(&session, &PostgresConnection::ready, &m_session, [this] {
        m_advertised.clear();
        wakeAll(); // what was freed meanwhile was not told
    });
    QObject::connect(&session, &PostgresConnection::notified, &m_session,
                     [this](const std::string&, const std::string& payload, int sender) {
                         takeNotification(payload, sender);
                     });
    m_work.open();
}

PostgresProvider::~PostgresProvider()
{
    close();
    clock().cancel(m_withdrawTimer);
    for (const auto& view : m_views) {
        if (view)
            view->detach();
    }
    m_session.connection().close();
    m_bulk.close();
    m_work.close();
}

std::exception_ptr PostgresProvider::errorOf(const PostgresResult& result) const
{
    return postgresError(m_settings.endpoint.name(), m_statements.table, result.sqlState(),
                         result.message());
}

std::vector<std::string> PostgresProvider::warnings() const
{
    return m_warnings;
}

//! PostgreSQL stores text, not bytes.
static void requireText(const LockKeys& keys, const Owner& owner)
{
    const auto isText = [](const std::string& bytes) {
        return isUtf8(bytes) && bytes.find('\0') == std::string::npos;
    };
    for (const std::string& key : keys) {
        if (!isText(key))
            throw InvalidArgument("The key \"" + printableStart(key)
                                  + "\" is not UTF-8 text, and PostgreSQL can store no other.");
    }
    if (owner && !isText(*owner))
        throw InvalidArgument("The owner \"" + printableStart(*owner)
                              + "\" is not UTF-8 text, and PostgreSQL can store no other.");
}

static std::string arrayOf(const LockKeys& keys)
{
    PostgresArray array;
    for (const std::string& key : keys)
        array.add(key);
    return array.text();
}

static std::vector<std::uint32_t> hashesOf(const LockKeys& keys)
{
    std::vector<std::uint32_t> hashes;
    for (const std::string& key : keys)
        hashes.push_back(medusaHash(key));
    return hashes;
}

//! Where Lockboards queue and wait for each other, keys share a few hundred places: the server has
//! room for some thousand locks.
static int placeOf(std::uint32_t hash)
{
    constexpr std::uint32_t places = 512;
    return static_cast<int>(hash % places);
}

static std::string placesOf(const std::vector<std::uint32_t>& hashes)
{
    std::set<int> places; // in one order for everyone
    for (const std::uint32_t hash : hashes)
        places.insert(placeOf(hash));
    PostgresArray array;
    for (const int place : places)
        array.add(place);
    return array.text();
}

static std::optional<std::string> msText(std::optional<Duration> lease)
{
    return lease ? std::optional(std::to_string(lease->count())) : std::nullopt;
}

//! Nothing was done, and trying again may well do it.
static bool isPassing(const PostgresResult& result)
{
    const std::string_view state = result.sqlState();
    return state == "40001" || state == "40P01" || state == "22012"; // of allOrNone
}

//! What one of the acquiring statements found.
class PostgresProvider::Taking final {
public:
    Taking(const PostgresResult& result, std::size_t wanted, TimePoint sentAt)
        : isTaken(result.integer(0, 0) == static_cast<std::int64_t>(wanted))
    {
        token = static_cast<FencingToken>(result.integer(0, 1));
        if (!result.isNull(0, 2))
            leaseEnd = sentAt + Duration(result.integer(0, 2));
        isExtension = result.isTrue(0, 3);
        key = result.optional(0, 4);
        holder = result.optional(0, 5);
        if (!result.isNull(0, 6))
            remaining = Duration(std::max<std::int64_t>(0, result.integer(0, 6)));
    }

    bool isTaken;
    FencingToken token;
    std::optional<TimePoint> leaseEnd;
    bool isExtension;
    std::optional<std::string> key; // the first in the way, if it was seen
    Owner holder;
    std::optional<Duration> remaining;

    [[nodiscard]] Grant grant(std::optional<Duration> lease, TimePoint sentAt) const
    {
        const auto end = lease ? std::optional(sentAt + *lease) : leaseEnd;
        return Grant(end, token).asExtension(isExtension);
    }
};

Task<Grant> PostgresProvider::tryAcquire(LockKeys keys, AcquireOptions options, SharedContext)
{
    const bool forJob = options.isUniquelyOwned() || !options.reenters();
    if (options.look().value_or(0) > 0)
        advertise(keys); // before looking, so that nothing falls in between
    if (forJob && m_session.isUsable())
        return acquireForJob(std::move(keys), std::move(options));
    return acquireRows(std::move(keys), std::move(options));
}

Task<Grant> PostgresProvider::acquireRows(LockKeys keys, AcquireOptions options)
{
    requireText(keys, options.owner());
    const bool one = keys.size() == 1;
    const std::vector<std::uint32_t> hashes = hashesOf(keys);
    PostgresParameters parameters;
    parameters << arrayOf(keys) << options.owner() << msText(options.lease()) << claims(options)
               << options.reenters();
    if (one)
        parameters << std::to_string(placeOf(hashes.front()));
    const TimePoint began = clock().now();
    std::string problem;
    for (int tries = 1; problem.empty(); ++tries) {
        PostgresCall call(m_work, PostgresEffect::Mutates);
        if (one) {
            call.add(m_statements.acquireOne, parameters);
        } else {
            call.addAside(m_statements.queue, PostgresParameters() << placesOf(hashes));
            call.add(m_statements.acquire, parameters);
            call.addAside(m_statements.allOrNone,
                          PostgresParameters() << arrayOf(keys) << std::to_string(keys.size()));
        }
        call.send();
        PostgresResult result;
        try {
            result = co_await call.result();
        } catch (const OutcomeUnknown& error) {
            problem = error.message();
        }
        if (!problem.empty())
            break;
        if (result.isError()) {
            if (isPassing(result) && tries < mostTries)
                continue;
            std::rethrow_exception(errorOf(result));
        }
        const Taking taking(result, keys.size(), call.sentAt());
        if (taking.isTaken) {
            const Grant grant = taking.grant(options.lease(), call.sentAt());
            noteGranted(keys, options.owner(), grant);
            co_return grant;
        }
        // Who was quicker in the very moment is not seen before the next look.
        if (!taking.key && !options.look() && tries < mostTries)
            continue;
        throw Conflict(taking.key.value_or(keys.front()), taking.holder, taking.remaining);
    }
    const Grant held =
        co_await settle(keys, options, began, m_settings.endpoint.statementTimeout, problem);
    // The token went with the answer; the keys are ours, so that an extension gives another.
    Grant again = co_await acquireRows(std::move(keys), std::move(options));
    co_return again.asExtension(held.isExtension());
}

Task<Grant> PostgresProvider::acquireForJob(LockKeys keys, AcquireOptions options)
{
    requireText(keys, options.owner());
    const std::vector<std::uint32_t> hashes = hashesOf(keys);
    PostgresArray locks;
    for (const std::uint32_t hash : hashes)
        locks.add(static_cast<std::int64_t>(hash));
    PostgresParameters parameters;
    parameters << arrayOf(keys) << options.owner() << msText(options.lease()) << false
               << options.reenters() << locks.text();
    std::string problem;
    for (int tries = 1; problem.empty(); ++tries) {
        if (!m_session.isExamined())
            co_await m_session.examine();
        if (!m_session.isUsable())
            co_return co_await acquireRows(std::move(keys), std::move(options));
        PostgresCall call(m_session.connection(), PostgresEffect::Mutates);
        call.addAside(m_statements.queue, PostgresParameters() << placesOf(hashes));
        call.add(m_statements.acquireForSession, parameters);
        if (keys.size() > 1)
            call.addAside(m_statements.allOrNone,
                          PostgresParameters() << arrayOf(keys) << std::to_string(keys.size()));
        call.send();
        PostgresResult result;
        try {
            result = co_await call.result();
        } catch (const OutcomeUnknown& error) {
            problem = error.message();
        }
        if (!problem.empty())
            break;
        if (result.isError()) {
            m_session.holdPerhaps(hashes);
            unlock(m_session.takeUnused(hashes));
            if (isPassing(result) && tries < mostTries)
                continue;
            std::rethrow_exception(errorOf(result));
        }
        m_session.noteBackend(static_cast<int>(result.integer(0, 8)));
        if (!m_session.isUsable()) // what was locked is in a session of somebody else's now
            co_return co_await acquireRows(std::move(keys), std::move(options));
        const Taking taking(result, keys.size(), call.sentAt());
        if (taking.isTaken) {
            m_session.hold(*options.owner(), keys.front(), hashes);
            const Grant grant = taking.grant(options.lease(), call.sentAt());
            noteGranted(keys, options.owner(), grant);
            co_return grant;
        }
        throw Conflict(taking.key.value_or(keys.front()), taking.holder, taking.remaining);
    }
    // The session is over, and its locks with it; a row may be there, and is not taken for a lock
    // of anybody else's.
    if (options.isUniquelyOwned())
        throw NotTaken(problem);
    throw OutcomeUnknown(problem);
}

Task<void> PostgresProvider::unlock(std::map<std::uint32_t, int> locks)
{
    if (locks.empty())
        co_return;
    PostgresArray hashes, times;
    for (const auto& [hash, count] : locks) {
        hashes.add(static_cast<std::int64_t>(hash));
        times.add(static_cast<std::int64_t>(count));
    }
    PostgresParameters parameters;
    parameters << hashes.text() << times.text();
    try {
        PostgresCall call(m_session.connection(), PostgresEffect::Reads);
        call.add(m_statements.unlock, std::move(parameters));
        call.send();
        co_await call.result();
    } catch (const LockError&) {
        // the session is over, and its locks with it
    }
}

Task<Renewal> PostgresProvider::renew(LockKeys keys, std::string owner,
                                      std::optional<Duration> lease)
{
    requireText(keys, owner);
    if (m_session.hasLost(owner))
        co_return Renewal::lost(keys.front());
    const bool ofJob = m_session.holds(owner);
    PostgresCall call(ofJob ? m_session.connection() : m_work,
                      lease ? PostgresEffect::Mutates : PostgresEffect::Reads);
    if (lease && keys.size() > 1)
        call.addAside(m_statements.queue, PostgresParameters() << placesOf(hashesOf(keys)));
    PostgresParameters parameters;
    parameters << arrayOf(keys) << owner;
    if (lease)
        parameters << msText(lease);
    call.add(lease ? m_statements.extend : m_statements.look, std::move(parameters));
    call.send();
    const PostgresResult result = co_await call.result();
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    if (result.integer(0, 0) < static_cast<std::int64_t>(keys.size()))
        co_return Renewal::lost(result.optional(0, 2).value_or(keys.front()));
    if (lease)
        noteChanged(keys);
    if (result.isNull(0, 1))
        co_return Renewal::until({});
    co_return Renewal::until(call.sentAt() + Duration(result.integer(0, 1)));
}

//! An execute's, which runs elsewhere if it is not ours, and is to learn of its loss.
static bool isJobs(const std::string& owner)
{
    return owner.starts_with("execute:");
}

Task<ReleaseResult> PostgresProvider::release(LockKeys keys, ReleaseOptions options, SharedContext)
{
    requireText(keys, options.owner());
    const std::vector<std::uint32_t> hashes = hashesOf(keys);
    PostgresArray waiters, payloads;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        waiters.add(placeOf(hashes[i]));
        payloads.add(std::string(1, freed)
                     + (keys[i].size() <= longestPayload ? keys[i] : std::string()));
    }
    const std::string owner = options.owner().value_or("");
    const bool ofJob = options.owner() && m_session.holds(owner);
    const bool tooLate = options.owner() && m_session.hasLost(owner);
    PostgresCall call(ofJob ? m_session.connection() : m_work, PostgresEffect::Mutates);
    if (ofJob) { // first, so that it is done even if the rest fails
        std::map<std::uint32_t, int> locks = m_session.letGo(owner, hashes);
        unlock(std::move(locks));
    }
    if (keys.size() > 1)
        call.addAside(m_statements.queue, PostgresParameters() << placesOf(hashes));
    call.add(m_statements.release,
             PostgresParameters() << arrayOf(keys) << options.owner()
                                  << (m_settings.ownerless == Ownerless::Claimable)
                                  << waiters.text() << payloads.text()
                                  << (!ofJob && isJobs(owner)));
    call.send();
    std::vector<KeyRelease> left;
    bool unknown = false;
    PostgresResult result;
    try {
        result = co_await call.result();
    } catch (const OutcomeUnknown&) {
        unknown = true;
    }
    if (unknown) {
        for (const std::string& key : keys)
            left.emplace_back(key, ReleaseOutcome::Unknown);
        co_return ReleaseResult(std::move(left));
    }
    if (result.isError())
        std::rethrow_exception(errorOf(result));
    if (tooLate)
        m_session.forgetLost(owner);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const int row = static_cast<int>(i);
        const bool released = result.isTrue(row, 0);
        if (result.isTrue(row, 1) && result.optional(row, 2) != options.owner())
            left.emplace_back(keys[i], ReleaseOutcome::HeldByOther, result.optional(row, 2));
        else if (!released || tooLate)
            left.emplace_back(keys[i], ReleaseOutcome::NotHeld).cleared =
                !released && result.isTrue(row, 4);
        if (released)
            noteGone(keys[i], result.optional(row, 2), !result.isNull(row, 3));
    }
    noteChanged(keys);
    co_return ReleaseResult(std::move(left));
}

Duration PostgresProvider::retryDelay(int attempt) const
{
    // Lockboards tell each other; Medusa does not.
    const Duration delay =
        std::min<Duration>(firstRetry * (1 << std::min(attempt, 10)), longestRetry);
    const double jitter = 0.75 + QRandomGenerator::global()->generateDouble() / 2;
    return std::max<Duration>(1ms, std::chrono::duration_cast<Duration>(delay * jitter));
}

template <typename Tell> void PostgresProvider::tellViews(Tell tell)
{
    if (m_views.empty())
        return;
    std::erase_if(m_views, [](const auto& view) { return !view; });
    for (const auto& view : m_views)
        tell(*view);
}

void PostgresProvider::noteGranted(const LockKeys& keys, const Owner& owner, const Grant& grant)
{
    if (m_tokens.size() + keys.size() > mostTokens)
        m_tokens.clear(); // of locks whose leases ended, say; they are for show
    for (const std::string& key : keys)
        m_tokens[key] = std::pair(owner, *grant.token());
    noteChanged(keys);
}

std::optional<FencingToken> PostgresProvider::tokenOf(const std::string& key,
                                                      const Owner& owner) const
{
    const auto known = m_tokens.find(key);
    if (known == m_tokens.end() || known->second.first != owner)
        return {};
    return known->second.second;
}

void PostgresProvider::noteChanged(const LockKeys& keys)
{
    tellViews([&](PostgresLiveView& view) { view.noteChanged({keys.begin(), keys.end()}); });
}

void PostgresProvider::noteGone(const std::string& key, const Owner& owner, bool wanted)
{
    m_tokens.erase(key);
    if (wanted)
        wakeAfter(key, headStart);
    else
        wake(key);
    noteLost(owner, key);
}

Task<void> PostgresProvider::sendAside(const PostgresStatement* statement,
                                       PostgresParameters parameters)
{
    try {
        PostgresCall call(m_session.connection(), PostgresEffect::Reads);
        call.add(*statement, std::move(parameters));
        call.send();
        co_await call.result();
    } catch (const LockError&) {
        // the session is over; the next one begins anew
    }
}

void PostgresProvider::advertise(const LockKeys& keys)
{
    m_session.connection().open();
    if (!m_session.isUsable() || !m_session.connection().isReady())
        return;
    std::vector<std::uint32_t> hashes;
    for (const std::string& key : keys) {
        if (isUtf8(key) && m_advertised.insert(key).second)
            hashes.push_back(medusaHash(key));
    }
    if (!hashes.empty()) {
        PostgresArray array; // one lock each, as they are withdrawn
        for (const std::uint32_t hash : hashes)
            array.add(placeOf(hash));
        sendAside(&m_statements.advertise, PostgresParameters() << array.text());
    }
    if (m_withdrawTimer == 0)
        m_withdrawTimer = clock().callAfter(withdrawPause, [this] { withdrawUnwanted(); });
}

void PostgresProvider::withdrawUnwanted()
{
    m_withdrawTimer = 0;
    PostgresArray array;
    std::size_t count = 0;
    std::erase_if(m_advertised, [&](const std::string& key) {
        if (waitQueue().front(key))
            return false;
        array.add(placeOf(medusaHash(key)));
        ++count;
        return true;
    });
    if (count > 0)
        sendAside(&m_statements.withdraw, PostgresParameters() << array.text());
    if (!m_advertised.empty())
        m_withdrawTimer = clock().callAfter(withdrawPause, [this] { withdrawUnwanted(); });
}

void PostgresProvider::takeNotification(const std::string& payload, int sender)
{
    const bool own = sender == m_work.backendPid() || sender == m_session.connection().backendPid();
    if (payload.empty() || own)
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

void PostgresProvider::noteAllChanged()
{
    tellViews([](PostgresLiveView& view) { view.noteAllChanged(); });
}

ProviderFeatures PostgresProvider::features() const
{
    ProviderFeatures features;
    features.shared = true;
    features.fencingTokens = true;
    return features;
}

LiveViewPtr PostgresProvider::liveView()
{
    auto view = std::make_unique<PostgresLiveView>(*this);
    m_views.emplace_back(view.get());
    return LiveViewPtr(view.release());
}

} // namespace lockboard
