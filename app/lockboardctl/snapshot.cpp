// SPDX-License-Identifier: MIT
#include "app/lockboardctl/snapshot.h"

#include "app/lockboardctl/output.h"

namespace lockboard::ctl {

using namespace std::chrono_literals;

//! A source that says nothing for so long won't say anything: more than it takes to connect, so
//! that a source can say itself what is wrong.
static constexpr auto patience = 12s;

LockQuery::LockQuery(const Arguments& arguments)
    : m_owner(arguments.owner)
    , m_filter(QString::fromStdString(printable(arguments.filter)))
    , m_noOwner(arguments.noOwner)
{
}

bool LockQuery::matches(const Lock& lock) const
{
    const bool releasable = lock.state == LockState::Held || lock.state == LockState::Residue;
    if (!releasable && (m_onlyHeld || m_noOwner))
        return false;
    if ((m_owner && lock.owner != m_owner) || (m_noOwner && lock.owner))
        return false;
    if (m_filter.isEmpty())
        return true;
    const auto contains = [this](const std::string& bytes) {
        return QString::fromStdString(printable(bytes)).contains(m_filter, Qt::CaseInsensitive);
    };
    return contains(lock.key) || (lock.owner && contains(*lock.owner));
}

namespace {

//! What a view says, until it has said enough.
struct Reader {
    explicit Reader(Resumer& resumer)
        : news(resumer)
    {
    }

    Signal news;
    std::function<bool(const LockBatch&)> consume;
    SourceState state;
    std::exception_ptr error;
    bool begun = false; // something was consumed
    bool done = false;

    void end(std::exception_ptr with = {})
    {
        done = true;
        error = std::move(with);
        news.raise();
    }

    void onStarted()
    {
        if (begun && !done) {
            end(std::make_exception_ptr(Unavailable(
                "The connection was lost while listing; what is shown is not complete.")));
        }
    }

    void onBatch(const LockBatch& locks)
    {
        if (done)
            return;
        begun = true;
        try {
            if (!consume(locks))
                end();
        } catch (...) {
            end(std::current_exception());
        }
        news.raise();
    }

    void onState(const SourceState& now)
    {
        state = now;
        if (!done && now.kind == SourceState::Failed)
            end();
    }
};

} // namespace

Task<void> readSnapshot(Session& session, std::function<bool(const LockBatch&)> consume)
{
    const LiveViewPtr view = co_await session.module().liveView(session.provider().id);
    Reader reader(session.resumer());
    reader.consume = std::move(consume);
    QObject context;
    QObject::connect(view.get(), &LiveView::snapshotStarted, &context,
                     [&reader] { reader.onStarted(); });
    QObject::connect(view.get(), &LiveView::snapshotBatch, &context,
                     [&reader](const LockBatch& locks) { reader.onBatch(locks); });
    QObject::connect(view.get(), &LiveView::snapshotCompleted, &context, [&reader] {
        if (!reader.done)
            reader.end();
    });
    QObject::connect(view.get(), &LiveView::stateChanged, &context,
                     [&reader](const SourceState& state) { reader.onState(state); });
    view->start();
    while (!reader.done) {
        const WakeReason reason =
            co_await reader.news.wait(session.now() + patience, session.stop());
        reader.news.reset();
        if (reason == WakeReason::Cancelled)
            throw Cancelled();
        if (reason == WakeReason::TimedOut) {
            throw Unavailable(reader.state.why.isEmpty() ? "The provider gives no answer."
                                                         : reader.state.why.toStdString());
        }
    }
    for (const QString& warning : reader.state.warnings)
        complainOnce(warning.toStdString());
    if (reader.state.kind == SourceState::Live && !reader.state.why.isEmpty())
        complainOnce(reader.state.why.toStdString());
    if (reader.error)
        std::rethrow_exception(reader.error);
    if (reader.state.kind != SourceState::Failed)
        co_return;
    if (reader.state.denied)
        throw Denied(reader.state.why.toStdString());
    throw Unavailable(reader.state.why.toStdString());
}

} // namespace lockboard::ctl
