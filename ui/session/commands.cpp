// SPDX-License-Identifier: MIT
#include "ui/session/commands.h"

#include "ui/activity/activity_log.h"
#include "ui/locks/formatting.h"
#include "ui/locks/session_text.h"
#include "ui/session/outcome_text.h"

#include <QPointer>

#include <atomic>
#include <map>

namespace lockboard {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
using Outcome = ActivityLog::Outcome;

//! Counted on the engine's thread, read on ours.
struct Commands::Run {
    std::stop_source stop;
    std::atomic<std::uint64_t> done = 0;
    std::uint64_t total = 0;
};

Commands::Commands(LockingModule& module, ActivityLog& log, QObject* parent)
    : QObject(parent)
    , m_module(module)
    , m_log(log)
{
    m_reporting.setInterval(100ms);
    connect(&m_reporting, &QTimer::timeout, this, &Commands::report);
}

Commands::~Commands()
{
    for (const auto& run : m_runs)
        run->stop.request_stop();
}

std::shared_ptr<Commands::Run> Commands::start(std::uint64_t total)
{
    auto run = std::make_shared<Run>();
    run->total = total;
    m_runs.push_back(run);
    m_reporting.start();
    if (m_runs.size() == 1)
        Q_EMIT runningChanged(true);
    return run;
}

void Commands::end(const std::shared_ptr<Run>& run)
{
    std::erase(m_runs, run);
    if (!m_runs.empty())
        return;
    m_reporting.stop();
    Q_EMIT runningChanged(false);
}

void Commands::report()
{
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    for (const auto& run : m_runs) {
        done += run->done;
        total += run->total;
    }
    Q_EMIT progressed(done, total);
}

void Commands::cancelAll()
{
    for (const auto& run : m_runs)
        run->stop.request_stop();
}

static QString subjectOf(const std::string& first, std::size_t count)
{
    return count == 1 ? shownText(first) : countText(count, u"lock"_s);
}

std::stop_source Commands::acquire(const LockKeys& keys, const AcquireOptions& options,
                                   const Done& done)
{
    const auto run = start(0);
    letRun(runAcquire(run, keys, options, done));
    return run->stop;
}

Task<> Commands::runAcquire(std::shared_ptr<Run> run, LockKeys keys, AcquireOptions options,
                            Done done)
{
    const QPointer<Commands> self(this);
    const QString subject =
        keys.isEmpty() ? u"–"_s : subjectOf(keys.front(), std::size_t(keys.size()));
    const quint64 entry = m_log.begin(tr("Acquire"), subject);
    options.at(m_provider).stoppedBy(run->stop.get_token());
    QString problem;
    QString outcome;
    try {
        const Grant grant = co_await m_module.acquire(std::move(keys), std::move(options));
        outcome = grantText(grant, std::chrono::steady_clock::now());
    } catch (const LockError& error) {
        problem = problemText(error);
    } catch (...) {
        problem = printableText(messageOf(std::current_exception()));
    }
    if (!self)
        co_return;
    end(run);
    m_log.finish(entry, problem.isEmpty() ? Outcome::Done : Outcome::Failed,
                 problem.isEmpty() ? outcome : problem);
    done(problem);
}

void Commands::release(std::vector<Lock> locks)
{
    if (!locks.empty())
        letRun(runRelease(std::move(locks)));
}

Task<> Commands::runRelease(std::vector<Lock> locks)
{
    const QPointer<Commands> self(this);
    const quint64 entry = m_log.begin(tr("Release"), subjectOf(locks.front().key, locks.size()));
    const auto run = start(locks.size());
    const std::string provider = m_provider;
    // By owner, and whether it was over.
    std::map<std::pair<Owner, bool>, std::vector<std::string>> groups;
    for (Lock& lock : locks) {
        const bool over = lock.state == LockState::Residue;
        groups[{std::move(lock.owner), over}].push_back(std::move(lock.key));
    }

    constexpr std::size_t most = 1000; // a call's worth: short enough to cancel in between
    ReleaseTally tally;
    bool cancelled = false;
    for (auto& [which, keys] : groups) {
        for (std::size_t from = 0; from < keys.size() && !cancelled; from += most) {
            const std::size_t to = std::min(keys.size(), from + most);
            LockKeys part(std::vector<std::string>(keys.begin() + std::ptrdiff_t(from),
                                                   keys.begin() + std::ptrdiff_t(to)));
            ReleaseOptions options;
            options.ownedBy(which.first).at(provider).onlyIfOver(which.second);
            try {
                const ReleaseResult result =
                    co_await m_module.release(std::move(part), std::move(options));
                tally.add(result, to - from);
            } catch (const LockError& error) {
                tally.addProblem(error, to - from);
            } catch (...) {
                tally.addProblem(OutcomeUnknown(messageOf(std::current_exception())), to - from);
            }
            if (!self)
                co_return;
            run->done = run->done + (to - from);
            cancelled = run->stop.stop_requested();
        }
    }
    end(run);
    const bool cutShort = run->done < run->total;
    Outcome kind = Outcome::Done;
    if (cutShort || !tally.isClean())
        kind = tally.released() == 0 ? Outcome::Failed : Outcome::Partly;
    m_log.finish(entry, kind, tally.text(cutShort));
}

void Commands::releaseAll(const Owner& owner, std::uint64_t expected)
{
    letRun(runReleaseAll(owner, expected));
}

Task<> Commands::runReleaseAll(Owner owner, std::uint64_t expected)
{
    const QPointer<Commands> self(this);
    const QString subject = owner ? tr("all of %1").arg(ownerText(owner)) : tr("every lock");
    const quint64 entry = m_log.begin(tr("Release all"), subject);
    const auto run = start(expected);
    ReleaseAllOptions options;
    options.ownedBy(owner).at(m_provider).stoppedBy(run->stop.get_token());
    const auto progress = [run](std::uint64_t, std::uint64_t seen) { run->done = seen; };
    options.reportingTo(progress);
    QString outcome;
    Outcome kind = Outcome::Done;
    try {
        const ReleaseAllResult result = co_await m_module.releaseAll(std::move(options));
        outcome = releaseAllText(result);
        if (result.cancelled || result.left() > 0)
            kind = result.released == 0 ? Outcome::Failed : Outcome::Partly;
    } catch (const LockError& error) {
        outcome = problemText(error);
        kind = Outcome::Failed;
    } catch (...) {
        outcome = printableText(messageOf(std::current_exception()));
        kind = Outcome::Failed;
    }
    if (!self)
        co_return;
    end(run);
    m_log.finish(entry, kind, outcome);
}

void Commands::endSession(const ListedSession& session)
{
    letRun(runEndSession(session));
}

Task<> Commands::runEndSession(ListedSession session)
{
    const QPointer<Commands> self(this);
    const quint64 entry = m_log.begin(tr("End session"), sessionName(session.note()));
    std::vector<std::string> words = session.arguments(false, std::chrono::steady_clock::now());
    QString outcome;
    Outcome kind = Outcome::Done;
    try {
        const std::string done =
            co_await m_module.administer("end-session", std::move(words), m_provider);
        outcome = printableText(done);
    } catch (const LockError& error) {
        outcome = problemText(error);
        kind = Outcome::Failed;
    } catch (...) {
        outcome = printableText(messageOf(std::current_exception()));
        kind = Outcome::Failed;
    }
    if (self)
        m_log.finish(entry, kind, outcome);
}

} // namespace lockboard
