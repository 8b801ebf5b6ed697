// SPDX-License-Identifier: MIT
#include "app/lockboardctl/duration.h"
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/interrupt.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/verbs.h"
#include "engine/module/default_owner.h"

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static void print(const std::string& provider, const Lock& lock, bool extended, bool json,
                  TimePoint now)
{
    if (json) {
        QJsonObject object = lockObject(provider, Listed(lock), now);
        object.insert(u"extended"_s, extended);
        writeLine(object);
        return;
    }
    const std::string ends = lock.leaseEnd
        ? "expires in " + formatDuration(std::chrono::ceil<Duration>(*lock.leaseEnd - now))
        : "never expires";
    writeLine((extended ? "Extended \"" : "Acquired \"") + printable(lock.key) + "\" "
              + (lock.owner ? "for \"" + printable(*lock.owner) + '"' : "without owner") + ": "
              + ends + '.');
}

//! Says what is held now. \throws OutputError, OutputClosed, Cancelled if a signal came before
static void tell(const Session& session, const std::vector<Lock>& locks,
                 const std::vector<KeyGrant>& grants, bool json)
{
    if (Interrupt::hasCome())
        throw Cancelled();
    for (std::size_t i = 0; i < locks.size(); ++i)
        print(session.provider().id, locks[i], grants[i].extended, json, session.now());
    flushOutput();
}

//! What this call has taken is given back, as far as it is still that; what it has extended was
//! held before, and stays so.
static Task<void> giveBack(Session& session, std::vector<Lock> locks, std::vector<KeyGrant> grants)
{
    std::vector<std::string> keys;
    std::vector<SeenLock> taken;
    for (std::size_t i = 0; i < locks.size(); ++i) {
        if (grants[i].extended) {
            complain("\"" + printable(locks[i].key)
                     + "\" was held before; its lease is the new one, and it stays held.");
            continue;
        }
        keys.push_back(locks[i].key);
        SeenLock seen(locks[i]);
        seen.token.reset(); // the name tells it, and where there is none, the end of the lease
        taken.push_back(std::move(seen));
    }
    if (keys.empty())
        co_return;
    ReleaseOptions options;
    options.ownedBy(locks.front().owner).expecting(std::move(taken)).at(session.provider().id);
    const LockKeys given(std::move(keys));
    std::string problem;
    try {
        const ReleaseResult result = co_await session.module().release(given, std::move(options));
        for (const KeyRelease& left : result.left()) {
            if (left.outcome == ReleaseOutcome::Unknown)
                problem = "the connection was lost before the answer";
        }
    } catch (const LockError& error) {
        problem = sentenceOf(error);
    }
    complain(problem.empty()
                 ? "What was taken is given back."
                 : "What was taken may still be held: giving it back failed: " + problem);
}

//! The locks that a grant stands for, as a list would show them.
static std::vector<Lock> locksOf(const std::vector<KeyGrant>& grants, const Owner& owner,
                                 std::optional<FencingToken> token)
{
    std::vector<Lock> locks;
    for (const KeyGrant& one : grants)
        locks.emplace_back(one.key, owner, one.leaseEnd).token = token;
    return locks;
}

//! For what a wait that has ended may still have left held.
static constexpr Duration patience = std::chrono::seconds(1);

//! Acquires. A wait that ends in vain leaves nothing held, and what is on its way still is given
//! back: as long as this program runs, so it stays until it knows.
//! \throws as LockingModule::acquire, and OutcomeUnknown in the place of TimedOut and Cancelled
static Task<Grant> acquire(Session& session, LockKeys keys, AcquireOptions options)
{
    const bool waits = options.waits();
    std::exception_ptr ended;
    try {
        co_return co_await session.module().acquire(keys, std::move(options));
    } catch (const LockError& error) {
        const bool isOver =
            error.code() == ErrorCode::TimedOut || error.code() == ErrorCode::Cancelled;
        if (!waits || !isOver)
            throw;
        ended = std::current_exception();
    }
    bool isNothingLeft = false;
    try {
        isNothingLeft = co_await session.module().givenBack(patience, session.provider().id);
    } catch (const LockError&) {
        // A provider that can't tell has not given anything back.
    }
    if (!isNothingLeft) {
        throw OutcomeUnknown("the wait is over, but the provider does not answer, and what it was "
                             "asked before it may grant yet");
    }
    std::rethrow_exception(ended);
}

Task<int> runAcquire(Session& session, Arguments arguments)
{
    Owner owner = arguments.owner;
    if (!owner && !arguments.noOwner)
        owner = uniqueOwner();
    AcquireOptions options;
    options.ownedBy(owner)
        .expiringIn(arguments.expire)
        .exclusively(!arguments.claim)
        .stoppedBy(session.stop())
        .at(session.provider().id);
    if (arguments.wait)
        options.waiting(arguments.wait);
    if (arguments.noExtend)
        options.withoutReentry();
    const LockKeys keys(arguments.keys);
    const Grant grant = co_await acquire(session, keys, std::move(options));
    const std::vector<KeyGrant> grants = grant.outcomes(keys);
    const std::vector<Lock> locks = locksOf(grants, owner, grant.token());
    const bool isOver = grant.isOver(session.now());
    std::exception_ptr untold;
    try {
        if (!isOver)
            tell(session, locks, grants, arguments.json);
    } catch (const OutputClosed&) {
        untold = std::make_exception_ptr(OutputError(EPIPE)); // nobody has read what is held
    } catch (...) {
        untold = std::current_exception();
    }
    if (untold || isOver)
        co_await giveBack(session, locks, grants);
    if (untold)
        std::rethrow_exception(untold);
    if (isOver) {
        complain("The answer came when the lease was over: nothing is held for sure.");
        co_return TryAgain;
    }
    if (!session.provider().features.shared)
        complain("Note: the locks of \"" + printable(session.provider().id)
                 + "\" end with this command.");
    co_return Done;
}

} // namespace lockboard::ctl
