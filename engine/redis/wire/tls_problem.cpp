// SPDX-License-Identifier: MIT
#include "engine/redis/wire/tls.h"

#include "engine/contract/lock.h"

#include <QSslCertificate>
#include <QSslError>
#include <QSslSocket>

namespace lockboard::redis {

using namespace Qt::StringLiterals;

//! What a certificate says comes from who knows whom.
static QString shown(const QString& text)
{
    constexpr int most = 100;
    return QString::fromStdString(printable(text.left(most).toStdString()));
}

static QString namesOf(const QSslCertificate& certificate)
{
    constexpr int most = 3;
    QStringList names = certificate.subjectAlternativeNames().values();
    if (names.isEmpty())
        names = certificate.subjectInfo(QSslCertificate::CommonName);
    names.sort();
    for (QString& name : names)
        name = u'"' + shown(name) + u'"';
    const bool more = names.size() > most;
    return names.isEmpty() ? u"nobody"_s
                           : names.mid(0, most).join(u", "_s) + (more ? u", ..."_s : u""_s);
}

static QString issuerOf(const QSslCertificate& certificate)
{
    const QString name = certificate.issuerInfo(QSslCertificate::CommonName).join(u' ');
    return name.isEmpty() ? u"an authority"_s : u'"' + shown(name) + u'"';
}

static QString phraseFor(const QSslError& error, const QString& asked)
{
    const QSslCertificate certificate = error.certificate();
    switch (error.error()) {
    case QSslError::CertificateExpired:
        return u"its certificate expired on "_s
            + certificate.expiryDate().toUTC().toString(u"yyyy-MM-dd"_s);
    case QSslError::CertificateNotYetValid:
        return u"its certificate is not valid before "_s
            + certificate.effectiveDate().toUTC().toString(u"yyyy-MM-dd"_s);
    case QSslError::SelfSignedCertificate:
        return u"its certificate is self-signed and not among the trusted ones (tls.ca)"_s;
    case QSslError::SelfSignedCertificateInChain:
    case QSslError::UnableToGetIssuerCertificate:
    case QSslError::UnableToGetLocalIssuerCertificate:
    case QSslError::UnableToVerifyFirstCertificate:
    case QSslError::CertificateUntrusted:
        return u"its certificate was issued by %1, which is not trusted (tls.ca)"_s.arg(
            issuerOf(certificate));
    case QSslError::HostNameMismatch:
        return u"its certificate is for %1, not for \"%2\""_s.arg(namesOf(certificate),
                                                                  shown(asked));
    default:
        return u"its certificate is not accepted: "_s + shown(error.errorString());
    }
}

//! Of several, the one that says most: whom it is from, then when, then for whom.
static int weightOf(const QSslError& error)
{
    switch (error.error()) {
    case QSslError::HostNameMismatch:
        return 0;
    case QSslError::UnableToVerifyFirstCertificate: // follows on a missing issuer
        return 1;
    case QSslError::CertificateExpired:
    case QSslError::CertificateNotYetValid:
        return 2;
    default:
        return 3;
    }
}

//! OpenSSL's words, which Qt repeats, and what they mean.
struct Phrase {
    QLatin1StringView word;
    QLatin1StringView phrase;
};
static constexpr Phrase phrases[] = {
    {"wrong version number"_L1, "it does not speak TLS at this port"_L1},
    {"packet length too long"_L1, "it does not speak TLS at this port"_L1},
    {"certificate required"_L1, "it asks for a client certificate (tls.cert and tls.key)"_L1},
    {"alert unknown ca"_L1, "it does not trust the client certificate's issuer"_L1},
    {"alert certificate expired"_L1, "the client certificate has expired"_L1},
    {"alert bad certificate"_L1, "it does not accept the client certificate"_L1},
    {"alert unsupported certificate"_L1, "it does not accept the client certificate"_L1},
    {"alert certificate revoked"_L1, "the client certificate is revoked"_L1},
    {"does not certify public key"_L1, "the client's private key is not its certificate's"_L1},
    {"key values mismatch"_L1, "the client's private key is not its certificate's"_L1},
    {"alert protocol version"_L1, "it speaks no TLS version that is safe (1.2 or later)"_L1},
    {"unsupported protocol"_L1, "it speaks no TLS version that is safe (1.2 or later)"_L1},
    {"alert handshake failure"_L1,
     "it refuses the TLS handshake; it may ask for a client certificate (tls.cert and tls.key)"_L1},
};

QString Tls::problem(const QSslSocket& socket, bool quiet) const
{
    const QString asked =
        m_serverName.empty() ? socket.peerName() : QString::fromStdString(m_serverName);
    const QList<QSslError> errors = socket.sslHandshakeErrors();
    if (verifies() && !socket.isEncrypted() && !errors.isEmpty()) {
        const auto heaviest = std::max_element(errors.begin(), errors.end(),
                                               [](const QSslError& one, const QSslError& other) {
                                                   return weightOf(one) < weightOf(other);
                                               });
        return phraseFor(*heaviest, asked);
    }
    const QString text = socket.errorString();
    for (const Phrase& each : phrases) {
        if (text.contains(each.word, Qt::CaseInsensitive))
            return each.phrase;
    }
    // Whoever wants a client certificate may hang up before it can be heard to say so.
    const auto error = socket.error();
    if (quiet && socket.isEncrypted() && error == QAbstractSocket::RemoteHostClosedError)
        return m_configuration.localCertificate().isNull()
            ? u"it hung up after the TLS handshake; it may ask for a client certificate"_s
            : u"it hung up after the TLS handshake; it may not accept the client certificate"_s;
    if (error == QAbstractSocket::RemoteHostClosedError && !socket.isEncrypted())
        return u"it hung up during the TLS handshake"_s;
    return {};
}

} // namespace lockboard::redis
