// SPDX-License-Identifier: MIT
#include "engine/redis/wire/script.h"

#include <QCryptographicHash>
#include <QFile>

// The engine is a static library: without this the linker leaves the resources out.
static void initializeResources()
{
    Q_INIT_RESOURCE(redis_scripts);
}

namespace lockboard::redis {

Script::Script(const char* fileName)
    : name(fileName)
{
    initializeResources();
    QFile file(QStringLiteral(":/lockboard/redis/scripts/") + QString::fromLatin1(fileName));
    if (!file.open(QIODevice::ReadOnly))
        qFatal("the script %s is not embedded", fileName);
    const QByteArray text = file.readAll();
    source = text.toStdString();
    sha1 = QCryptographicHash::hash(text, QCryptographicHash::Sha1).toHex().toStdString();
}

} // namespace lockboard::redis
