// SPDX-License-Identifier: MIT
#include "engine/postgres/view/copied_row.h"

#include "engine/postgres/view/rows.h"
#include "engine/postgres/wire/number.h"

#include <algorithm>
#include <cmath>

namespace lockboard::postgres {

static constexpr std::string_view null = "\\N";

std::int64_t msFromSeconds(std::string_view seconds)
{
    constexpr double most = 1e15;
    const double ms = std::ceil(numberFrom(seconds) * 1000);
    return std::isfinite(ms) || ms < 0 ? static_cast<std::int64_t>(std::clamp(ms, -most, most))
                                       : Row::never;
}

static std::string_view unescaped(std::string_view text, std::string& buffer)
{
    static constexpr std::string_view letters = "bfnrtv";
    static constexpr std::string_view meanings = "\b\f\n\r\t\v";
    if (text.find('\\') == std::string_view::npos)
        return text;
    buffer.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            const std::size_t known = letters.find(text[++i]);
            buffer += known == letters.npos ? text[i] : meanings[known];
        } else {
            buffer += text[i];
        }
    }
    return buffer;
}

std::optional<CopiedRow> CopiedRow::read(std::string_view line, Buffers& buffers)
{
    if (!line.empty() && line.back() == '\n')
        line.remove_suffix(1);
    if (std::ranges::count(line, '\t') != 2)
        return {};
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    const std::string_view key = line.substr(0, first);
    const std::string_view owner = line.substr(first + 1, second - first - 1);
    const std::string_view end = line.substr(second + 1);
    if (key == null || (end != null && !readNumber<double>(end)))
        return {};
    CopiedRow row;
    row.key = unescaped(key, buffers[0]);
    if (owner != null)
        row.owner = unescaped(owner, buffers[1]);
    row.expiration = end == null ? Row::never : msFromSeconds(end);
    return row;
}

} // namespace lockboard::postgres
