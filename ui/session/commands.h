// SPDX-License-Identifier: MIT
#pragma once

#include "engine/locking_module.h"
#include "engine/postgres/listed_session.h"

#include <QTimer>

namespace lockboard {

class ActivityLog;

//! What the window does to locks. Every command returns at once, is told in the activity list, and
//! goes on by itself; those that can take long report progress and can be cancelled. GUI thread.
class Commands final : public QObject {
    Q_OBJECT

public:
    //! Called with an empty string when it was done, else with what went wrong.
    using Done = std::function<void(const QString& problem)>;

    Commands(LockingModule& module, ActivityLog& log, QObject* parent = nullptr);
    ~Commands() override;

    void setProvider(const std::string& provider) { m_provider = provider; }

    //! What it returns stops a call that waits.
    std::stop_source acquire(const LockKeys& keys, const AcquireOptions& options, const Done& done);
    //! Releases each as the owner it was seen with, so that one that changed hands is left alone;
    //! of one that was over, only what is left of it is removed.
    void release(std::vector<Lock> locks);
    //! All of one owner's locks, or all of the provider's. `expected` is how many that may be.
    void releaseAll(const Owner& owner, std::uint64_t expected);
    //! If it still does what these rows of it say.
    void endSession(const ListedSession& session);
    void cancelAll();

Q_SIGNALS:
    //! While something runs that takes long; `total` is an expectation.
    void progressed(quint64 done, quint64 total);
    void runningChanged(bool running);

private:
    struct Run; // one command on its way

    Task<> runAcquire(std::shared_ptr<Run> run, LockKeys keys, AcquireOptions options, Done done);
    Task<> runRelease(std::vector<Lock> locks);
    Task<> runEndSession(ListedSession session);
    Task<> runReleaseAll(Owner owner, std::uint64_t expected);
    std::shared_ptr<Run> start(std::uint64_t total);
    void end(const std::shared_ptr<Run>& run);
    void report();

    LockingModule& m_module;
    ActivityLog& m_log;
    std::string m_provider;
    std::vector<std::shared_ptr<Run>> m_runs;
    QTimer m_reporting;
};

} // namespace lockboard
