// SPDX-License-Identifier: MIT
#include "engine/lab/history.h"

namespace lockboard::lab {

int History::add(Call call, TimePoint at)
{
    m_calls.push_back(std::move(call));
    const int number = static_cast<int>(m_calls.size()) - 1;
    note(EventKind::Invoked, number, at);
    return number;
}

void History::note(EventKind kind, int call, TimePoint at, std::optional<TimePoint> leaseEnd)
{
    Event event;
    event.kind = kind;
    event.call = call;
    event.at = at;
    event.leaseEnd = leaseEnd;
    add(std::move(event));
}

void History::end(int call, TimePoint at, std::optional<ErrorCode> error)
{
    Event event;
    event.kind = EventKind::Ended;
    event.call = call;
    event.at = at;
    event.error = error;
    add(std::move(event));
}

static const char* wordFor(EventKind kind)
{
    switch (kind) {
    case EventKind::Invoked:
        return "invoked";
    case EventKind::StopRequested:
        return "stop requested";
    case EventKind::Granted:
        return "granted";
    case EventKind::JobStarted:
        return "job started";
    case EventKind::Renewed:
        return "renewed";
    case EventKind::Told:
        return "told to stop";
    case EventKind::JobEnded:
        return "job ended";
    case EventKind::Ended:
        return "ended";
    case EventKind::Released:
        return "released";
    case EventKind::Removed:
        return "removed";
    case EventKind::FoundHeld:
        return "found held";
    }
    return "";
}

static std::string inMilliseconds(TimePoint at, TimePoint start)
{
    return std::to_string(
        std::chrono::duration_cast<std::chrono::milliseconds>(at - start).count());
}

std::string History::text() const
{
    std::string text;
    const TimePoint start = m_events.empty() ? TimePoint() : m_events.front().at;
    for (const Event& event : m_events) {
        text += inMilliseconds(event.at, start) + ' ';
        if (event.call >= 0) {
            const Call& call = m_calls[static_cast<std::size_t>(event.call)];
            text += (call.kind == Call::Execute ? "execute " : "acquire ")
                + std::to_string(event.call) + ' ';
            for (const std::string& key : call.keys)
                text += printable(key) + ' ';
            text += "by " + (call.owner ? printable(*call.owner) : std::string("nobody")) + ": ";
        }
        text += wordFor(event.kind);
        if (!event.key.empty())
            text += ' ' + printable(event.key);
        if (event.owner)
            text += " by " + printable(*event.owner);
        if (event.leaseEnd)
            text += " until " + inMilliseconds(*event.leaseEnd, start);
        if (event.error)
            text += " with error " + std::to_string(static_cast<int>(*event.error));
        text += '\n';
    }
    return text;
}

} // namespace lockboard::lab
