// SPDX-License-Identifier: MIT
#include "app/lockboardctl/release_shown.h"

#include "app/lockboardctl/output.h"

#include <unordered_set>

namespace lockboard::ctl {

//! A page is one round trip, and one entry of the audit log.
static constexpr std::size_t pageSize = 1000;

void showProgress(std::uint64_t released, std::uint64_t seen)
{
    if (errorsGoToTerminal()) {
        std::fprintf(stderr, "\rReleased %llu of %llu seen", qulonglong(released),
                     qulonglong(seen));
    }
}

void endProgress()
{
    if (errorsGoToTerminal())
        std::fputs("\r\033[K", stderr); // it gives way to the result
}

void ShownLocks::add(const Lock& lock)
{
    (lock.state == LockState::Residue ? m_residue : m_held).emplace_back(lock);
}

Task<void> ShownLocks::releasePage(Session& session, Page page, bool onlyIfOver,
                                   ReleaseAllResult* result) const
{
    std::vector<std::string> names;
    for (const SeenLock& seen : page)
        names.push_back(seen.key);
    const LockKeys keys(std::move(names));
    ReleaseOptions options;
    options.at(session.provider().id).onlyIfOver(onlyIfOver);
    options.expecting(std::move(page));
    const ReleaseResult released = co_await session.module().release(keys, std::move(options));
    for (const KeyRelease& key : released.outcomes(keys)) {
        switch (key.outcome) {
        case ReleaseOutcome::Released:
            ++result->released;
            break;
        case ReleaseOutcome::NotHeld: // it has gone by itself
            result->cleared += key.cleared ? 1 : 0;
            break;
        case ReleaseOutcome::HeldByOther:
        case ReleaseOutcome::Changed:
            result->leave("taken anew since it was shown");
            break;
        case ReleaseOutcome::Unknown:
            result->leave("the connection was lost before the answer, so the outcome is unknown");
            break;
        }
    }
}

Task<void> ShownLocks::releaseAll(Session& session, const std::vector<SeenLock>* locks,
                                  bool onlyIfOver, ReleaseAllResult* result,
                                  std::uint64_t* done) const
{
    for (std::size_t i = 0; i < locks->size() && !result->interruption; i += pageSize) {
        if (session.stop().stop_requested()) {
            result->cancelled = true;
            co_return;
        }
        const std::size_t size = std::min(pageSize, locks->size() - i);
        const auto first = locks->begin() + std::ptrdiff_t(i);
        Page page(first, first + std::ptrdiff_t(size));
        try {
            co_await releasePage(session, std::move(page), onlyIfOver, result);
            *done += size;
        } catch (const LockError&) {
            result->interruption = std::current_exception();
        }
        showProgress(result->released, *done);
    }
}

//! Those that match now and were not shown.
Task<std::uint64_t> ShownLocks::countNew(Session& session, LockQuery query) const
{
    std::unordered_set<std::string_view> shown;
    shown.reserve(count());
    for (const std::vector<SeenLock>* locks : {&m_held, &m_residue}) {
        for (const SeenLock& lock : *locks)
            shown.insert(lock.key);
    }
    std::uint64_t fresh = 0;
    std::function<bool(const LockBatch&)> consume = [&](const LockBatch& batch) {
        for (const Lock& lock : batch)
            fresh += query.matches(lock) && !shown.contains(lock.key) ? 1 : 0;
        return true;
    };
    co_await readSnapshot(session, std::move(consume));
    co_return fresh;
}

Task<ReleaseAllResult> ShownLocks::release(Session& session, LockQuery query) const
{
    ReleaseAllResult result;
    std::uint64_t done = 0;
    co_await releaseAll(session, &m_held, false, &result, &done);
    if (!result.cancelled && !result.interruption)
        co_await releaseAll(session, &m_residue, true, &result, &done);
    endProgress();
    if (done < count())
        result.leave("it did not come to them, or does not know what came of them", count() - done);
    if (result.cancelled || result.interruption)
        co_return result;
    try {
        const std::uint64_t fresh = co_await countNew(session, std::move(query));
        if (fresh > 0)
            result.leave("new since the locks were shown", fresh);
    } catch (const LockError& error) {
        complain("What was shown is dealt with; how many are new can't be told: "
                 + error.message());
    }
    co_return result;
}

} // namespace lockboard::ctl
