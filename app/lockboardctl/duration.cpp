// SPDX-License-Identifier: MIT
#include "app/lockboardctl/duration.h"

#include <charconv>
#include <cmath>

namespace lockboard::ctl {

using namespace std::chrono_literals;

namespace {

struct Unit {
    std::string_view name;
    Duration length;
};
constexpr Unit units[] = {{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}};

} // namespace

std::optional<Duration> parseDuration(std::string_view text)
{
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (error != std::errc() || !std::isfinite(number) || std::signbit(number))
        return {};
    std::string_view name(rest, static_cast<std::size_t>(end - rest));
    if (name.empty())
        name = "s";
    for (const Unit& unit : units) {
        if (unit.name != name)
            continue;
        constexpr Duration longest = 100 * 365 * 24h;
        const double ms = std::round(number * static_cast<double>(unit.length.count()));
        if (ms > static_cast<double>(longest.count()))
            return {};
        return Duration(static_cast<Duration::rep>(ms));
    }
    return {};
}

std::string formatDuration(Duration duration)
{
    if (duration < 1s)
        return std::to_string(std::max(duration, 0ms).count()) + "ms";
    // Rounded to the smaller unit shown first, so that 59m 59.9s reads 1h.
    if (duration < 24h)
        duration = duration < 1h ? std::chrono::round<std::chrono::seconds>(duration)
                                 : std::chrono::round<std::chrono::minutes>(duration);
    else
        duration = std::chrono::round<std::chrono::hours>(duration);
    std::string text;
    for (const Unit& unit : units) {
        const auto count = duration / unit.length;
        if (count == 0)
            continue;
        duration -= count * unit.length;
        text += (text.empty() ? "" : " ") + std::to_string(count);
        text += unit.name;
    }
    return text;
}

} // namespace lockboard::ctl
