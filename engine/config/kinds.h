// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/value.h"
#include "engine/contract/container.h"
#include "engine/contract/provider.h"

#include <functional>

namespace lockboard {

//! What a provider is made from: the guide's `constructor(container, options)`.
class ProviderSetup final {
public:
    ProviderSetup(ConfigValue setupOptions, bool namesMedusa)
        : options(std::move(setupOptions))
        , medusa(namesMedusa)
    {
    }

    //! The provider's policy: the option `ownerless`, else what Medusa's packages do if `resolve`
    //! named one of them, else what the guide says.
    [[nodiscard]] Ownerless ownerless() const;

    //! The option `maxHold`, in seconds: how long a job may hold its keys if its call does not say.
    //! The module reads it for every provider. \throws ConfigError
    [[nodiscard]] std::optional<Duration> longestHold() const;

    ConfigValue options; //!< an object; read everything you know, the registry rejects the rest
    bool medusa; //!< `resolve` named a Medusa package
};

using ProviderFactory =
    std::function<std::unique_ptr<LockProvider>(const Container&, const ProviderSetup&)>;

//! Which `resolve` names which kind of provider. The module has the built-in ones
//! (builtInKinds()); a program that embeds the engine may add its own.
class ProviderRegistry final {
public:
    ProviderRegistry() = default;

    //! One kind of provider.
    class Kind final {
    public:
        std::string identifier; //!< the provider's static one
        ProviderFactory factory;
        std::vector<std::string> medusaNames; //!< packages it stands in for
        std::vector<std::string> urlSchemes; //!< for a connection by URL alone; "/" for a path
        std::string urlOption; //!< the option that such a URL goes into
    };
    void add(Kind kind);

    class Found final {
    public:
        Kind kind;
        bool medusa = false; //!< found by a Medusa package's name
    };
    //! By what a config says in `resolve`; none: nobody has that name.
    [[nodiscard]] std::optional<Found> find(const std::string& resolve) const;
    //! Who speaks this URL's scheme.
    [[nodiscard]] std::optional<Kind> findByUrl(const std::string& url) const;
    [[nodiscard]] const std::vector<Kind>& kinds() const { return m_kinds; }

private:
    std::vector<Kind> m_kinds;
};

} // namespace lockboard
