// SPDX-License-Identifier: MIT
#include "app/lockboardctl/suggestion.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace lockboard::ctl {

//! Levenshtein's: how many letters to insert, delete or replace.
static std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t(0));
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j - 1] + 1, row[j] + 1, replaced});
        }
    }
    return row.back();
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known)
{
    std::string_view best;
    std::size_t bestDistance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string_view each : known) {
        const std::size_t steps = distance(word.substr(0, 32), each);
        if (steps < bestDistance && steps < each.size()) {
            best = each;
            bestDistance = steps;
        }
    }
    return best;
}

} // namespace lockboard::ctl
