// SPDX-License-Identifier: MIT
#pragma once

#include <QSslConfiguration>

#include <memory>
#include <string>

class QSslSocket;

namespace lockboard {
class ConfigValue;
}

namespace lockboard::redis {

//! How a connection is encrypted: whom we trust, and what we show of ourselves. Without a word from
//! the configuration: the system's authorities, and the server's certificate and name verified.
class Tls final {
public:
    Tls() = default;
    //! Reads ioredis's option `tls`, an object with the names that Node has; and caFile, certFile
    //! and keyFile, paths for ca, cert and key. \throws ConfigError, free of what is in a file
    [[nodiscard]] static std::shared_ptr<const Tls> read(const ConfigValue& options);

    [[nodiscard]] const QSslConfiguration& configuration() const { return m_configuration; }
    //! The name to ask for and to verify; empty: the host's.
    [[nodiscard]] const std::string& serverName() const { return m_serverName; }
    //! False: whoever answers is believed to be the server.
    [[nodiscard]] bool verifies() const;

    //! Why the socket has failed: a phrase for a person, free of secrets; empty if that had nothing
    //! to do with TLS. `quiet`: the server has not said anything yet.
    [[nodiscard]] QString problem(const QSslSocket& socket, bool quiet) const;

private:
    void readAuthorities(const ConfigValue& options);
    void readCertificate(const ConfigValue& options);

    QSslConfiguration m_configuration = QSslConfiguration::defaultConfiguration();
    std::string m_serverName;
};

} // namespace lockboard::redis
