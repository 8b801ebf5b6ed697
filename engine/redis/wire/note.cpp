// SPDX-License-Identifier: MIT
#include "engine/redis/wire/note.h"

#include "engine/redis/wire/slot.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSysInfo>

namespace lockboard::redis {

using namespace Qt::StringLiterals;

Notes::Notes(bool fencing, bool annotate)
    : m_fencing(fencing)
    , m_annotate(annotate)
{
    if (!m_annotate)
        return;
    m_process.insert(u"host"_s, QSysInfo::machineHostName());
    m_process.insert(u"pid"_s, QCoreApplication::applicationPid());
    m_process.insert(u"program"_s, QFileInfo(QCoreApplication::applicationFilePath()).fileName());
}

std::string Notes::keyFor(const std::string& stored)
{
    const auto open = stored.find('{');
    const auto close = stored.find('}', open == std::string::npos ? 0 : open + 1);
    // A hash tag of the lock's own comes first here too.
    if (open != std::string::npos && close != std::string::npos && close != open + 1)
        return "lockboard:note:" + stored;
    if (stored.find('}') != std::string::npos) // braces around it would end too soon
        return "lockboard:note:{" + slot::tag(slot::of(stored)) + '}' + stored;
    return "lockboard:note:{" + stored + '}';
}

std::string Notes::counterFor(const std::string& stored, bool inCluster)
{
    const std::string name = "lockboard:token";
    return inCluster ? name + ":{" + slot::tag(slot::of(stored)) + '}' : name;
}

std::string Notes::textFor(const std::string& value, const SharedContext& context) const
{
    QJsonObject note = m_process;
    const QByteArray bytes = QByteArray::fromStdString(value);
    const QString text = QString::fromUtf8(bytes);
    if (text.toUtf8() == bytes)
        note.insert(u"owner"_s, text);
    else
        note.insert(u"ownerBase64"_s, QString::fromLatin1(bytes.toBase64()));
    if (m_annotate) {
        note.insert(u"acquiredAt"_s, QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs));
        const std::string& request = context.fields().requestId;
        if (!request.empty())
            note.insert(u"requestId"_s, QString::fromStdString(printable(request)));
    }
    return QJsonDocument(note).toJson(QJsonDocument::Compact).toStdString();
}

Note Note::read(std::string_view text, std::string_view value)
{
    Note note;
    const QJsonObject object =
        QJsonDocument::fromJson(QByteArray::fromRawData(text.data(), qsizetype(text.size())))
            .object();
    QByteArray owner = object.value("owner"_L1).toString().toUtf8();
    if (owner.isEmpty())
        owner = QByteArray::fromBase64(object.value("ownerBase64"_L1).toString().toLatin1());
    if (object.isEmpty() || std::string_view(owner.data(), std::size_t(owner.size())) != value)
        return note;
    const qint64 token = object.value("token"_L1).toInteger();
    if (token > 0)
        note.token = FencingToken(token);
    const QString host = object.value("host"_L1).toString();
    if (!host.isEmpty()) {
        HolderNote::Fields& fields = note.holder.edit();
        fields.host = host.toStdString();
        fields.pid = object.value("pid"_L1).toInteger();
        fields.program = object.value("program"_L1).toString().toStdString();
        fields.acquiredAt = object.value("acquiredAt"_L1).toString().toStdString();
        fields.requestId = object.value("requestId"_L1).toString().toStdString();
    }
    return note;
}

} // namespace lockboard::redis
