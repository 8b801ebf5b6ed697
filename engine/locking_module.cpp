// SPDX-License-Identifier: MIT
#include "engine/locking_module.h"

#include "engine/resume.h"
#include "engine/validation.h"

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
{
    const auto add = [this](const std::string& id, const ProviderRegistry::Found& found,
                            const ConfigValue& options, bool isDefault) {
        auto slot = std::make_unique<Slot>();
        slot->id = id;
        const ProviderSetup setup(options, found.medusa);
        slot->longestHold = setup.longestHold();
        slot->provider = found.kind.factory(m_container, setup);
        options.rejectUnknown();
        ProviderInfo info{id, found.kind.identifier, isDefault, slot->provider->features()};
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
        add(always, *ProviderRegistry().find(always), ConfigValue::parse("{}", always), false);

    m_defaultId = !chosen.empty() ? chosen : entries.size() == 1 ? entries.front().id : always;
    m_default = &findNamed(m_defaultId);
    for (ProviderInfo& info : m_infos)
        info.isDefault = info.id == m_defaultId;
    if (chosen.empty())
        m_container.log(LogLevel::Info,
                        "Locking module: Using \"" + m_defaultId + "\" as default.");
}

LockingModule::~LockingModule()
{
    m_closing = true; // who is told that his call has ended may call again
    m_slots.clear();
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

//! Calls from another thread: there, then back again.
template <typename T, typename Call> Task<T> LockingModule::callFromElsewhere(Call call)
{
    if (!QAbstractEventDispatcher::instance())
        throw InvalidArgument("The engine was called from a thread without a Qt event loop.");
    QObject home;
    std::exception_ptr error;
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
    co_await ResumeOn(this);
    try {
        if constexpr (std::is_void_v<T>)
            co_await call();
        else
            result.emplace(co_await call());
    } catch (...) {
        error = std::current_exception();
    }
    co_await ResumeOn(&home);
    if (error)
        std::rethrow_exception(error);
    if constexpr (!std::is_void_v<T>)
        co_return std::move(*result);
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

template <typename T, typename Describe>
Task<T> LockingModule::audited(Task<T> call, AuditRecord record, Describe describe)
{
    const auto audit = m_settings.audit;
    const auto conclude = [&audit, &record, container = m_container] {
        if (const auto problem = audit->conclude(record))
            container.log(LogLevel::Warning, *problem);
    };
    std::exception_ptr error;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await call;
            record.outcome = describe();
        } else {
            T result = co_await call;
            record.outcome = describe(result);
            conclude();
            co_return result;
        }
    } catch (const LockError& failure) {
        record.outcome = failure.message();
        error = std::current_exception();
    } catch (...) {
        record.outcome = "the job failed";
        error = std::current_exception();
    }
    conclude();
    if (error)
        std::rethrow_exception(error);
    if constexpr (!std::is_void_v<T>)
        Q_UNREACHABLE();
}

Task<Grant> LockingModule::acquire(LockKeys keys, AcquireOptions options, SharedContext context)
{
    if (!isHere()) {
        return callFromElsewhere<Grant>([this, keys = std::move(keys), options = std::move(options),
                                         context = std::move(context)]() mutable {
            return acquire(std::move(keys), std::move(options), std::move(context));
        });
    }
    try {
        admit("acquire", keys, options.owner(), options.lease());
        Slot& slot = find(options.provider());
        if (!m_settings.audit)
            return slot.provider->acquire(std::move(keys), std::move(options), std::move(context));
        AuditRecord record = recordOf(slot.id, "acquire", keys, options.owner(), context);
        m_settings.audit->intend(record);
        return audited(
            slot.provider->acquire(std::move(keys), std::move(options), std::move(context)),
            std::move(record), [](const Grant&) { return std::string("granted"); });
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
            text +=
                " (held " + (key.holder ? "by " + printableStart(*key.holder) : "without owner") + ')';
    }
    return text.empty() ? "released" : text;
}

Task<ReleaseResult> LockingModule::release(LockKeys keys, ReleaseOptions options,
                                           SharedContext context)
{
    if (!isHere()) {
        return callFromElsewhere<ReleaseResult>([this, keys = std::move(keys),
                                                 options = std::move(options),
                                                 context = std::move(context)]() mutable {
            return release(std::move(keys), std::move(options), std::move(context));
        });
    }
    try {
        // What was seen can be released, whatever its key is: it need not be one that we would take.
        if (keys.size() <= mostKeys && options.expectsAll(keys))
            admit("release");
        else
            admit("release", keys, options.owner());
        Slot& slot = find(options.provider());
        if (!m_settings.audit)
            return slot.provider->release(std::move(keys), std::move(options), std::move(context));
        AuditRecord record = recordOf(slot.id, "release", keys, options.owner(), context);
        m_settings.audit->intend(record);
        return audited(
            slot.provider->release(std::move(keys), std::move(options), std::move(context)),
            std::move(record), [](const ReleaseResult& result) { return describe(result); });
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
        return callFromElsewhere<ReleaseAllResult>(
            [this, options = std::move(options), context = std::move(context)]() mutable {
                return releaseAll(std::move(options), std::move(context));
            });
    }
    try {
        admit("releaseAll", options.owner());
        Slot& slot = find(options.provider());
        if (!m_settings.audit)
            return slot.provider->releaseAll(std::move(options), std::move(context));
        AuditRecord record = recordOf(slot.id, "releaseAll", {}, options.owner(), context);
        m_settings.audit->intend(record);
        return audited(slot.provider->releaseAll(std::move(options), std::move(context)),
                       std::move(record),
                       [](const ReleaseAllResult& result) { return describe(result); });
    } catch (const LockError&) {
        return failed<ReleaseAllResult>(std::current_exception());
    }
}

//! Runs a job on the thread that `home` lives in, called from the module's.
static Task<void> runAt(QObject* home, QObject* module, const LockedJob* job, std::stop_token lost,
                        Grant grant)
{
    co_await ResumeOn(home);
    std::exception_ptr error;
    try {
        co_await (*job)(std::move(lost), std::move(grant));
    } catch (...) {
        error = std::current_exception();
    }
    co_await ResumeOn(module);
    if (error)
        std::rethrow_exception(error);
}

Task<void> LockingModule::executeJob(LockKeys keys, LockedJob job, ExecuteOptions options,
                                     SharedContext context)
{
    if (isHere())
        return executeHere(std::move(keys), std::move(job), std::move(options), std::move(context));
    auto home = std::make_shared<QObject>();
    return callFromElsewhere<void>([this, home, keys = std::move(keys), job = std::move(job),
                                    options = std::move(options),
                                    context = std::move(context)]() mutable {
        LockedJob there = [home, this, &job](std::stop_token lost, Grant grant) {
            return runAt(home.get(), this, &job, std::move(lost), std::move(grant));
        };
        return executeHere(std::move(keys), std::move(there), std::move(options),
                           std::move(context));
    });
}

Task<void> LockingModule::executeHere(LockKeys keys, LockedJob job, ExecuteOptions options,
                                      SharedContext context)
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
    Task<void> running = slot.provider->executeJob(std::move(keys), std::move(job),
                                                   std::move(options), std::move(context));
    if (m_settings.audit)
        running =
            audited(std::move(running), std::move(record), [] { return std::string("done"); });
    co_await running;
}

Task<std::string> LockingModule::administer(std::string verb, std::vector<std::string> arguments,
                                            std::string provider, SharedContext context)
{
    if (!isHere()) {
        return callFromElsewhere<std::string>([this, verb = std::move(verb),
                                               arguments = std::move(arguments),
                                               provider = std::move(provider),
                                               context = std::move(context)] {
            return administer(verb, arguments, provider, context);
        });
    }
    try {
        admit(verb.c_str());
        Slot& slot = find(provider);
        AuditRecord record = recordOf(slot.id, verb.c_str(), {}, {}, context);
        record.arguments = arguments;
        if (m_settings.audit)
            m_settings.audit->intend(record);
        auto call = slot.provider->administer(std::move(verb), std::move(arguments),
                                              std::move(context));
        if (!m_settings.audit)
            return call;
        return audited(std::move(call), std::move(record),
                       [](const std::string& done) { return done; });
    } catch (const LockError&) {
        return failed<std::string>(std::current_exception());
    }
}

// Not coroutines themselves: gcc 12 destroys a capturing lambda inside a co_await twice.
Task<LiveViewPtr> LockingModule::liveView(std::string provider)
{
    // No coroutine: gcc 12 destroys a closure made inside a co_await expression twice.
    if (!isHere()) {
        return callFromElsewhere<LiveViewPtr>(
            [this, provider = std::move(provider)] { return liveView(provider); });
    }
    try {
        return ready(find(provider).provider->liveView());
    } catch (const LockError&) {
        return failed<LiveViewPtr>(std::current_exception());
    }
}

Task<CheckReport> LockingModule::check(std::string provider)
{
    if (!isHere()) {
        return callFromElsewhere<CheckReport>(
            [this, provider = std::move(provider)] { return check(provider); });
    }
    try {
        return find(provider).provider->check();
    } catch (const LockError&) {
        return failed<CheckReport>(std::current_exception());
    }
}

} // namespace lockboard
