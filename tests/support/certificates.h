// SPDX-License-Identifier: MIT
#pragma once

#include <QTemporaryDir>

namespace lockboard::test {

//! A certificate authority of its own in a temporary directory, made by the command `openssl`.
class Certificates final {
public:
    explicit Certificates(const QString& name = QStringLiteral("Test authority"));

    //! Makes NAME.pem and NAME.key, issued by this authority, for a subject like
    //! "IP:127.0.0.1,DNS:redis.example". Fewer than no days: expired.
    void issue(const QString& name, const QString& subject, int days = 2) const;
    void issueSelfSigned(const QString& name, const QString& subject) const;
    //! Makes NAME.key anew from that of another, encrypted.
    void encryptKey(const QString& name, const QString& from, const QString& passphrase) const;

    [[nodiscard]] QString authority() const { return path(QStringLiteral("ca.pem")); }
    [[nodiscard]] QString path(const QString& file) const { return m_folder.filePath(file); }

private:
    void openssl(const QStringList& arguments) const;

    QTemporaryDir m_folder;
};

} // namespace lockboard::test
