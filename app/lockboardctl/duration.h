// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"

#include <optional>
#include <string>
#include <string_view>

namespace lockboard::ctl {

//! `500ms`, `30s`, `5m`, `1h`, `7d`; a bare number is seconds. Fractions are fine; what is finer
//! than a millisecond is rounded. None: it is no duration, or longer than a hundred years.
[[nodiscard]] std::optional<Duration> parseDuration(std::string_view text);

//! For a person, in its two largest units: `1m 30s`, `12s`, `250ms`. Rounded to what is shown.
[[nodiscard]] std::string formatDuration(Duration duration);

} // namespace lockboard::ctl
