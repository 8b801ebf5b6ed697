// SPDX-License-Identifier: MIT
#include "engine/redis/redis_provider.h"

#include "engine/redis/redis_live_view.h"

#include <QRandomGenerator>

#include <algorithm>
#include <cmath>

namespace lockboard {

using namespace std::chrono_literals;

const std::string RedisProvider::nobody = "*";
static constexpr Duration secondLook(10);
//! After a restart or a failover: how long an operator is told of it.
static constexpr Duration warningTime = 10min;

Owner RedisProvider::ownerOf(std::string_view value)
{
    return value == nobody ? Owner() : Owner(value);
}

RedisProvider::RedisProvider(const Container& container, RedisSettings settings)
    : BasicProvider(container)
    , m_settings(std::move(settings))
    , m_warnings(m_settings.endpoint.warnings())
    , m_scanPattern(escapedForGlob(m_settings.keyspace) + '*')
    , m_notes(m_settings.fencing, m_settings.annotate)
    , m_acquireScript("acquire.lua")
    , m_undoScript("undo.lua")
    , m_raiseScript("raise.lua")
    , m_extendScript("extend.lua")
    , m_releaseScript("release.lua")
    , m_releasePageScript("release_page.lua")
    , m_client(m_settings, container)
    , m_push(std::make_unique<RedisPushGroup>(m_client, m_settings.keyspace, container))
{
    for (const std::string& warning : m_warnings)
        warn(warning);
    QObject::connect(&m_client, &RedisClient::replaced, &m_client,
                     [this](const std::string& how) { onReplaced(how); });
    QObject::connect(&m_client, &RedisClient::ready, &m_client, [this] { setNotesProblem({}); });
    m_client.open();
    listen();
}

RedisProvider::~RedisProvider()
{
    m_push->close();
    for (const auto& [name, replicas] : m_replicas)
        replicas->close();
    close();
    for (const auto& view : m_views) {
        if (view)
            view->detach();
    }
    clock().cancel(m_verifyTimer);
    clock().cancel(m_replacementTimer);
    m_client.close();
}

Task<Grant> RedisProvider::tryAcquire(LockKeys keys, AcquireOptions options, SharedContext context)
{
    if (keys.size() == 1 && m_settings.waitReplicas == 0 && !m_notes.areWritten()) {
        if (RedisConnection* const server = serverFor(keys.front()))
            return acquireOne(std::move(keys), std::move(options), server);
    }
    if (m_settings.waitReplicas > 0)
        return takeReplicated(std::move(keys), std::move(options), std::move(context));
    return take(std::move(keys), std::move(options), std::move(context));
}

Task<Grant> RedisProvider::take(LockKeys keys, AcquireOptions options, SharedContext context,
                                std::vector<Taken>* taken)
{
    std::string note;
    if (m_notes.areWritten())
        note = m_notes.textFor(options.owner().value_or(nobody), context);
    if (keys.size() > 1)
        return acquireMany(std::move(keys), std::move(options), std::move(note), taken);
    return acquireByScript(std::move(keys), std::move(options), std::move(note), taken);
}

RedisConnection* RedisProvider::serverFor(const std::string& key)
{
    return m_client.connectionFor(m_client.isCluster() ? stored(key) : std::string());
}

RedisCall RedisProvider::callToTake(RedisConnection& server, const std::string& key,
                                    const AcquireOptions& options) const
{
    const std::string name = stored(key);
    RedisCommand command("SET");
    command << name << (options.owner() ? *options.owner() : nobody) << "NX";
    std::string lease;
    if (options.lease()) {
        lease = std::to_string(options.lease()->count());
        command << "PX" << lease;
    }
    return RedisCall(server, command, RedisEffect::Mutates);
}

Task<Grant> RedisProvider::acquireOne(LockKeys keys, AcquireOptions options,
                                      RedisConnection* server)
{
    // Most locks are free when they are asked for; then the native command does, and is cheaper.
    RedisCall call = callToTake(*server, keys.front(), options);
    RedisReply reply;
    std::string problem;
    try {
        reply = co_await call.answer();
    } catch (const OutcomeUnknown& error) {
        problem = error.message();
    }
    if (!problem.empty() || reply.isNil() || reply.isError())
        co_return co_await acquireAfter(call, reply, problem, keys, options);
    std::optional<TimePoint> leaseEnd;
    if (options.lease())
        leaseEnd = call.sentAt() + *options.lease();
    noteHeld(keys, options.owner(), leaseEnd);
    co_return Grant(leaseEnd);
}

// No coroutine, and so the frame of the one that calls it is small enough to be had quickly.
Task<Grant> RedisProvider::acquireAfter(const RedisCall& call, const RedisReply& reply,
                                        const std::string& problem, LockKeys& keys,
                                        AcquireOptions& options)
{
    if (!problem.empty())
        return settleAcquire(std::move(keys), std::move(options), call.sentAt(), problem);
    if (reply.isError() && !RedisClient::isRedirection(reply))
        call.check(reply);
    if (reply.isNil() && options.look() == 0 && m_push->isLive()) {
        noteForestalled(keys.front());
        throw Conflict(keys.front(), {}, {});
    }
    return acquireByScript(std::move(keys), std::move(options));
}

void RedisProvider::addNotes(RedisEval& eval)
{
    const auto locks = eval.keys.size();
    eval.beginExtra();
    for (qsizetype i = 0; i < locks; ++i)
        eval.addKey(RedisNotes::keyFor(eval.keys[i]));
}

Task<RedisAnswer> RedisProvider::run(RedisEval eval)
{
    return eval.hasExtra() ? runNoted(std::move(eval)) : m_client.eval(std::move(eval));
}

Task<RedisAnswer> RedisProvider::runNoted(RedisEval eval)
{
    const bool needsToken = m_notes.haveTokens() && eval.script == &m_acquireScript;
    RedisEval withoutNotes = eval.withoutExtra();
    std::string said;
    try {
        co_return co_await m_client.eval(std::move(eval));
    } catch (const Denied& error) { // and so it has done nothing
        said = error.message();
    }
    if (needsToken)
        throw Denied(said + RedisNotes::tokenRights);
    RedisAnswer answer = co_await m_client.eval(std::move(withoutNotes));
    if (!m_notes.haveTokens())
        setNotesProblem("Who holds a lock is not noted, though \"annotate\" is on: " + said
                        + " Notes need the keys lockboard:* besides those of the locks.");
    co_return answer;
}

void RedisProvider::setNotesProblem(const std::string& sentence)
{
    m_notes.setForbidden(!sentence.empty());
    if (m_notesProblem == sentence)
        return;
    m_notesProblem = sentence;
    if (!sentence.empty())
        warn(sentence);
    tellViews([](RedisLiveView& view) { view.onWarningsChanged(); });
}

static ReleaseResult unknownRelease(const LockKeys& keys)
{
    std::vector<KeyRelease> left;
    for (const std::string& key : keys)
        left.emplace_back(key, ReleaseOutcome::Unknown);
    return ReleaseResult(std::move(left));
}

//! What a script says of a key that stands in its way.
static void throwIfRefused(const RedisReply& reply, const LockKeys& keys)
{
    const std::string_view word = reply.at(0).text();
    if (word != "held" && word != "type")
        return;
    const std::string& key = keys[reply.at(1).integer() - 1];
    if (word == "type")
        throw InvalidArgument("The key \"" + printable(key) + "\" holds a "
                              + std::string(reply.at(2).text()) + ", not a lock.");
    std::optional<Duration> remaining;
    if (reply.at(3).integer() >= 0)
        remaining = Duration(reply.at(3).integer());
    throw Conflict(key, RedisProvider::ownerOf(reply.at(2).text()), remaining);
}

Task<Grant> RedisProvider::acquireByScript(LockKeys keys, AcquireOptions options, std::string note,
                                           std::vector<Taken>* taken)
{
    if (m_notes.haveTokens() && !m_client.isKnown())
        co_await m_client.learn(); // which counter it is
    RedisEval eval(m_acquireScript);
    for (const std::string& key : keys)
        eval.addKey(stored(key));
    eval.addArgument(options.owner().value_or(nobody));
    eval.addArgument(options.lease() ? std::to_string(options.lease()->count()) : std::string());
    eval.addArgument(claims(options) ? "1" : "0");
    eval.addArgument(options.reenters() ? "1" : "0");
    eval.addArgument(taken ? "1" : "0");
    if (!note.empty()) {
        addNotes(eval);
        if (m_notes.haveTokens())
            eval.addKey(counterFor(eval.keys.front()));
        eval.addArgument(std::to_string(keys.size()));
        eval.addArgument(note);
    }
    const TimePoint began = clock().now();
    RedisAnswer answer;
    std::string problem;
    try {
        answer = co_await run(std::move(eval));
    } catch (const OutcomeUnknown& error) {
        problem = error.message();
    }
    if (!problem.empty()) {
        const Grant held = co_await settleAcquire(keys, options, began, problem);
        Grant grant = held;
        if (m_notes.haveTokens()) {
            // The token went with the answer; the keys are ours, so an extension gives another.
            grant = co_await acquireByScript(keys, std::move(options), std::move(note));
            grant.asExtension(held.isExtension());
        }
        if (taken)
            taken->emplace_back(std::move(keys), RedisAnswer(), grant);
        co_return grant;
    }
    const bool forestalled = answer.reply.at(0).text() == "held" && options.look() == 0;
    if (m_notes.areWritten() && forestalled && m_push->isLive())
        noteForestalled(keys.front());
    throwIfRefused(answer.reply, keys);
    const bool extension = answer.reply.at(1).integer() != 0;
    const std::int64_t kept = answer.reply.at(2).integer();
    std::optional<TimePoint> leaseEnd;
    if (options.lease())
        leaseEnd = answer.sentAt + *options.lease();
    else if (kept >= 0)
        leaseEnd = answer.sentAt + Duration(kept);
    std::optional<FencingToken> token;
    if (m_notes.haveTokens())
        token = FencingToken(answer.reply.at(3).integer());
    const Grant grant = Grant(leaseEnd, token).asExtension(extension);
    if (taken)
        taken->emplace_back(std::move(keys), std::move(answer), grant);
    else
        noteTaken(keys, options, grant);
    co_return grant;
}

void RedisProvider::noteTaken(const LockKeys& keys, const AcquireOptions& options,
                              const Grant& grant)
{
    if (grant.isExtension() && !options.lease())
        noteChanged({keys.begin(), keys.end()}); // each has the lease it had
    else
        noteHeld(keys, options.owner(), grant.leaseEnd());
}

Task<Grant> RedisProvider::settleAcquire(LockKeys keys, AcquireOptions options, TimePoint began,
                                         std::string problem)
{
    const Owner owner = options.owner();
    const Grant grant = co_await settle(keys, std::move(options), began,
                                        m_settings.endpoint.commandTimeout, std::move(problem));
    noteHeld(keys, owner, grant.leaseEnd());
    co_return grant;
}

Task<Renewal> RedisProvider::renew(LockKeys keys, std::string owner, std::optional<Duration> lease)
{
    if (keys.size() > 1) {
        std::vector<LockKeys> parts = co_await partsOf(keys);
        if (parts.size() > 1)
            co_return co_await renewParts(std::move(parts), std::move(owner), lease);
    }
    RedisEval eval(m_extendScript);
    for (const std::string& key : keys)
        eval.addKey(stored(key));
    eval.addArgument(owner);
    eval.addArgument(lease ? std::to_string(lease->count()) : std::string());
    if (m_notes.areWritten()) {
        addNotes(eval);
        eval.addArgument(std::to_string(keys.size()));
    }
    const RedisAnswer answer = co_await run(std::move(eval));
    const std::int64_t lost = answer.reply.at(0).integer();
    if (lost > 0)
        co_return Renewal::lost(keys[lost - 1]);
    const std::int64_t least = answer.reply.at(1).integer();
    std::optional<TimePoint> leaseEnd;
    if (lease) {
        leaseEnd = answer.sentAt + *lease;
        noteHeld(keys, owner, leaseEnd);
    } else if (least >= 0) {
        leaseEnd = answer.sentAt + Duration(least);
    }
    co_return Renewal::until(leaseEnd);
}

Task<ReleaseResult> RedisProvider::release(LockKeys keys, ReleaseOptions options, SharedContext)
{
    if (keys.size() > 1)
        return releaseMany(std::move(keys), std::move(options));
    RedisConnection* const server = serverFor(keys.front());
    if (!server || m_notes.areWritten() || m_client.isCluster())
        return releaseByScript(std::move(keys), std::move(options));
    return releaseOne(std::move(keys), std::move(options), server);
}

RedisCall RedisProvider::callToRelease(RedisConnection& server, const std::string& key,
                                       const Owner& owner) const
{
    const std::string name = stored(key);
    RedisCommand command("EVALSHA");
    command << m_releaseScript.sha1 << "1" << name << (owner ? *owner : nobody)
            << (m_settings.ownerless == Ownerless::Claimable ? "1" : "0");
    return RedisCall(server, command, RedisEffect::Mutates);
}

//! As releaseByScript(), with less to carry along.
Task<ReleaseResult> RedisProvider::releaseOne(LockKeys keys, ReleaseOptions options,
                                              RedisConnection* server)
{
    RedisCall call = callToRelease(*server, keys.front(), options.owner());
    RedisReply reply;
    try {
        reply = co_await call.answer();
    } catch (const OutcomeUnknown&) {
        co_return unknownRelease(keys);
    }
    if (reply.isError()) // which says that nothing was done
        co_return co_await releaseByScript(std::move(keys), std::move(options));
    co_return noteReleased(keys, options.owner(), reply);
}

Task<ReleaseResult> RedisProvider::releaseByScript(LockKeys keys, ReleaseOptions options)
{
    RedisEval eval(m_releaseScript);
    for (const std::string& key : keys)
        eval.addKey(stored(key));
    eval.addArgument(options.owner().value_or(nobody));
    eval.addArgument(m_settings.ownerless == Ownerless::Claimable ? "1" : "0");
    if (m_notes.areWritten()) {
        addNotes(eval);
        eval.addArgument(std::to_string(keys.size()));
    }
    RedisAnswer answer;
    try {
        answer = co_await run(std::move(eval));
    } catch (const OutcomeUnknown&) {
        co_return unknownRelease(keys);
    }
    co_return noteReleased(keys, options.owner(), answer.reply);
}

ReleaseResult RedisProvider::noteReleased(const LockKeys& keys, const Owner& owner,
                                          const RedisReply& reply)
{
    throwIfRefused(reply, keys);
    std::vector<KeyRelease> left;
    const bool brief = reply.isInteger();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const RedisReply one = reply.at(i + 1);
        const std::int64_t how = brief ? reply.integer() : one.integer();
        if (one.isString())
            left.emplace_back(keys[i], ReleaseOutcome::HeldByOther, ownerOf(one.text()));
        else if (how == 0)
            left.emplace_back(keys[i], ReleaseOutcome::NotHeld);
        if (how > 0) // what waits goes on from the event loop, when all are free
            noteGone(keys[i], how == 1 ? owner : Owner());
    }
    return ReleaseResult(std::move(left));
}

Duration RedisProvider::retryDelay(int attempt) const
{
    m_push->open(); // somebody waits
    // A moment after the first look a second one asks how long the lease is, if no news came; those
    // that follow are for what is not pushed, SWAPDB say, or for a push gone silent.
    if (m_push->isLive())
        return attempt == 0 ? secondLook
                            : Duration(1000 + QRandomGenerator::global()->bounded(1000));
    const double first = static_cast<double>(m_settings.firstRetry.count());
    const double longest = static_cast<double>(m_settings.longestRetry.count());
    const double delay = std::min(first * std::pow(m_settings.backoffFactor, attempt), longest);
    const double jitter = 0.5 + QRandomGenerator::global()->generateDouble() / 2;
    return Duration(std::max<std::int64_t>(1, std::llround(delay * jitter)));
}

template <typename Tell> void RedisProvider::tellViews(Tell tell)
{
    if (m_views.empty())
        return;
    std::erase_if(m_views, [](const auto& view) { return !view; });
    for (const auto& view : m_views)
        tell(*view);
}

void RedisProvider::noteHeld(const LockKeys& keys, const Owner& owner,
                             std::optional<TimePoint> leaseEnd)
{
    noteMine(keys, owner);
    if (m_notes.areKept()) {
        noteChanged({keys.begin(), keys.end()}); // they read the notes too
        return;
    }
    tellViews([&](RedisLiveView& view) {
        for (const std::string& key : keys)
            view.noteHeld(key, owner.value_or(nobody), leaseEnd);
    });
}

void RedisProvider::noteChanged(const std::vector<std::string>& keys)
{
    tellViews([&](RedisLiveView& view) { view.noteChanged(keys); });
}

void RedisProvider::noteGone(const std::string& key, const Owner& owner)
{
    tellViews([&](RedisLiveView& view) { view.noteGone(key); });
    m_mine.erase(key);
    wakeFairly(key);
    noteLost(owner, key);
}

void RedisProvider::onReplaced(const std::string& how)
{
    if (!how.empty()) {
        log(LogLevel::Warning, how);
        setReplacement(how);
        clock().cancel(m_replacementTimer);
        m_replacementTimer = clock().callAfter(warningTime, [this] { setReplacement({}); });
    }
    suspectAll();
    wakeAll(); // what others wait for may be gone as well
}

void RedisProvider::setReplacement(const std::string& sentence)
{
    m_replacement = sentence;
    tellViews([](RedisLiveView& view) { view.onWarningsChanged(); });
}

std::vector<std::string> RedisProvider::warnings() const
{
    std::vector<std::string> list = m_warnings;
    if (!m_replacement.empty())
        list.push_back(m_replacement);
    if (!m_notesProblem.empty())
        list.push_back(m_notesProblem);
    return list;
}

LiveViewPtr RedisProvider::liveView()
{
    auto view = std::make_unique<RedisLiveView>(*this);
    m_views.emplace_back(view.get());
    return LiveViewPtr(view.release());
}

ProviderFeatures RedisProvider::features() const
{
    ProviderFeatures features;
    features.shared = true;
    features.fencingTokens = m_notes.haveTokens();
    return features;
}

} // namespace lockboard
