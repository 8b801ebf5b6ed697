// SPDX-License-Identifier: MIT
#include "engine/module/locking_module.h"

#include "engine/contract/provider_fault.h"
#include "engine/module/blocked_watch.h"
#include "engine/module/built_in_kinds.h"
#include "engine/module/crossing.h"
#include "engine/module/failed_provider.h"
#include "engine/module/validation.h"

#include <QAbstractEventDispatcher>

namespace lockboard {

struct LockingModule::Slot {
    std::string id;
    std::unique_ptr<LockProvider> provider;
    std::optional<Duration> longestHold; // of a job, if its call does not say
};

LockingModule::LockingModule(const Config& config, const Container& container)
    : LockingModule(config, container, Settings())
{
}

LockingModule::LockingModule(const Config& config, const Container& container, Settings settings)
    : m_threadId(std::this_thread::get_id())
    , m_container(container)
    , m_settings(std::move(settings))
    , m_door(std::make_shared<Door>())
{
    const auto add = [this](const std::string& id, const ProviderRegistry::Found& found,
                            const ConfigValue& options, bool isDefault) {
        auto slot = std::make_unique<Slot>();
        slot->id = id;
        const ProviderSetup setup(options, found.medusa);
        slot->longestHold = setup.longestHold();
        ProviderInfo info{id, found.kind.identifier, isDefault, {}, {}};
        slot->provider = make(found.kind.factory, setup, info);
        if (info.problem.empty())
            options.rejectUnknown();
        m_infos.push_back(std::move(info));
        m_slots.push_back(std::move(slot));
    };

    const auto& entries = config.entries();
    std::string chosen;
    for (const Config::Entry& entry : entries) {
        add(entry.id, entry.provider, entry.options, entry.isDefault);
        if (entry.isDefault)
            chosen = entry.id;
    }
    const std::string always = "in-memory";
    const bool configured = std::any_of(entries.begin(), entries.end(),
                                        [&](const auto& entry) { return entry.id == always; });
    if (!configured)
        add(always, *builtInKinds().find(always), ConfigValue::parse("{}", always), false);

    m_defaultId = !chosen.empty() ? chosen : entries.size() == 1 ? entries.front().id : always;
    m_default = &findNamed(m_defaultId);
    for (ProviderInfo& info : m_infos)
        info.isDefault = info.id == m_defaultId;
    if (chosen.empty())
        m_container.log(LogLevel::Info,
                        "Locking module: Using \"" + printable(m_defaultId) + "\" as default.");
}

std::unique_ptr<LockProvider> LockingModule::make(const ProviderFactory& factory,
                                                  const ProviderSetup& setup,
                                                  ProviderInfo& info) const
{
    const std::string name = "The provider \"" + printable(info.id) + '"';
    std::unique_ptr<LockProvider> provider;
    std::string why;
    try {
        provider = factory(m_container, setup);
        if (!provider)
            why = "its factory gave nothing";
    } catch (const ConfigError&) {
        throw; // a mistake in the config, which says where
    } catch (...) {
        why = messageOf(std::current_exception());
    }
    if (!provider) {
        info.problem = name + " could not be made: " + why + (why.ends_with('.') ? "" : ".");
        m_container.log(LogLevel::Error, info.problem);
        provider = std::make_unique<FailedProvider>(info.problem);
    }
    try {
        info.features = provider->features();
    } catch (...) {
        m_container.log(
            LogLevel::Warning,
            name + " does not say what it can do: " + messageOf(std::current_exception()));
    }
    return provider;
}

LockingModule::~LockingModule()
{
    m_closing = true; // who is told that its call has ended may call again
    m_door->close();
    m_slots.clear();
    m_door->abandonAll();
}

LockingModule::Slot& LockingModule::find(const std::string& provider)
{
    if (m_closing)
        throw Cancelled("The locking module was closed.");
    return provider.empty() ? *m_default : findNamed(provider);
}

LockingModule::Slot& LockingModule::findNamed(const std::string& provider)
{
    const std::string id = provider.starts_with("lp_") ? provider.substr(3) : provider;
    for (const auto& slot : m_slots) {
        if (slot->id == id)
            return *slot;
    }
    std::vector<std::string> known;
    for (const auto& slot : m_slots)
        known.push_back(slot->id);
    throw NotFound(provider, known);
}

template <typename... Checked>
void LockingModule::admit(const char* verb, const Checked&... checked) const
{
    if (m_settings.readOnly)
        throw ReadOnly(verb);
    if ((isFit(checked) && ...))
        return;
    std::optional<std::string> sentence;
    ((sentence = sentence ? std::move(sentence) : findFault(checked)), ...);
    throw InvalidArgument(*sentence);
}

//! The module's side of a call from another thread.
template <typename T, typename Call>
static Task<void> runCall(std::shared_ptr<Door> door, std::shared_ptr<ResultCrossing<T>> crossing,
                          Call call)
{
    std::exception_ptr error;
    try {
        Task<T> running = call();
        if constexpr (std::is_void_v<T>)
            co_await running;
        else
            crossing->result.emplace(co_await running);
    } catch (...) {
        error = std::current_exception();
    }
    door->leave(crossing);
    crossing->end(error);
}

//! The caller's side: there, then back again. It touches nothing of the module, which may end
//! before the call does.
template <typename T, typename Call>
static Task<T> cross(std::shared_ptr<Door> door, std::shared_ptr<ResultCrossing<T>> crossing,
                     Call call)
{
    if (!QAbstractEventDispatcher::instance())
        throw InvalidArgument("The engine was called from a thread without a Qt event loop.");
    Mailbox::Letter begin = [door, crossing, call = std::move(call)] {
        door->enter(crossing);
        letRun(runCall<T>(door, crossing, call));
    };
    Door::Passage passage(door, crossing, std::move(begin));
    co_await passage;
    crossing->rethrow();
    if constexpr (!std::is_void_v<T>)
        co_return std::move(*crossing->result);
}

template <typename T> static std::shared_ptr<ResultCrossing<T>> makeCrossing(CallKind kind)
{
    return std::make_shared<ResultCrossing<T>>(Mailbox::ofThisThread(), kind == CallKind::Changing);
}

static std::vector<std::string> listed(const LockKeys& keys)
{
    return {keys.begin(), keys.end()};
}

static AuditRecord recordOf(const std::string& provider, const char* verb, const LockKeys& keys,
                            const Owner& owner, const SharedContext& context)
{
    AuditRecord record;
    record.provider = provider;
    record.verb = verb;
    record.keys = listed(keys);
    record.owner = owner;
    record.context = context;
    return record;
}

void LockingModule::conclude(const QPointer<const LockingModule>& self, AuditLog& audit,
                             const AuditRecord& record)
{
    const auto problem = audit.conclude(record);
    if (!problem || !self)
        return;
    self->m_container.log(LogLevel::Warning, *problem);
    Q_EMIT self->outcomeNotRecorded(QString::fromStdString(*problem));
}

template <typename T, typename Describe>
Task<T> LockingModule::audited(Task<T> call, AuditRecord record, Describe describe)
{
    const QPointer<const LockingModule> self(this); // it may end before the call
    const auto audit = m_settings.audit;
    std::exception_ptr error;
    try {
        T result = co_await call;
        record.outcome = describe(result);
        conclude(self, *audit, record);
        co_return result;
    } catch (const LockError& failure) {
        record.outcome = failure.message();
        error = std::current_exception();
    }
    conclude(self, *audit, record);
    std::rethrow_exception(error);
}

//! What gives back a grant, and no more: not what was held before, nor what has no owner and
//! nothing else by which it could be told from another's.
static std::pair<LockKeys, ReleaseOptions> backOf(const LockKeys& keys, const Owner& owner,
                                                  const Grant& grant)
{
    std::vector<std::string> taken;
    std::vector<SeenLock> seen;
    for (const KeyGrant& key : grant.outcomes(keys)) {
        if (key.extended || (!owner && !key.leaseEnd && !grant.token()))
            continue;
        Lock lock(key.key, owner, key.leaseEnd);
        lock.token = grant.token();
        taken.push_back(key.key);
        seen.emplace_back(lock);
    }
    ReleaseOptions release;
    release.ownedBy(owner);
    if (!owner)
        release.expecting(std::move(seen));
    return {LockKeys(std::move(taken)), release};
}

Task<Grant> LockingModule::acquire(LockKeys keys, AcquireOptions options, SharedContext context)
{
    if (!isHere()) {
        auto crossing = makeCrossing<Grant>(CallKind::Changing);
        crossing->dropped = [this, door = m_door, keys, owner = options.owner(),
                             provider = options.provider()](const Grant& grant) {
            const auto [taken, release] = backOf(keys, owner, grant);
            if (taken.isEmpty())
                return;
            auto there = release;
            there.at(provider);
            // With the module gone, the lease has to end.
            (void)door->box().post([this, keys = taken, there] { letRun(takeBack(keys, there)); });
        };
        return cross<Grant>(m_door, crossing, [this, keys, options, context] {
            return acquire(keys, options, context);
        });
    }
    try {
        admit("acquire", keys, options.owner(), options.lease());
        Slot& slot = find(options.provider());
        AuditRecord record;
        if (m_settings.audit) {
            record = recordOf(slot.id, "acquire", keys, options.owner(), context);
            m_settings.audit->intend(record);
        }
        Task<Grant> call = contained<Grant>(slot.id, "acquire", CallKind::Changing, [&] {
            return slot.provider->acquire(std::move(keys), std::move(options), std::move(context));
        });
        if (!m_settings.audit)
            return call;
        return audited(std::move(call), std::move(record),
                       [](const Grant&) { return std::string("granted"); });
    } catch (const LockError&) {
        return failed<Grant>(std::current_exception());
    }
}

static std::string describe(const ReleaseResult& result)
{
    std::string text;
    for (const KeyRelease& key : result.left()) {
        text += text.empty() ? "not released: " : ", ";
        text += printable(key.key);
        if (key.outcome == ReleaseOutcome::NotHeld)
            text += " (not held)";
        else if (key.outcome == ReleaseOutcome::Unknown)
            text += " (unknown)";
        else if (key.outcome == ReleaseOutcome::Changed)
            text += " (another grant than the one seen)";
        else
            text += " (held " + (key.holder ? "by " + printableStart(*key.holder) : "without owner")
                + ')';
    }
    return text.empty() ? "released" : text;
}

Task<ReleaseResult> LockingModule::release(LockKeys keys, ReleaseOptions options,
                                           SharedContext context)
{
    if (!isHere()) {
        return cross<ReleaseResult>(
            m_door, makeCrossing<ReleaseResult>(CallKind::Changing),
            [this, keys, options, context] { return release(keys, options, context); });
    }
    try {
        // What was seen can be released, whatever its key is: it need not be one that we would
        // take.
        if (keys.size() <= mostKeys && options.expectsAll(keys))
            admit("release");
        else
            admit("release", keys, options.owner());
        Slot& slot = find(options.provider());
        AuditRecord record;
        if (m_settings.audit) {
            record = recordOf(slot.id, "release", keys, options.owner(), context);
            m_settings.audit->intend(record);
        }
        auto call = contained<ReleaseResult>(slot.id, "release", CallKind::Changing, [&] {
            return slot.provider->release(std::move(keys), std::move(options), std::move(context));
        });
        if (!m_settings.audit)
            return call;
        return audited(std::move(call), std::move(record),
                       [](const ReleaseResult& result) { return describe(result); });
    } catch (const LockError&) {
        return failed<ReleaseResult>(std::current_exception());
    }
}

static std::string describe(const ReleaseAllResult& result)
{
    const bool sawAll = !result.cancelled && !result.interruption;
    std::string text = "released " + std::to_string(result.released) + ", left "
        + std::to_string(result.left()) + (sawAll ? "" : " and what it had not come to");
    if (result.cleared > 0)
        text += ", removed what was left of " + std::to_string(result.cleared);
    for (const auto& [reason, count] : result.reasons)
        text += "; " + std::to_string(count) + ' ' + reason;
    if (result.interruption)
        text += "; " + messageOf(result.interruption);
    return result.cancelled ? text + "; cancelled" : text;
}

Task<ReleaseAllResult> LockingModule::releaseAll(ReleaseAllOptions options, SharedContext context)
{
    if (!isHere()) {
        return cross<ReleaseAllResult>(
            m_door, makeCrossing<ReleaseAllResult>(CallKind::Changing),
            [this, options, context] { return releaseAll(options, context); });
    }
    try {
        admit("releaseAll", options.owner());
        Slot& slot = find(options.provider());
        AuditRecord record;
        if (m_settings.audit) {
            record = recordOf(slot.id, "releaseAll", {}, options.owner(), context);
            m_settings.audit->intend(record);
        }
        auto call = contained<ReleaseAllResult>(slot.id, "releaseAll", CallKind::Changing, [&] {
            return slot.provider->releaseAll(std::move(options), std::move(context));
        });
        if (!m_settings.audit)
            return call;
        return audited(std::move(call), std::move(record),
                       [](const ReleaseAllResult& result) { return describe(result); });
    } catch (const LockError&) {
        return failed<ReleaseAllResult>(std::current_exception());
    }
}

Task<void> LockingModule::takeBack(LockKeys keys, ReleaseOptions options)
{
    const QPointer<const LockingModule> self(this);
    std::string problem;
    try {
        co_await release(keys, options);
    } catch (...) {
        problem = messageOf(std::current_exception());
    }
    if (!self)
        co_return;
    const std::string name = "the lock for key \"" + printable(keys.front())
        + "\", which was granted to a thread that had ended";
    m_container.log(LogLevel::Warning,
                    problem.empty() ? "Gave back " + name + '.'
                                    : "Could not give back " + name + ": " + problem);
}

Task<void> LockingModule::executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                                     SharedContext context)
{
    if (isHere()) {
        return executeHere(std::move(keys), std::move(job), std::move(options), std::move(context),
                           true);
    }
    const auto crossing = makeCrossing<void>(CallKind::Changing);
    const auto own = std::make_shared<LockedJob>(std::move(job));
    const std::string key = keys.isEmpty() ? std::string() : keys.front();
    LockedJob there = [door = m_door, crossing, own, key](std::stop_token lost, Grant grant) {
        return runAtHome(door, crossing, own, key, std::move(lost), std::move(grant));
    };
    return cross<void>(m_door, crossing, [this, keys, there, options, context] {
        return executeHere(keys, there, options, context, false);
    });
}

namespace {

//! Whether what comes out of an execute is the job's own.
struct JobWitness {
    std::exception_ptr thrown;
};

Task<void> runWitnessed(const LockedJob* job, JobWitness* witness, BlockedWatch* watch,
                        std::stop_token lost, Grant grant)
{
    if (watch)
        watch->begin();
    try {
        co_await (*job)(std::move(lost), std::move(grant));
    } catch (...) {
        witness->thrown = std::current_exception();
    }
    if (watch)
        watch->end();
    if (witness->thrown)
        std::rethrow_exception(witness->thrown);
}

} // namespace

Task<void> LockingModule::executeHere(LockKeys keys, LockedJob job, ExecuteOptions options,
                                      SharedContext context, bool jobRunsHere)
{
    admit("execute", keys, options.owner(), std::optional(options.lease()));
    if (!isFit(options.requestedLongestHold()))
        throw InvalidArgument("The longest hold must be above 0 ms and of ten years at the most.");
    Slot& slot = find(options.provider());
    if (slot.longestHold && !options.requestedLongestHold())
        options.holdingAtMost(*slot.longestHold);
    AuditRecord record;
    if (m_settings.audit) {
        record = recordOf(slot.id, "execute", keys, options.owner(), context);
        m_settings.audit->intend(record);
    }
    BlockedWatch watch(*this, m_container, keys.front(), options.lease());
    BlockedWatch* const watching = jobRunsHere ? &watch : nullptr;
    JobWitness witness;
    LockedJob witnessed = [&job, &witness, watching](std::stop_token lost, Grant grant) {
        return runWitnessed(&job, &witness, watching, std::move(lost), std::move(grant));
    };
    const QPointer<const LockingModule> self(this); // it may end before the call
    const std::string id = slot.id;
    const auto audit = m_settings.audit;
    std::exception_ptr error;
    try {
        Task<void> running = slot.provider->executeJob(std::move(keys), std::move(witnessed),
                                                       std::move(options), std::move(context));
        if (detail::stateOf(running) == detail::TaskState::Empty)
            std::rethrow_exception(nothingFrom(id, "execute", CallKind::Changing));
        co_await running;
    } catch (...) {
        error = std::current_exception();
    }
    const bool isJobs = error && error == witness.thrown;
    if (error && !isJobs)
        error = faultOf(id, "execute", CallKind::Changing, error);
    if (audit) {
        record.outcome = !error ? "done" : isJobs ? "the job failed" : messageOf(error);
        conclude(self, *audit, record);
    }
    if (error)
        std::rethrow_exception(error);
}

template <typename Capability, typename Act>
Task<std::string> LockingModule::administer(const char* verb, std::vector<std::string> arguments,
                                            const std::string& provider,
                                            const SharedContext& context,
                                            Capability* (LockProvider::*capability)(), Act act)
{
    try {
        admit(verb);
        Slot& slot = find(provider);
        AuditRecord record = recordOf(slot.id, verb, {}, {}, context);
        record.arguments = std::move(arguments);
        if (m_settings.audit)
            m_settings.audit->intend(record);
        auto call = contained<std::string>(slot.id, verb, CallKind::Changing, [&] {
            Capability* const able = ((*slot.provider).*capability)();
            if (!able) {
                return failed<std::string>(InvalidArgument("The provider \"" + printable(slot.id)
                                                           + "\" knows no " + verb + '.'));
            }
            return act(*able);
        });
        if (!m_settings.audit)
            return call;
        return audited(std::move(call), std::move(record),
                       [](const std::string& done) { return done; });
    } catch (const LockError&) {
        return failed<std::string>(std::current_exception());
    }
}

//! For the audit.
static std::vector<std::string> wordsOf(const SeenSession& seen, SessionEnd how, TimePoint now)
{
    std::vector<std::string> words{std::to_string(seen.pid()),
                                   how == SessionEnd::Cancel ? "cancel" : "terminate"};
    for (const std::string& session : seen.sessions())
        words.push_back("session=" + session);
    for (const TimePoint began : seen.transactionsBegan()) {
        const auto age = std::chrono::floor<Duration>(now - began);
        words.push_back("transactionMs=" + std::to_string(age.count()));
    }
    for (const bool held : {true, false}) {
        for (const std::string& name : seen.namesOf(held))
            words.push_back((held ? "holds " : "waits for ") + name);
    }
    return words;
}

Task<std::string> LockingModule::endSession(SeenSession seen, SessionEnd how, std::string provider,
                                            SharedContext context)
{
    if (!isHere()) {
        return cross<std::string>(m_door, makeCrossing<std::string>(CallKind::Changing),
                                  [this, seen, how, provider, context] {
                                      return endSession(seen, how, provider, context);
                                  });
    }
    return administer("end-session", wordsOf(seen, how, m_container.clock->now()), provider,
                      context, &LockProvider::sessionControl, [&](SessionControl& control) {
                          return control.endSession(std::move(seen), how, context);
                      });
}

Task<std::string> LockingModule::installNotices(std::string provider, SharedContext context)
{
    if (!isHere()) {
        return cross<std::string>(
            m_door, makeCrossing<std::string>(CallKind::Changing),
            [this, provider, context] { return installNotices(provider, context); });
    }
    return administer("install-trigger", {}, provider, context, &LockProvider::changeNotices,
                      [&](ChangeNotices& notices) { return notices.installNotices(context); });
}

Task<std::string> LockingModule::removeNotices(std::string provider, SharedContext context)
{
    if (!isHere()) {
        return cross<std::string>(
            m_door, makeCrossing<std::string>(CallKind::Changing),
            [this, provider, context] { return removeNotices(provider, context); });
    }
    return administer("remove-trigger", {}, provider, context, &LockProvider::changeNotices,
                      [&](ChangeNotices& notices) { return notices.removeNotices(context); });
}

// Not coroutines themselves: gcc 12 destroys a closure made inside a co_await expression twice.
Task<LiveViewPtr> LockingModule::liveView(std::string provider)
{
    if (!isHere()) {
        auto crossing = makeCrossing<LiveViewPtr>(CallKind::Reading);
        crossing->dropped = [](LiveViewPtr& view) { view.reset(); };
        return cross<LiveViewPtr>(m_door, crossing,
                                  [this, provider] { return liveView(provider); });
    }
    try {
        Slot& slot = find(provider);
        return contained<LiveViewPtr>(slot.id, "liveView", CallKind::Reading, [&] {
            LiveViewPtr view = slot.provider->liveView();
            if (!view)
                std::rethrow_exception(nothingFrom(slot.id, "liveView", CallKind::Reading));
            view->nameProvider(slot.id);
            return ready(std::move(view));
        });
    } catch (const LockError&) {
        return failed<LiveViewPtr>(std::current_exception());
    }
}

//! A check that fails has found something.
static Task<CheckReport> reported(Task<CheckReport> check)
{
    CheckReport report;
    try {
        report = co_await check;
    } catch (const LockError& error) {
        report.reachable = false;
        report.findings.emplace_back(Finding::Problem, error.message());
    }
    co_return report;
}

Task<CheckReport> LockingModule::check(std::string provider)
{
    if (!isHere()) {
        return cross<CheckReport>(m_door, makeCrossing<CheckReport>(CallKind::Reading),
                                  [this, provider] { return check(provider); });
    }
    try {
        Slot& slot = find(provider);
        return reported(contained<CheckReport>(slot.id, "check", CallKind::Reading,
                                               [&] { return slot.provider->check(); }));
    } catch (const LockError&) {
        return failed<CheckReport>(std::current_exception());
    }
}

Task<bool> LockingModule::givenBack(Duration within, std::string provider)
{
    if (!isHere()) {
        return cross<bool>(m_door, makeCrossing<bool>(CallKind::Reading),
                           [this, within, provider] { return givenBack(within, provider); });
    }
    try {
        Slot& slot = find(provider);
        return contained<bool>(slot.id, "givenBack", CallKind::Reading,
                               [&] { return slot.provider->givenBack(within); });
    } catch (const LockError&) {
        return failed<bool>(std::current_exception());
    }
}

} // namespace lockboard
