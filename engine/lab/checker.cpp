// SPDX-License-Identifier: MIT
#include "engine/lab/checker.h"

#include <algorithm>
#include <map>

namespace lockboard::lab {

namespace {

//! One call's story, gathered from its events.
struct Story {
    const Call* call = nullptr;
    TimePoint invoked;
    std::optional<TimePoint> stopped, granted, started, told, jobEnded, ended, released;
    std::vector<std::pair<TimePoint, TimePoint>> leases; // known from then: until when
    std::optional<ErrorCode> error;
};

//! Somebody who counts on a key, from `begin` till `end`.
struct Hold {
    int call = -1;
    Owner owner;
    TimePoint begin;
    TimePoint end;
};

class Checking final {
public:
    Checking(const History& history, Tolerance tolerance)
        : m_history(history)
        , m_tolerance(tolerance)
    {
        gather();
    }

    std::vector<Violation> run()
    {
        for (std::size_t i = 0; i < m_stories.size(); ++i)
            checkCall(static_cast<int>(i), m_stories[i]);
        checkExclusion();
        checkLeft();
        return std::move(m_found);
    }

private:
    void gather();
    void checkCall(int number, const Story& story);
    void checkBounds(int number, const Story& story);
    void checkExclusion();
    void checkLeft();
    [[nodiscard]] bool sharesItsOwner(const Story& story, const std::string& key) const;
    [[nodiscard]] bool mayHold(const std::string& key, const Owner& owner) const;
    [[nodiscard]] TimePoint endOfHold(const Story& story) const;
    [[nodiscard]] TimePoint nextAskedBy(const Hold& hold, const std::string& key) const;

    void report(const char* rule, int number, const std::string& what)
    {
        Violation violation;
        violation.rule = rule;
        violation.sentence = "Call " + std::to_string(number) + ' ' + what;
        m_found.push_back(std::move(violation));
    }
    [[nodiscard]] std::string ms(TimePoint at) const
    {
        const auto since = at - m_history.events().front().at;
        return std::to_string(std::chrono::duration_cast<Duration>(since).count()) + " ms";
    }

    const History& m_history;
    Tolerance m_tolerance;
    std::vector<Story> m_stories;
    std::map<std::string, std::vector<TimePoint>> m_removals;
    std::vector<Event> m_left;
    std::vector<Violation> m_found;
};

void Checking::gather()
{
    m_stories.resize(m_history.calls().size());
    for (std::size_t i = 0; i < m_stories.size(); ++i)
        m_stories[i].call = &m_history.calls()[i];
    for (const Event& event : m_history.events()) {
        if (event.kind == EventKind::Removed)
            m_removals[event.key].push_back(event.at);
        if (event.kind == EventKind::FoundHeld)
            m_left.push_back(event);
        if (event.call < 0)
            continue;
        Story& story = m_stories[static_cast<std::size_t>(event.call)];
        if (event.leaseEnd)
            story.leases.emplace_back(event.at, *event.leaseEnd);
        switch (event.kind) {
        case EventKind::Invoked:
            story.invoked = event.at;
            break;
        case EventKind::StopRequested:
            story.stopped = event.at;
            break;
        case EventKind::Granted:
            story.granted = event.at;
            break;
        case EventKind::JobStarted:
            story.started = event.at;
            break;
        case EventKind::Told:
            story.told = event.at;
            break;
        case EventKind::JobEnded:
            story.jobEnded = event.at;
            break;
        case EventKind::Ended:
            story.ended = event.at;
            story.error = event.error;
            break;
        case EventKind::Released:
            story.released = event.at;
            break;
        case EventKind::Renewed:
        case EventKind::Removed:
        case EventKind::FoundHeld:
            break;
        }
    }
}

void Checking::checkCall(int number, const Story& story)
{
    if (!story.ended) {
        report("served", number, "has never ended.");
        return;
    }
    checkBounds(number, story);
    if (!story.started)
        return;
    if (!story.leases.empty() && story.leases.front().second <= *story.started)
        report("start", number,
               "started its job at " + ms(*story.started) + ", when its lease was over.");
    const TimePoint runs =
        std::min(story.jobEnded.value_or(TimePoint::max()), story.told.value_or(TimePoint::max()));
    for (std::size_t i = 0; i < story.leases.size(); ++i) {
        const bool isLast = i + 1 == story.leases.size();
        const TimePoint end = story.leases[i].second + m_tolerance.telling;
        const TimePoint till = isLast ? runs : std::min(runs, story.leases[i + 1].first);
        if (till > end) {
            report("told", number,
                   "ran on untold after its lease had ended at " + ms(story.leases[i].second)
                       + '.');
            break;
        }
    }
    const bool ofLoss = story.told && (!story.stopped || *story.told < *story.stopped)
        && story.jobEnded && *story.told < *story.jobEnded;
    if (ofLoss && !story.error)
        report("lost", number, "was told of a loss and reported its job as done all the same.");
}

void Checking::checkBounds(int number, const Story& story)
{
    const Call& call = *story.call;
    const TimePoint served = story.started ? *story.started : *story.ended;
    if (call.waits && call.timeout && served > story.invoked + *call.timeout + m_tolerance.bound)
        report("bound", number,
               "of " + ms(story.invoked) + " overran its timeout of "
                   + std::to_string(call.timeout->count()) + " ms: " + ms(served) + '.');
    if (call.waits && story.stopped && !story.started && !story.granted
        && *story.ended > *story.stopped + m_tolerance.bound)
        report("bound", number,
               "was to stop at " + ms(*story.stopped) + " and ended at " + ms(*story.ended) + '.');
    // What stopped for its caller hears of a loss from the answer to its release.
    const bool wasStopped = story.stopped && story.told && *story.stopped <= *story.told;
    const bool knewOfLoss =
        story.told && !wasStopped && story.jobEnded && story.error == ErrorCode::Lost;
    if (knewOfLoss && *story.ended > *story.jobEnded + m_tolerance.bound)
        report("bound", number,
               "threw its loss at " + ms(*story.ended) + ", though its job had ended at "
                   + ms(*story.jobEnded) + '.');
}

TimePoint Checking::endOfHold(const Story& story) const
{
    TimePoint end = TimePoint::max();
    if (story.call->kind == Call::Execute) {
        end = std::min(story.told.value_or(end), story.jobEnded.value_or(end));
    } else {
        end = story.released.value_or(end);
        if (!story.leases.empty()) { // clocks run at slightly different rates
            const TimePoint lease = story.leases.back().second;
            const auto length = story.call->lease.value_or(Duration(0));
            end = std::min(end, lease - length / 50 - m_tolerance.telling * 5);
        }
    }
    return end;
}

//! Who asks again for what it holds counts on the later grant from then on: its lease may be
//! shorter.
TimePoint Checking::nextAskedBy(const Hold& hold, const std::string& key) const
{
    TimePoint next = TimePoint::max();
    for (const Story& story : m_stories) {
        const LockKeys& keys = story.call->keys;
        const Story& own = m_stories[static_cast<std::size_t>(hold.call)];
        const bool isOther = story.call != own.call;
        if (isOther && hold.owner && story.call->owner == hold.owner
            && story.ended.value_or(TimePoint::max()) > own.invoked
            && std::find(keys.begin(), keys.end(), key) != keys.end())
            next = std::min(next, std::max(story.invoked, hold.begin));
    }
    return next;
}

void Checking::checkExclusion()
{
    std::map<std::string, std::vector<Hold>> holds;
    for (std::size_t i = 0; i < m_stories.size(); ++i) {
        const Story& story = m_stories[i];
        const std::optional<TimePoint> begin =
            story.call->kind == Call::Execute ? story.started : story.granted;
        if (!begin)
            continue;
        for (const std::string& key : story.call->keys) {
            Hold hold;
            hold.call = static_cast<int>(i);
            hold.owner = story.call->owner;
            hold.begin = *begin;
            hold.end = endOfHold(story);
            // Who has had its lock taken away has to be told yet.
            for (const TimePoint removal : m_removals[key]) {
                if (removal >= story.invoked)
                    hold.end = std::min(hold.end, removal);
            }
            if (hold.end > hold.begin)
                holds[key].push_back(hold);
        }
    }
    for (auto& [key, all] : holds) {
        for (Hold& hold : all)
            hold.end = std::min(hold.end, nextAskedBy(hold, key));
        std::sort(all.begin(), all.end(),
                  [](const Hold& a, const Hold& b) { return a.begin < b.begin; });
        for (std::size_t i = 0; i < all.size(); ++i) {
            for (std::size_t j = i + 1; j < all.size() && all[j].begin < all[i].end; ++j) {
                const bool isSame = all[i].owner && all[i].owner == all[j].owner;
                if (!isSame && all[j].end > all[j].begin)
                    report("exclusive", all[j].call,
                           "held key \"" + printable(key) + "\" from " + ms(all[j].begin)
                               + ", while call " + std::to_string(all[i].call) + " did.");
            }
        }
    }
}

//! Another call of the owner was granted while this one gave up: whose the lock is, nobody can
//! tell.
bool Checking::sharesItsOwner(const Story& story, const std::string& key) const
{
    return std::any_of(m_stories.begin(), m_stories.end(), [&](const Story& other) {
        const LockKeys& keys = other.call->keys;
        return &other != &story && other.granted && other.call->owner == story.call->owner
            && story.call->owner && std::find(keys.begin(), keys.end(), key) != keys.end()
            && other.invoked <= story.ended.value_or(TimePoint::max())
            && story.invoked <= other.released.value_or(TimePoint::max());
    });
}

//! Somebody counts on this lock, or can't know.
bool Checking::mayHold(const std::string& key, const Owner& owner) const
{
    return std::any_of(m_stories.begin(), m_stories.end(), [&](const Story& story) {
        const LockKeys& keys = story.call->keys;
        if (story.call->owner != owner || std::find(keys.begin(), keys.end(), key) == keys.end())
            return false;
        if (story.error)
            return *story.error == ErrorCode::OutcomeUnknown || sharesItsOwner(story, key);
        return story.call->kind == Call::Acquire && story.granted && !story.released;
    });
}

void Checking::checkLeft()
{
    for (const Event& left : m_left) {
        if (mayHold(left.key, left.owner))
            continue;
        Violation violation;
        violation.rule = "nothing-held";
        violation.sentence = "Key \"" + printable(left.key) + "\" is left held by "
            + (left.owner ? printable(*left.owner) : std::string("nobody"))
            + ", and every call that asked for it has said that it holds nothing.";
        m_found.push_back(std::move(violation));
    }
}

} // namespace

std::vector<Violation> check(const History& history, Tolerance tolerance)
{
    return Checking(history, tolerance).run();
}

} // namespace lockboard::lab
