// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/errors.h"

#include <string>
#include <vector>

namespace lockboard::lab {

//! What happened to one call, or to one key, as its callers saw it.
enum class EventKind : std::uint8_t {
    Invoked, //!< a call was made
    StopRequested, //!< its caller asked it to stop
    Granted, //!< an acquire was granted: `leaseEnd`
    JobStarted, //!< the job of an execute runs: `leaseEnd`
    Renewed, //!< a renewal was confirmed: `leaseEnd`
    Told, //!< the job was told to stop
    JobEnded,
    Ended, //!< the call is over; `error`: which LockError it threw
    Released, //!< what an acquire was granted is released by its caller, from now on
    Removed, //!< a lock was taken away by somebody who may, an operator say
    FoundHeld, //!< in the end, when nothing is under way any more, the store says so
};

//! One line of a history. Times are on one monotonic clock.
class Event final {
public:
    EventKind kind = EventKind::Invoked;
    TimePoint at;
    int call = -1; //!< which; -1: none
    std::string key; //!< of Removed and FoundHeld
    Owner owner; //!< of FoundHeld
    std::optional<TimePoint> leaseEnd;
    std::optional<ErrorCode> error;
};

//! A call that was made.
class Call final {
public:
    enum Kind : std::uint8_t { Acquire, Execute };

    Kind kind = Acquire;
    LockKeys keys;
    Owner owner; //!< an execute's own if it has one
    std::optional<Duration> lease;
    std::optional<Duration> timeout; //!< none: it does not wait, or for ever
    bool waits = false;
};

//! What was done and seen, in the order of time: what the checker judges, and what can be drawn.
class History final {
public:
    //! Gives the number of the call.
    int add(Call call, TimePoint at);
    void add(Event event) { m_events.push_back(std::move(event)); }
    void note(EventKind kind, int call, TimePoint at, std::optional<TimePoint> leaseEnd = {});
    void end(int call, TimePoint at, std::optional<ErrorCode> error = {});

    [[nodiscard]] const std::vector<Call>& calls() const { return m_calls; }
    [[nodiscard]] std::vector<Call>& calls() { return m_calls; }
    [[nodiscard]] const std::vector<Event>& events() const { return m_events; }
    //! A line an event, for a person; times in milliseconds since the first.
    [[nodiscard]] std::string text() const;

private:
    std::vector<Call> m_calls;
    std::vector<Event> m_events;
};

} // namespace lockboard::lab
