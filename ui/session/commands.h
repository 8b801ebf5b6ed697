// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/seen_session.h"
#include "engine/module/locking_module.h"

#include <QTimer>

namespace lockboard {

class ActivityLog;
class ReleaseTally;
class SeenLocks;

//! What the window does to locks, each at the provider that it was asked for. Every command returns
//! at once, is told in the activity list, and goes on by itself; those that can take long report
//! progress and can be cancelled. GUI thread.
class Commands final : public QObject {
    Q_OBJECT

public:
    //! Called with an empty string when it was done, else with what went wrong.
    using Done = std::function<void(const QString& problem)>;

    Commands(LockingModule& module, ActivityLog& log, QObject* parent = nullptr);
    ~Commands() override;

    //! What it returns stops a call that waits.
    std::stop_source acquire(const LockKeys& keys, const AcquireOptions& options, const Done& done);
    //! Releases of each the grant that was seen, so that one that changed hands or was taken anew
    //! is left alone; of one that was over, only what is left of it is removed. `subject` is what
    //! the activity list calls them.
    void release(const QString& subject, const SeenLocks& locks);
    //! If it still does what these rows of it say.
    void endSession(const std::string& provider, const SeenSession& session);
    void cancelAll();

Q_SIGNALS:
    //! While something runs that takes long; `total` is an expectation.
    void progressed(quint64 done, quint64 total);
    void runningChanged(bool running);

private:
    struct Run; // one command on its way

    Task<> runAcquire(std::shared_ptr<Run> run, LockKeys keys, AcquireOptions options, Done done);
    Task<bool> releasePart(LockKeys keys, ReleaseOptions options, ReleaseTally* tally);
    Task<> runRelease(QString subject, std::shared_ptr<const SeenLocks> seen);
    Task<> runEndSession(std::string provider, SeenSession session);
    std::shared_ptr<Run> start(std::uint64_t total);
    void end(const std::shared_ptr<Run>& run);
    void report();

    LockingModule& m_module;
    ActivityLog& m_log;
    std::vector<std::shared_ptr<Run>> m_runs;
    QTimer m_reporting;
};

} // namespace lockboard
