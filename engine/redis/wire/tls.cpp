// SPDX-License-Identifier: MIT
#include "engine/redis/wire/tls.h"

#include "engine/config/server_url.h"
#include "engine/config/value.h"

#include <QSslCertificate>
#include <QSslKey>
#include <QSslSocket>

namespace lockboard::redis {

namespace {

//! An option that is given as text, by a reference, or by a file's path.
class PemOption final {
public:
    PemOption(const ConfigValue& options, const std::string& name)
        : m_inline(options.member(name))
        , m_file(options.member(name + "File"))
    {
        if (!m_inline.isNull() && !m_file.isNull())
            m_file.fail("stands beside \"" + name + "\"; only one of them may");
    }

    [[nodiscard]] bool isGiven() const { return !m_inline.isNull() || !m_file.isNull(); }
    [[nodiscard]] QByteArray pem() const
    {
        if (!m_file.isNull())
            return QByteArray::fromStdString(m_file.fileContent());
        if (!m_inline.isArray())
            return QByteArray::fromStdString(m_inline.toString());
        QByteArray all;
        for (const ConfigValue& item : m_inline.items())
            all += QByteArray::fromStdString(item.toString()) + '\n';
        return all;
    }
    [[nodiscard]] QList<QSslCertificate> certificates() const
    {
        const auto list = QSslCertificate::fromData(pem(), QSsl::Pem);
        if (list.isEmpty())
            fail("holds no certificate in PEM form");
        return list;
    }
    //! `problem` is about what was read; the sentence names where that is from.
    [[noreturn]] void fail(const std::string& problem) const
    {
        if (!m_file.isNull())
            m_file.fail("names the file \"" + m_file.shown() + "\", which " + problem);
        const bool refers = !m_inline.reference().empty();
        m_inline.fail(refers ? "refers to " + m_inline.shown() + ", which " + problem : problem);
    }

private:
    ConfigValue m_inline;
    ConfigValue m_file;
};

QSslKey readKey(const PemOption& option, const QByteArray& passphrase)
{
    const QByteArray pem = option.pem();
    for (const QSsl::KeyAlgorithm algorithm : {QSsl::Rsa, QSsl::Ec, QSsl::Dsa}) {
        QSslKey key(pem, algorithm, QSsl::Pem, QSsl::PrivateKey, passphrase);
        if (!key.isNull())
            return key;
    }
    if (!pem.contains("ENCRYPTED"))
        option.fail("holds no RSA or EC private key in PEM form");
    option.fail(passphrase.isEmpty() ? "is encrypted: \"passphrase\" must say with what"
                                     : "can't be opened with this passphrase");
}

} // namespace

std::shared_ptr<const Tls> Tls::read(const ConfigValue& options)
{
    if (!QSslSocket::supportsSsl())
        options.fail("asks for TLS, but Qt finds no OpenSSL on this machine");
    auto tls = std::make_shared<Tls>();
    if (!options.isObject())
        return tls;
    tls->readAuthorities(options);
    tls->readCertificate(options);
    tls->m_serverName = options.stringOr("servername", {});
    if (!tls->m_serverName.empty())
        requireHost(options.member("servername"), tls->m_serverName);
    if (!options.boolOr("rejectUnauthorized", true))
        tls->m_configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    options.rejectUnknown();
    return tls;
}

bool Tls::verifies() const
{
    return m_configuration.peerVerifyMode() != QSslSocket::VerifyNone;
}

void Tls::readAuthorities(const ConfigValue& options)
{
    const PemOption ca(options, "ca");
    if (ca.isGiven()) // as in Node, instead of the system's
        m_configuration.setCaCertificates(ca.certificates());
}

void Tls::readCertificate(const ConfigValue& options)
{
    const PemOption cert(options, "cert");
    const PemOption key(options, "key");
    const std::string passphrase = options.stringOr("passphrase", {});
    if (cert.isGiven() != key.isGiven())
        (cert.isGiven() ? cert : key)
            .fail(cert.isGiven() ? "needs its private key beside it: \"key\" or \"keyFile\""
                                 : "needs its certificate beside it: \"cert\" or \"certFile\"");
    if (!cert.isGiven())
        return;
    m_configuration.setLocalCertificateChain(cert.certificates());
    m_configuration.setPrivateKey(readKey(key, QByteArray::fromStdString(passphrase)));
}

} // namespace lockboard::redis
