// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/errors.h"
#include "engine/contract/seen_session.h"
#include "engine/postgres/wire/call.h"

#include <functional>
#include <map>
#include <optional>

namespace lockboard::postgres {

//! The end of a session, or of what it does: only if it is what somebody saw of it, and only if it
//! has to do with Medusa's locks. Holds what was seen, what the server says, and the sentences.
class SessionEnding final {
public:
    using NameOf = std::function<std::string(std::uint32_t hash)>;

    //! `now`: by the clock that the seen session's times are of; `nameOf` gives what else is known
    //! of a key's name.
    SessionEnding(SeenSession seen, SessionEnd how, TimePoint now, NameOf nameOf);

    //! What it is and does now.
    [[nodiscard]] Statement look() const;
    [[nodiscard]] Parameters lookParameters() const;
    //! `took`: from the question to the answer.
    //! \throws InvalidArgument it is not what was seen, or nothing to end
    void take(Result look, Duration took);

    //! Ends it, if it is still so: true; false: it is told to, but is there still; no row: it has
    //! moved on.
    [[nodiscard]] Statement end(int serverVersion) const;
    [[nodiscard]] Parameters endParameters() const;

    //! Whether a row of the table may tell the name of a lock.
    [[nodiscard]] bool hasNameless() const;
    void takeName(std::string_view key);
    //! What has been done. \throws InvalidArgument nothing
    [[nodiscard]] std::string sentence(const Result& ended) const;

private:
    [[nodiscard]] InvalidArgument leftAlone(const std::string& why) const;
    void requireWhatWasSeen(Duration took) const;
    [[nodiscard]] std::string keyName(std::uint32_t hash) const;
    //! `held "a" and waited for "b"`
    [[nodiscard]] std::string itsKeys() const;
    [[nodiscard]] std::string whatMayRunOn() const;
    //! ` (psql, 10.0.0.1)`
    [[nodiscard]] std::string facts() const;

    const SeenSession m_seen;
    const bool m_cancel;
    const std::string m_pid;
    const NameOf m_nameOf;
    std::vector<Duration> m_ages; // of its transaction, when it was seen
    std::map<std::uint32_t, std::string> m_names; // of its keys
    // Found now.
    Result m_look;
    std::vector<SeenSession::Key> m_found;
    std::optional<std::string> m_session; // none: no more is told of it
};

} // namespace lockboard::postgres
