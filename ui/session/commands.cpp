// SPDX-License-Identifier: MIT
#include "ui/session/commands.h"

#include "ui/activity/activity_log.h"
#include "ui/locks/formatting.h"
#include "ui/locks/seen_locks.h"
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
    options.stoppedBy(run->stop.get_token());
    QString problem;
    QString outcome;
    try {
        const Grant grant = co_await m_module.acquire(keys, std::move(options));
        outcome = grantText(grant, keys, std::chrono::steady_clock::now());
    } catch (const LockError& error) {
        problem = problemText(error);
    } catch (...) {
        problem = sentenceText(messageOf(std::current_exception()));
    }
    if (!self)
        co_return;
    end(run);
    m_log.finish(entry, problem.isEmpty() ? Outcome::Done : Outcome::Failed,
                 problem.isEmpty() ? outcome : problem);
    done(problem);
}

void Commands::release(const QString& subject, const SeenLocks& locks)
{
    if (!locks.isEmpty())
        letRun(runRelease(subject, std::make_shared<const SeenLocks>(locks)));
}

namespace {

//! One call's worth of a page.
class Part final {
public:
    void add(Lock lock)
    {
        m_isMixed = m_isMixed || (!m_keys.empty() && lock.owner != m_owner);
        m_owner = lock.owner;
        m_seen.emplace_back(lock);
        m_keys.push_back(std::move(lock.key));
    }
    [[nodiscard]] std::size_t size() const { return m_keys.size(); }
    LockKeys takeKeys() { return LockKeys(std::move(m_keys)); }
    //! `isOver`: only what is left of them is removed.
    ReleaseOptions takeOptions(const std::string& provider, bool isOver)
    {
        ReleaseOptions options;
        options.at(provider).onlyIfOver(isOver);
        if (!isOver)
            options.expecting(std::move(m_seen));
        if (!m_isMixed) // also for a provider that compares nothing else
            options.ownedBy(m_owner);
        return options;
    }

private:
    std::vector<SeenLock> m_seen;
    std::vector<std::string> m_keys;
    Owner m_owner;
    bool m_isMixed = false;
};

//! Those that are held, and by owner those that are over.
class Parts final {
public:
    explicit Parts(std::vector<Lock> locks)
    {
        for (Lock& lock : locks) {
            const bool isOver = lock.state == LockState::Residue;
            (isOver ? over[lock.owner] : held).add(std::move(lock));
        }
    }
    Part held;
    std::map<Owner, Part> over;
};

} // namespace

//! One call; gives whether others may follow.
Task<bool> Commands::releasePart(LockKeys keys, ReleaseOptions options, ReleaseTally* tally)
{
    const std::size_t count = keys.size();
    try {
        const ReleaseResult result = co_await m_module.release(std::move(keys), std::move(options));
        tally->add(result, count);
    } catch (const LockError& error) {
        // What ended this call would end the next ones too.
        tally->addProblem(error, count);
        co_return false;
    } catch (...) {
        tally->addProblem(OutcomeUnknown(messageOf(std::current_exception())), count);
        co_return false;
    }
    co_return true;
}

Task<> Commands::runRelease(QString subject, std::shared_ptr<const SeenLocks> seen)
{
    const QPointer<Commands> self(this);
    const quint64 entry = m_log.begin(tr("Release"), subject);
    const auto run = start(seen->count());
    const auto tally = std::make_shared<ReleaseTally>();
    bool goesOn = true;
    bool isLast = false;
    for (std::size_t position = 0; goesOn && !isLast && !run->stop.stop_requested();) {
        SeenLocks::Page page = seen->page(&position);
        isLast = page.isLast;
        tally->addGone(page);
        run->done = run->done + page.gone;
        std::vector<std::pair<Part, bool>> calls;
        Parts parts(std::move(page.locks));
        if (parts.held.size() > 0)
            calls.emplace_back(std::move(parts.held), false);
        for (auto& [owner, part] : parts.over)
            calls.emplace_back(std::move(part), true);
        for (auto& [part, isOver] : calls) {
            if (run->stop.stop_requested() || !goesOn)
                break;
            const std::size_t count = part.size();
            ReleaseOptions options = part.takeOptions(seen->provider(), isOver);
            LockKeys keys = part.takeKeys();
            goesOn = co_await releasePart(std::move(keys), std::move(options), tally.get());
            if (!self)
                co_return;
            run->done = run->done + count;
        }
    }
    end(run);
    const std::uint64_t rest = run->total - std::min<std::uint64_t>(run->done, run->total);
    if (goesOn)
        tally->addNewcomers(seen->newcomers());
    Outcome kind = Outcome::Done;
    if (rest > 0 || !tally->isClean())
        kind = tally->released() == 0 ? Outcome::Failed : Outcome::Partly;
    m_log.finish(entry, kind, tally->text(rest, rest > 0 && run->stop.stop_requested()));
}

void Commands::endSession(const std::string& provider, const SeenSession& session)
{
    letRun(runEndSession(provider, session));
}

Task<> Commands::runEndSession(std::string provider, SeenSession session)
{
    const QPointer<Commands> self(this);
    const quint64 entry = m_log.begin(tr("End session"), sessionName(session.note()));
    QString outcome;
    Outcome kind = Outcome::Done;
    try {
        const std::string done = co_await m_module.endSession(
            std::move(session), SessionEnd::Terminate, std::move(provider));
        outcome = printableText(done);
    } catch (const LockError& error) {
        outcome = problemText(error);
        kind = Outcome::Failed;
    } catch (...) {
        outcome = sentenceText(messageOf(std::current_exception()));
        kind = Outcome::Failed;
    }
    if (self)
        m_log.finish(entry, kind, outcome);
}

} // namespace lockboard
