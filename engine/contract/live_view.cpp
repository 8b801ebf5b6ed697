// SPDX-License-Identifier: MIT
#include "engine/contract/live_view.h"

#include "engine/contract/provider_fault.h"

#include <QThread>
#include <QTimer>

namespace lockboard {

using namespace std::chrono_literals;

// Two frames of a screen: nobody sees the difference, and batches stay worth their while.
static constexpr auto flushDelay = 33ms;

static bool isGone(ChangeKind kind)
{
    return kind == ChangeKind::Released || kind == ChangeKind::Expired;
}

void LiveView::start()
{
    QMetaObject::invokeMethod(
        this, [this] { run(&LiveView::doStart); }, Qt::QueuedConnection);
}

void LiveView::refresh()
{
    QMetaObject::invokeMethod(
        this, [this] { run(&LiveView::doRefresh); }, Qt::QueuedConnection);
}

void LiveView::run(void (LiveView::*what)())
{
    try {
        (this->*what)();
    } catch (...) {
        const auto error =
            faultOf(m_provider, "its live view", CallKind::Reading, std::current_exception());
        setState(SourceState(SourceState::Failed, QString::fromStdString(messageOf(error))));
    }
}

void LiveView::setState(SourceState state)
{
    if (m_stateSaid && state == m_state)
        return;
    m_state = std::move(state);
    m_stateSaid = true;
    Q_EMIT stateChanged(m_state);
}

void LiveView::note(ChangeKind kind, Lock lock)
{
    const auto [it, isNew] = m_pending.try_emplace(lock.identity());
    LockChange& pending = it->second;
    if (!isNew) {
        if (isGone(kind) && pending.kind == ChangeKind::Acquired) {
            m_pending.erase(it); // it came and went unseen
            return;
        }
        if (isGone(pending.kind) && kind == ChangeKind::Acquired) {
            kind =
                lock.owner == pending.lock.owner ? ChangeKind::Extended : ChangeKind::OwnerChanged;
        } else if (!isGone(kind) && pending.kind != ChangeKind::Extended) {
            kind = pending.kind; // still new, or still another owner's, to whoever watches
        }
    }
    pending = LockChange(kind, std::move(lock));
    if (!m_flushPosted) {
        m_flushPosted = true;
        QTimer::singleShot(flushDelay, this, &LiveView::flush);
    }
}

void LiveView::flush()
{
    m_flushPosted = false;
    if (m_pending.empty())
        return;
    ChangeBatch batch;
    batch.reserve(static_cast<qsizetype>(m_pending.size()));
    for (auto& [key, change] : m_pending)
        batch.push_back(std::move(change));
    m_pending.clear();
    Q_EMIT changed(batch);
}

void LiveViewDeleter::operator()(LiveView* view) const
{
    view->disconnect();
    const QThread* const home = view->thread();
    if (home && !home->isFinished())
        view->deleteLater();
    else
        delete view; // nobody is left there to do it
}

} // namespace lockboard
