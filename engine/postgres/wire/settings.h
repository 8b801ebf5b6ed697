// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/options.h"

#include <map>
#include <string>
#include <vector>

namespace lockboard {
class ProviderSetup;
}

namespace lockboard::postgres {

//! Where a PostgreSQL server is and how to come in, in libpq's words.
class Endpoint final {
public:
    std::map<std::string, std::string> words; //!< libpq's connection parameters that were given
    Duration connectTimeout = std::chrono::seconds(10);
    //! The server gives up a statement that takes longer.
    Duration statementTimeout = std::chrono::seconds(10);
    //! The server gives up waiting for a row or table that somebody has locked.
    Duration lockTimeout = std::chrono::seconds(2);

    //! `127.0.0.1:5432/shop`: for sentences, free of secrets.
    [[nodiscard]] std::string name() const;
    //! Asks libpq for what is not given, so that copies need not.
    void resolve() const { (void)word({}); }
    //! A host's name that is to be looked up; empty: an address, a socket, or several of them.
    [[nodiscard]] std::string hostToResolve() const;
    //! What is unsafe about it: sentences, free of secrets.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    [[nodiscard]] std::string word(const std::string& name) const;

    //! What libpq takes where nothing is given, asked for once: that reads files and the
    //! environment.
    mutable std::map<std::string, std::string> m_defaults;
    mutable bool m_hasDefaults = false;
};

//! A PostgreSQL provider's options.
class Settings final {
public:
    Endpoint endpoint;
    std::string schema = "public";
    std::string table = "locking"; //!< Medusa's name for it
    bool createTable = false;
    Ownerless ownerless = Ownerless::Claimable;

    //! \throws ConfigError; it never repeats a URL, which may hold a password
    [[nodiscard]] static Settings read(const ProviderSetup& setup);
};

} // namespace lockboard::postgres
