// SPDX-License-Identifier: MIT
#include "ui/session/live_source.h"

#include "ui/locks/lock_feed.h"

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
        problem = QString::fromStdString(error.message());
    }
    if (!self)
        co_return;
    if (view)
        watch(std::move(view));
    else
        setState(SourceState(SourceState::Failed, problem));
}

void LiveSource::watch(LiveViewPtr view)
{
    m_view = std::move(view);
    const LiveView* from = m_view.get();
    connect(from, &LiveView::snapshotStarted, this, [this] { m_feed.beginSnapshot(); });
    connect(from, &LiveView::snapshotBatch, this,
            [this](const LockBatch& locks) { m_feed.addBatch(locks); });
    connect(from, &LiveView::snapshotCompleted, this, [this] { m_feed.endSnapshot(); });
    connect(from, &LiveView::changed, this,
            [this](const ChangeBatch& changes) { m_feed.addChanges(changes); });
    connect(from, &LiveView::stateChanged, this, &LiveSource::setState);
    m_view->start();
}

void LiveSource::refresh()
{
    if (m_view)
        m_view->refresh();
}

void LiveSource::setState(const SourceState& state)
{
    m_state = state;
    Q_EMIT stateChanged(state);
}

} // namespace lockboard
