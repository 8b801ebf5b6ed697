// SPDX-License-Identifier: MIT
#include "engine/audit_log.h"

#include "engine/errors.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QSysInfo>

#include <pwd.h>
#include <unistd.h>

namespace lockboard {

using namespace Qt::StringLiterals;

static QString text(const std::string& bytes)
{
    return QString::fromStdString(printable(bytes));
}

AuditLog::AuditLog(const QString& file, std::string operatorName)
    : m_file(file)
    , m_operator(std::move(operatorName))
{
    QDir().mkpath(QFileInfo(file).absolutePath());
    // Unbuffered and appending: one write(2) a line, whole even beside other writers.
    if (!m_file.open(QIODevice::WriteOnly | QIODevice::Append | QIODevice::Unbuffered)) {
        throw ConfigError(file.toStdString(), "", 0,
                          "the audit log can't be written: " + m_file.errorString().toStdString());
    }
    m_file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
}

QString AuditLog::defaultFile()
{
    // QStandardPaths knows no state directory before Qt 6.7.
    QString state = qEnvironmentVariable("XDG_STATE_HOME");
    if (!QDir::isAbsolutePath(state))
        state = QDir::homePath() + u"/.local/state"_s;
    return state + u"/lockboard/audit.jsonl"_s;
}

std::string AuditLog::defaultOperator()
{
    const passwd* user = getpwuid(getuid());
    const std::string name = user ? user->pw_name : std::to_string(getuid());
    return name + '@' + QSysInfo::machineHostName().toStdString();
}

void AuditLog::append(const AuditRecord& record)
{
    QJsonArray keys;
    QJsonArray raw; // what `keys` shows escaped, byte for byte
    for (const std::string& key : record.keys) {
        keys.append(text(key));
        if (!isUtf8(key))
            raw.append(QString::fromLatin1(QByteArray::fromStdString(key).toBase64()));
    }
    QJsonObject line{
        {u"time"_s, QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)},
        {u"operator"_s, text(m_operator)},
        {u"provider"_s, text(record.provider)},
        {u"verb"_s, text(record.verb)},
        {u"keys"_s, keys},
        {u"owner"_s, record.owner ? QJsonValue(text(*record.owner)) : QJsonValue()},
        {u"outcome"_s, text(record.outcome)},
    };
    if (!record.arguments.empty()) {
        QJsonArray arguments;
        for (const std::string& argument : record.arguments)
            arguments.append(text(argument));
        line.insert(u"arguments"_s, arguments);
    }
    if (!raw.isEmpty())
        line.insert(u"keysBase64"_s, raw);
    if (!record.context.isEmpty()) {
        const SharedContext::Fields& fields = record.context.fields();
        QJsonObject context;
        const auto put = [&](const QString& name, const std::string& value) {
            if (!value.empty())
                context.insert(name, text(value));
        };
        put(u"requestId"_s, fields.requestId);
        put(u"transactionId"_s, fields.transactionId);
        put(u"eventGroupId"_s, fields.eventGroupId);
        put(u"idempotencyKey"_s, fields.idempotencyKey);
        put(u"isolationLevel"_s, fields.isolationLevel);
        put(u"parentStepIdempotencyKey"_s, fields.parentStepIdempotencyKey);
        if (fields.enableNestedTransactions)
            context.insert(u"enableNestedTransactions"_s, true);
        if (fields.preventReleaseEvents)
            context.insert(u"preventReleaseEvents"_s, true);
        line.insert(u"context"_s, context);
    }
    const QByteArray bytes = QJsonDocument(line).toJson(QJsonDocument::Compact) + '\n';
    if (m_file.write(bytes) != bytes.size())
        qWarning("The audit log can't be written: %s", qPrintable(m_file.errorString()));
}

} // namespace lockboard
