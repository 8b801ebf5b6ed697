// SPDX-License-Identifier: MIT
#include "engine/module/audit_log.h"

#include "engine/contract/safe_json.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonObject>
#include <QRandomGenerator>
#include <QSysInfo>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lockboard {

using namespace Qt::StringLiterals;

static QString text(const std::string& bytes)
{
    return QString::fromStdString(printable(bytes));
}

NotRecorded::NotRecorded(const std::string& file, const std::string& problem)
    : Unavailable("Nothing was done, because it can't be recorded: the audit log " + printable(file)
                  + " can't be written: " + problem + '.')
{
}

AuditLog::AuditLog(const QString& file, std::string operatorName, std::int64_t limit)
    : m_file(file.toStdString(), limit)
    , m_operator(std::move(operatorName))
{
}

//! Where nothing is yet, the folder that something can be made in: what is there of the path.
static bool canMake(const QString& folder)
{
    QString there = folder;
    while (!QFileInfo::exists(there) && there != QFileInfo(there).path())
        there = QFileInfo(there).path();
    return QFileInfo(there).isDir() && access(qPrintable(there), W_OK | X_OK) == 0;
}

//! The folder of a user without a home. Others can make folders beside it, so it must be ours.
static QString spareFolder()
{
    const QString folder = u"/var/tmp/lockboard-%1"_s.arg(getuid());
    ::mkdir(qPrintable(folder), 0700);
    struct stat there { };
    const bool isOurs = lstat(qPrintable(folder), &there) == 0 && S_ISDIR(there.st_mode)
        && there.st_uid == getuid() && (there.st_mode & 0022) == 0;
    if (!isOurs) {
        throw ConfigError(folder.toStdString(), "", 0,
                          "the audit log can't be written: this user has no home, and the folder "
                          "is not the user's own; say --audit-log FILE, or --no-audit to keep no "
                          "record");
    }
    return folder;
}

QString AuditLog::defaultFile()
{
    const QString name = u"/lockboard/audit.jsonl"_s;
    // QStandardPaths knows no state directory before Qt 6.7.
    const QString state = qEnvironmentVariable("XDG_STATE_HOME");
    if (QDir::isAbsolutePath(state))
        return state + name;
    // Without HOME, Qt would take the root of all folders for it.
    QString home = qEnvironmentVariable("HOME");
    const passwd* const user = home.isEmpty() ? getpwuid(getuid()) : nullptr;
    if (user)
        home = QString::fromLocal8Bit(user->pw_dir);
    const QString ours = QDir::cleanPath(home) + u"/.local/state"_s;
    if (QDir::isAbsolutePath(home) && QFileInfo(home).isDir() && canMake(ours + u"/lockboard"_s))
        return ours + name;
    return spareFolder() + u"/audit.jsonl"_s;
}

std::string AuditLog::defaultOperator()
{
    const passwd* user = getpwuid(getuid());
    const std::string name = user ? user->pw_name : std::to_string(getuid());
    return name + '@' + QSysInfo::machineHostName().toStdString();
}

static QJsonObject contextObject(const SharedContext& context)
{
    const SharedContext::Fields& fields = context.fields();
    QJsonObject object;
    const auto put = [&](const QString& name, const std::string& value) {
        if (!value.empty())
            object.insert(name, text(value));
    };
    put(u"requestId"_s, fields.requestId);
    put(u"transactionId"_s, fields.transactionId);
    put(u"eventGroupId"_s, fields.eventGroupId);
    put(u"idempotencyKey"_s, fields.idempotencyKey);
    put(u"isolationLevel"_s, fields.isolationLevel);
    put(u"parentStepIdempotencyKey"_s, fields.parentStepIdempotencyKey);
    if (fields.enableNestedTransactions)
        object.insert(u"enableNestedTransactions"_s, true);
    if (fields.preventReleaseEvents)
        object.insert(u"preventReleaseEvents"_s, true);
    return object;
}

QByteArray AuditLog::lineOf(const AuditRecord& record, bool isOutcome) const
{
    QJsonArray keys;
    QJsonArray raw; // what `keys` shows escaped, byte for byte
    for (const std::string& key : record.keys) {
        const std::optional<QString> exact = exactText(key);
        keys.append(exact.value_or(text(key)));
        if (!exact)
            raw.append(QString::fromLatin1(QByteArray::fromStdString(key).toBase64()));
    }
    QJsonObject line{
        {u"time"_s, QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)},
        {u"id"_s, text(record.id)},
        {u"event"_s, isOutcome ? u"outcome"_s : u"intent"_s},
        {u"operator"_s, text(m_operator)},
        {u"provider"_s, text(record.provider)},
        {u"verb"_s, text(record.verb)},
        {u"keys"_s, keys},
        {u"owner"_s, QJsonValue()},
    };
    if (record.owner)
        insertBytes(line, u"owner"_s, *record.owner);
    if (isOutcome)
        line.insert(u"outcome"_s, text(record.outcome));
    if (!record.arguments.empty()) {
        QJsonArray arguments;
        for (const std::string& argument : record.arguments)
            arguments.append(text(argument));
        line.insert(u"arguments"_s, arguments);
    }
    if (!raw.isEmpty())
        line.insert(u"keysBase64"_s, raw);
    if (!record.context.isEmpty())
        line.insert(u"context"_s, contextObject(record.context));
    return toSafeJson(line);
}

void AuditLog::intend(AuditRecord& record)
{
    record.id = QString::number(QRandomGenerator::system()->generate64(), 16)
                    .rightJustified(16, u'0')
                    .toStdString();
    const QByteArray line = lineOf(record, false);
    const auto problem =
        m_file.append(std::string_view(line.data(), static_cast<std::size_t>(line.size())));
    if (problem)
        throw NotRecorded(m_file.path(), *problem);
}

std::optional<std::string> AuditLog::conclude(const AuditRecord& record)
{
    const QByteArray line = lineOf(record, true);
    const auto problem =
        m_file.append(std::string_view(line.data(), static_cast<std::size_t>(line.size())));
    if (!problem)
        return {};
    return "What came of it could not be recorded: the audit log " + printable(m_file.path())
        + " can't be written: " + *problem + ". Its intent is there, as " + record.id + '.';
}

} // namespace lockboard
