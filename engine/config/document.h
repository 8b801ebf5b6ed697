// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/kinds.h"

namespace lockboard {

//! The module's configuration, in the guide's shape, as JSON:
//! `{"providers": [{"resolve": "redis", "id": "shop", "is_default": true, "options": {...}}]}`
class Config final {
public:
    class Entry final {
    public:
        std::string id;
        bool isDefault = false;
        ProviderRegistry::Found provider;
        ConfigValue options;
        ConfigValue place; //!< the entry itself, to speak of it in an error
    };

    //! No providers but the in-memory one that is always there.
    Config() = default;
    //! `source` names the text in errors; plugins, and files that options refer to, are sought
    //! relative to `folder`. Strings in options may contain references (reference.h), which
    //! are followed when the provider is made.
    //! \throws ConfigError
    [[nodiscard]] static Config parse(const std::string& text, const std::string& source,
                                      const std::string& folder, const ProviderRegistry& registry);
    [[nodiscard]] static Config load(const std::string& file, const ProviderRegistry& registry);
    //! One provider and the default, from a URL such as `redis://127.0.0.1:6379/0`.
    //! \throws ConfigError if no provider speaks its scheme
    [[nodiscard]] static Config connectTo(const std::string& url, const ProviderRegistry& registry);

    [[nodiscard]] const std::vector<Entry>& entries() const { return m_entries; }

private:
    std::vector<Entry> m_entries;
};

} // namespace lockboard
