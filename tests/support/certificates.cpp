// SPDX-License-Identifier: MIT
#include "tests/support/certificates.h"

#include <QProcess>

#include <stdexcept>

namespace lockboard::test {

using namespace Qt::StringLiterals;

static QStringList newKey(const QString& file)
{
    return {u"-newkey"_s, u"ec"_s,      u"-pkeyopt"_s, u"ec_paramgen_curve:prime256v1"_s,
            u"-nodes"_s,  u"-keyout"_s, file};
}

static QStringList subjectOf(const QString& name, const QString& names)
{
    return {u"-subj"_s, u"/CN="_s + name, u"-addext"_s, u"subjectAltName="_s + names};
}

Certificates::Certificates(const QString& name)
{
    openssl(QStringList{u"req"_s, u"-x509"_s, u"-days"_s, u"2"_s, u"-out"_s, authority(),
                        u"-subj"_s, u"/CN="_s + name}
            + newKey(path(u"ca.key"_s)));
}

void Certificates::issue(const QString& name, const QString& subject, int days) const
{
    const QString request = path(name + u".csr"_s);
    openssl(QStringList{u"req"_s, u"-out"_s, request} + newKey(path(name + u".key"_s))
            + subjectOf(name, subject));
    openssl({u"x509"_s, u"-req"_s, u"-in"_s, request, u"-out"_s, path(name + u".pem"_s), u"-CA"_s,
             authority(), u"-CAkey"_s, path(u"ca.key"_s), u"-CAcreateserial"_s,
             u"-copy_extensions"_s, u"copy"_s, u"-days"_s, QString::number(days)});
}

void Certificates::issueSelfSigned(const QString& name, const QString& subject) const
{
    openssl(QStringList{u"req"_s, u"-x509"_s, u"-days"_s, u"2"_s, u"-out"_s, path(name + u".pem"_s)}
            + newKey(path(name + u".key"_s)) + subjectOf(name, subject));
}

void Certificates::encryptKey(const QString& name, const QString& from,
                              const QString& passphrase) const
{
    openssl({u"pkey"_s, u"-in"_s, path(from + u".key"_s), u"-out"_s, path(name + u".key"_s),
             u"-aes256"_s, u"-passout"_s, u"pass:"_s + passphrase});
}

void Certificates::openssl(const QStringList& arguments) const
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(u"openssl"_s, arguments);
    if (!process.waitForFinished() || process.exitCode() != 0)
        throw std::runtime_error("openssl " + arguments.join(u' ').toStdString() + ": "
                                 + process.errorString().toStdString() + ' '
                                 + process.readAll().toStdString());
}

} // namespace lockboard::test
