// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"

#include <functional>
#include <string>

namespace lockboard {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };
using Logger = std::function<void(LogLevel, const std::string&)>;

//! Says it through Qt's logging, category `lockboard`.
void logToQt(LogLevel level, const std::string& message);

//! The guide's container: what the host shares with its providers. The clock lives on the engine's
//! thread and outlives every provider.
class Container final {
public:
    explicit Container(Clock& hostClock, Logger hostLogger = logToQt)
        : clock(&hostClock)
        , log(std::move(hostLogger))
    {
    }

    Clock* clock;
    Logger log;
};

} // namespace lockboard
