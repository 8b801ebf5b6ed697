// SPDX-License-Identifier: MIT
#include "engine/config/kinds.h"

#include <algorithm>
#include <cmath>

namespace lockboard {

Ownerless ProviderSetup::ownerless() const
{
    const std::string word =
        options.wordOr("ownerless", medusa ? "exclusive" : "claimable", {"claimable", "exclusive"});
    return word == "exclusive" ? Ownerless::Exclusive : Ownerless::Claimable;
}

std::optional<Duration> ProviderSetup::longestHold() const
{
    const ConfigValue value = options.member("maxHold");
    if (value.isNull())
        return {};
    constexpr double longest = 10.0 * 365 * 24 * 3600;
    const double seconds = value.toNumber();
    if (seconds < 0.001 || seconds > longest)
        value.fail("must be a number of seconds, above zero and of ten years at the most");
    return Duration(std::llround(seconds * 1000));
}

void ProviderRegistry::add(Kind kind)
{
    m_kinds.push_back(std::move(kind));
}

std::optional<ProviderRegistry::Found> ProviderRegistry::find(const std::string& resolve) const
{
    for (const Kind& kind : m_kinds) {
        const bool medusa = std::find(kind.medusaNames.begin(), kind.medusaNames.end(), resolve)
            != kind.medusaNames.end();
        if (medusa || kind.identifier == resolve)
            return Found{kind, medusa};
    }
    return {};
}

std::optional<ProviderRegistry::Kind> ProviderRegistry::findByUrl(const std::string& url) const
{
    const auto colon = url.find("://");
    const std::string scheme =
        url.starts_with('/') ? "/" : url.substr(0, colon == std::string::npos ? 0 : colon);
    for (const Kind& kind : m_kinds) {
        if (std::find(kind.urlSchemes.begin(), kind.urlSchemes.end(), scheme)
            != kind.urlSchemes.end())
            return kind;
    }
    return {};
}

} // namespace lockboard
