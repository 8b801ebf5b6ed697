// SPDX-License-Identifier: MIT
#include "ui/session/live_source.h"

#include "engine/async/mailbox.h"
#include "ui/locks/lock_feed.h"
#include "ui/text/plain_text.h"

#include <QPointer>

namespace lockboard {

LiveSource::LiveSource(LockingModule& module, std::string provider, LockFeed& feed, QObject* parent)
    : QObject(parent)
    , m_module(module)
    , m_provider(std::move(provider))
    , m_feed(feed)
{
}

void LiveSource::open()
{
    letRun(run());
}

Task<> LiveSource::run()
{
    const QPointer<LiveSource> self(this);
    LiveViewPtr view;
    QString problem;
    try {
        view = co_await m_module.liveView(m_provider);
    } catch (const LockError& error) {
        problem = sentenceText(error.message());
    } catch (...) {
        problem = sentenceText(messageOf(std::current_exception()));
    }
    if (!self)
        co_return;
    if (view)
        watch(std::move(view));
    else
        setState(SourceState(SourceState::Failed, problem));
}

namespace {

//! Brings to our thread what is said on the engine's, if whoever listens is there still.
class Relay final {
public:
    explicit Relay(LiveSource* listener)
        : m_listener(listener)
        , m_home(Mailbox::ofThisThread())
    {
    }
    //! Something to connect to on the engine's thread.
    template <typename... Said> auto to(void (LiveSource::*hear)(const Said&...)) const
    {
        return [listener = m_listener, home = m_home, hear](const Said&... said) {
            (void)home->post([listener, hear, said...] {
                if (listener)
                    (listener->*hear)(said...);
            });
        };
    }

private:
    QPointer<LiveSource> m_listener;
    std::shared_ptr<Mailbox> m_home;
};

} // namespace

void LiveSource::watch(LiveViewPtr view)
{
    m_view = std::move(view);
    const LiveView* from = m_view.get();
    const Relay relay(this);
    connect(from, &LiveView::snapshotStarted, relay.to(&LiveSource::hearStart));
    connect(from, &LiveView::snapshotBatch, relay.to(&LiveSource::hearBatch));
    connect(from, &LiveView::snapshotCompleted, relay.to(&LiveSource::hearEnd));
    connect(from, &LiveView::changed, relay.to(&LiveSource::hearChanges));
    connect(from, &LiveView::stateChanged, relay.to(&LiveSource::setState));
    m_view->start();
}

void LiveSource::hearStart()
{
    m_feed.beginSnapshot();
}

void LiveSource::hearBatch(const LockBatch& locks)
{
    m_feed.addBatch(locks);
}

void LiveSource::hearEnd()
{
    m_feed.endSnapshot();
}

void LiveSource::hearChanges(const ChangeBatch& changes)
{
    m_feed.addChanges(changes);
}

void LiveSource::refresh()
{
    if (m_view)
        m_view->refresh();
}

void LiveSource::setState(const SourceState& state)
{
    // What it says repeats what a server said.
    m_state = state;
    m_state.why = sentenceText(state.why);
    m_state.mode = sentenceText(state.mode);
    for (QString& warning : m_state.warnings)
        warning = sentenceText(warning);
    Q_EMIT stateChanged(m_state);
}

} // namespace lockboard
