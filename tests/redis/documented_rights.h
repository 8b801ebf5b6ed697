// SPDX-License-Identifier: MIT
#pragma once

#include <QFile>
#include <QStringList>

namespace lockboard::test {

//! What engine/redis/README.md says that a user of Redis needs, as the arguments of ACL SETUSER after the name.
class DocumentedRights final {
public:
    explicit DocumentedRights(const QString& password)
    {
        QFile readme(QStringLiteral(LOCKBOARD_REDIS_README));
        if (!readme.open(QIODevice::ReadOnly))
            return;
        for (const QByteArray& line : readme.readAll().split('\n')) {
            if (line.startsWith("ACL SETUSER lockboard "))
                (all.isEmpty() ? all : forTokens) =
                    QString::fromUtf8(line).section(u' ', 3).split(u' ');
        }
        all.replaceInStrings(QStringLiteral("PASSWORD"), password);
    }

    QStringList all;
    QStringList forTokens; //!< and for notes: besides
};

} // namespace lockboard::test
