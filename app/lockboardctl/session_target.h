// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/seen_session.h"

#include <string>
#include <vector>

namespace lockboard::ctl {

//! Which session is to be ended: `PID`, `PID@ID`, or what `list --json` calls its target, which
//! stands for one lock of one transaction of it: `PID@ID,hHASH,MS` (w: it waits for that lock; MS:
//! when the transaction began, by the clock of whoever listed it, in milliseconds since 1970). So
//! a script ends what it has judged, and nothing that came later.
class SessionTarget final {
public:
    //! \throws UsageError
    [[nodiscard]] static SessionTarget parse(const std::string& text);
    [[nodiscard]] static std::string textFor(const HolderNote::Fields& session, std::uint32_t hash,
                                             LockState state, TimePoint now);

    [[nodiscard]] std::int64_t pid() const { return m_pid; }
    //! Whether it may be the session that is listed so.
    [[nodiscard]] bool fits(const HolderNote::Fields& session) const
    {
        return m_session.empty() || session.session.empty() || m_session == session.session;
    }
    //! Adds what it asks of the session beyond its process.
    void narrow(SeenSession& seen, TimePoint now) const;

private:
    std::int64_t m_pid = 0;
    std::string m_session;
    std::optional<SeenSession::Key> m_lock;
    std::optional<std::int64_t> m_began; // ms since 1970
};

} // namespace lockboard::ctl
