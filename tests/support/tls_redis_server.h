// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/certificates.h"
#include "tests/support/redis_server.h"

#include <memory>
#include <stdexcept>

namespace lockboard::test {

//! A redis-server that speaks TLS at one port and plainly, for redis-cli, at another.
class TlsRedisServer final {
public:
    //! With a certificate that the authority issued as `name`.
    TlsRedisServer(const Certificates& certificates, const QString& name,
                   bool asksForCertificate = false)
    {
        // Somebody may be quicker at the port that was free: then another.
        for (int tries = 5; !m_server; --tries) {
            try {
                start(certificates, name, asksForCertificate);
            } catch (const std::runtime_error&) {
                if (tries == 1)
                    throw;
            }
        }
    }

    [[nodiscard]] quint16 port() const { return m_port; }
    RedisServer* operator->() const { return m_server.get(); }

private:
    void start(const Certificates& certificates, const QString& name, bool asksForCertificate)
    {
        m_port = RedisServer::freePort();
        m_server = std::make_unique<RedisServer>(QStringList{
            QStringLiteral("--tls-port"), QString::number(m_port),
            QStringLiteral("--tls-cert-file"), certificates.path(name + QStringLiteral(".pem")),
            QStringLiteral("--tls-key-file"), certificates.path(name + QStringLiteral(".key")),
            QStringLiteral("--tls-ca-cert-file"), certificates.authority(),
            QStringLiteral("--tls-auth-clients"),
            asksForCertificate ? QStringLiteral("yes") : QStringLiteral("no")});
    }

    quint16 m_port = 0;
    std::unique_ptr<RedisServer> m_server;
};

} // namespace lockboard::test
