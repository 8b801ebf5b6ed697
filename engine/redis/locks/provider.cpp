// SPDX-License-Identifier: MIT
#include "engine/redis/locks/provider.h"

#include "engine/redis/view/live_view.h"

#include <QRandomGenerator>

#include <algorithm>
#include <cmath>

namespace lockboard::redis {

using namespace std::chrono_literals;

const std::string Provider::nobody = "*";
static constexpr Duration secondLook(10);
//! After a restart or a failover: how long an operator is told of it.
static constexpr Duration warningTime = 10min;

Owner Provider::ownerOf(std::string_view value)
{
    return value == nobody ? Owner() : Owner(value);
}

Provider::Provider(const Container& container, Settings settings)
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
    , m_releaseSeenScript("release_seen.lua")
    , m_releasePageScript("release_page.lua")
    , m_client(m_settings, container)
    , m_push(std::make_unique<PushGroup>(m_client, m_settings.keyspace, container))
{
    for (const std::string& warning : m_warnings)
        warn(warning);
    QObject::connect(&m_client, &Client::replaced, &m_client,
                     [this](const std::string& how) { onReplaced(how); });
    QObject::connect(&m_client, &Client::ready, &m_client, [this] { setNotesProblem({}); });
    m_client.open();
    listen();
}

Provider::~Provider()
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

void Provider::addNotes(Eval& eval)
{
    const auto locks = eval.keys.size();
    eval.beginExtra();
    for (qsizetype i = 0; i < locks; ++i)
        eval.addKey(Notes::keyFor(eval.keys[i]));
}

Task<Answer> Provider::run(Eval eval)
{
    return eval.hasExtra() ? runNoted(std::move(eval)) : m_client.eval(std::move(eval));
}

Task<Answer> Provider::runNoted(Eval eval)
{
    const bool needsToken = m_notes.haveTokens() && eval.script == &m_acquireScript;
    Eval withoutNotes = eval.withoutExtra();
    std::string said;
    try {
        co_return co_await m_client.eval(std::move(eval));
    } catch (const Denied& error) { // and so it has done nothing
        said = error.message();
    }
    if (needsToken)
        throw Denied(said + Notes::tokenRights);
    Answer answer = co_await m_client.eval(std::move(withoutNotes));
    if (!m_notes.haveTokens())
        setNotesProblem("Who holds a lock is not noted, though \"annotate\" is on: " + said
                        + " Notes need the keys lockboard:* besides those of the locks.");
    co_return answer;
}

void Provider::setNotesProblem(const std::string& sentence)
{
    m_notes.setForbidden(!sentence.empty());
    if (m_notesProblem == sentence)
        return;
    m_notesProblem = sentence;
    if (!sentence.empty())
        warn(sentence);
    tellViews([](View& view) { view.onWarningsChanged(); });
}

Duration Provider::retryDelay(int attempt) const
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

template <typename Tell> void Provider::tellViews(Tell tell)
{
    if (m_views.empty())
        return;
    std::erase_if(m_views, [](const auto& view) { return !view; });
    for (const auto& view : m_views)
        tell(*view);
}

void Provider::noteHeld(const LockKeys& keys, const Owner& owner, std::optional<TimePoint> leaseEnd)
{
    noteMine(keys, owner);
    if (m_notes.areKept()) {
        noteChanged({keys.begin(), keys.end()}); // they read the notes too
        return;
    }
    tellViews([&](View& view) {
        for (const std::string& key : keys)
            view.noteHeld(key, owner.value_or(nobody), leaseEnd);
    });
}

void Provider::noteChanged(const std::vector<std::string>& keys)
{
    tellViews([&](View& view) { view.noteChanged(keys); });
}

void Provider::noteGone(const std::string& key, const Owner& owner)
{
    tellViews([&](View& view) { view.noteGone(key); });
    m_mine.erase(key);
    wakeFairly(key);
    noteLost(owner, key);
}

void Provider::onReplaced(const std::string& how)
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

void Provider::setReplacement(const std::string& sentence)
{
    m_replacement = sentence;
    tellViews([](View& view) { view.onWarningsChanged(); });
}

std::vector<std::string> Provider::warnings() const
{
    std::vector<std::string> list = m_warnings;
    if (!m_replacement.empty())
        list.push_back(m_replacement);
    if (!m_notesProblem.empty())
        list.push_back(m_notesProblem);
    return list;
}

LiveViewPtr Provider::liveView()
{
    std::erase_if(m_views, [](const auto& view) { return !view; });
    auto view = std::make_unique<View>(*this);
    m_views.emplace_back(view.get());
    return LiveViewPtr(view.release());
}

ProviderFeatures Provider::features() const
{
    ProviderFeatures features;
    features.shared = true;
    features.fencingTokens = m_notes.haveTokens();
    return features;
}

} // namespace lockboard::redis
