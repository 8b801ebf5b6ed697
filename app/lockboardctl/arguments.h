// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <optional>
#include <string>
#include <vector>

namespace lockboard::ctl {

class Verb;

//! The command line, read and judged. Words are bytes as they came, never re-encoded.
class Arguments final {
public:
    //! \throws UsageError
    [[nodiscard]] static Arguments parse(int argc, char* argv[]);

    const Verb* verb = nullptr; //!< null only with `help` and `version`
    std::vector<std::string> keys;

    std::optional<std::string> config;
    std::optional<std::string> connect;
    std::string provider; //!< empty: the default one
    std::optional<std::string> auditLog;
    bool demo = false;
    bool noAudit = false;
    bool readOnly = false;
    bool json = false;
    bool help = false;
    bool version = false;

    Owner owner; //!< as given by --owner
    bool noOwner = false;
    std::string filter;
    std::optional<std::uint64_t> limit;
    std::vector<std::string> names; //!< of keys, by which to know advisory locks
    std::optional<std::string> namesFrom; //!< a file of such; "-": standard input
    std::optional<Duration> expire;
    std::optional<Duration> wait;
    bool claim = false;
    bool noExtend = false;
    bool base64 = false;
    bool dryRun = false;
    bool yes = false;
    bool cancel = false;
    bool jobMayRunOn = false; // beside the next one
    bool ifOver = false;
};

} // namespace lockboard::ctl
