// SPDX-License-Identifier: MIT
#include "app/lockboardctl/exit_code.h"

#include "app/lockboardctl/duration.h"

#include "engine/module/audit_log.h"

namespace lockboard::ctl {

int exitCodeOf(const LockError& error)
{
    if (dynamic_cast<const NotRecorded*>(&error))
        return OutputFailed;
    switch (error.code()) {
    case ErrorCode::Conflict:
    case ErrorCode::TimedOut:
        return TryAgain;
    case ErrorCode::Denied:
    case ErrorCode::ReadOnly:
        return Forbidden;
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
        return Usage;
    case ErrorCode::ConfigError:
        return BadConfig;
    case ErrorCode::Lost:
    case ErrorCode::Cancelled:
    case ErrorCode::Unavailable:
    case ErrorCode::OutcomeUnknown:
        break;
    }
    return Unreachable;
}

static std::string describe(const Conflict& conflict)
{
    const std::string holder = conflict.holder()
        ? "held by \"" + printableStart(*conflict.holder()) + '"'
        : "held without owner";
    return conflict.message() + ": " + holder + ", "
        + (conflict.remaining() ? formatDuration(*conflict.remaining()) + " left"
                                : "never expires");
}

//! The config that --connect stands for is ours: no place in it means anything to the reader.
static std::string describe(const ConfigError& error)
{
    const std::string option = "--connect";
    const std::string place = option + ':' + std::to_string(error.line()) + ": " + error.path();
    if (error.message().starts_with(place))
        return option + error.message().substr(place.size());
    return error.message();
}

std::string sentenceOf(const LockError& error)
{
    if (const auto* conflict = dynamic_cast<const Conflict*>(&error))
        return describe(*conflict);
    if (const auto* config = dynamic_cast<const ConfigError*>(&error))
        return describe(*config);
    if (error.code() == ErrorCode::OutcomeUnknown)
        return "The outcome is unknown; look before you try again: " + error.message();
    return error.message();
}

} // namespace lockboard::ctl
