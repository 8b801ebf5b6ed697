// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"

#include <optional>

namespace lockboard {

//! When a connection that is down is dialled again: soon at first, then half as often each time,
//! down to once in five seconds. A call that wants it hastens that; where the server lets us in and
//! fails at once, to once a second at the most: it would be dialled as fast as it can talk
//! nonsense.
class Redial final {
public:
    void begin(TimePoint now);
    void succeed(TimePoint now) { m_readySince = now; }
    //! The attempt came to nothing, or the connection was lost. Gives when to try again.
    [[nodiscard]] TimePoint fail(TimePoint now);
    //! When to try again, now that a call wants it.
    [[nodiscard]] TimePoint hastened(TimePoint now) const;

private:
    TimePoint m_begun;
    std::optional<TimePoint> m_readySince; // none: it is not ready
    TimePoint m_notBefore;
    int m_failures = 0;
};

} // namespace lockboard
