// SPDX-License-Identifier: MIT
#include "engine/locking_module.h"
#include "tests/support/await.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestAuditLog final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyMutationLeavesALine();
    void contextIsWritten();
    void appendsAndIsPrivate();
    void refusedIsNotWritten();
    void defaultFileFollowsXdg();
    void unwritableIsAnError();

private:
    QTemporaryDir m_folder;
};

static QList<QJsonObject> lines(const QString& file)
{
    QFile device(file);
    if (!device.open(QIODevice::ReadOnly))
        return {};
    QList<QJsonObject> list;
    for (const QByteArray& line : device.readAll().split('\n')) {
        if (!line.isEmpty())
            list.append(QJsonDocument::fromJson(line).object());
    }
    return list;
}

void TestAuditLog::everyMutationLeavesALine()
{
    const QString file = m_folder.filePath(u"every/audit.jsonl"_s);
    SystemClock clock;
    LockingModule::Settings settings;
    settings.audit = std::make_shared<AuditLog>(file, "ada@host");
    const Container container(clock);
    LockingModule locks(Config(), container, settings);
    await(locks.acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("X")));
    try {
        await(locks.acquire("b", AcquireOptions().ownedBy("Y")));
        QFAIL("granted");
    } catch (const Conflict&) {
    }
    await(locks.release(LockKeys("a", "nothing"), ReleaseOptions().ownedBy("X")));
    await(locks.execute("c", [] { return 1; }));
    try {
        const auto throwing = []() -> int { throw std::runtime_error("secret"); };
        await(locks.execute("c", throwing));
        QFAIL("did not throw");
    } catch (const std::runtime_error&) {
    }
    await(locks.releaseAll());

    const auto all = lines(file);
    QCOMPARE(all.size(), 6);
    QStringList story;
    for (const QJsonObject& line : all) {
        QCOMPARE(line[u"operator"_s].toString(), u"ada@host"_s);
        QCOMPARE(line[u"provider"_s].toString(), u"in-memory"_s);
        QVERIFY(QDateTime::fromString(line[u"time"_s].toString(), Qt::ISODateWithMs).isValid());
        story << line[u"verb"_s].toString() + u": "_s + line[u"outcome"_s].toString();
    }
    QCOMPARE(story,
             (QStringList{u"acquire: granted"_s, u"acquire: Failed to acquire lock for key \"b\""_s,
                          u"release: not released: nothing (not held)"_s, u"execute: done"_s,
                          u"execute: the job failed"_s, u"releaseAll: released 1, left 0"_s}));
    QCOMPARE(all[0][u"keys"_s].toArray(), (QJsonArray{u"a"_s, u"b"_s}));
    QCOMPARE(all[0][u"owner"_s].toString(), u"X"_s);
    QVERIFY(all[5][u"owner"_s].isNull());
}

void TestAuditLog::contextIsWritten()
{
    const QString file = m_folder.filePath(u"context.jsonl"_s);
    AuditLog log(file, "ada");
    AuditRecord record;
    record.context.edit().requestId = "r1";
    record.context.edit().preventReleaseEvents = true;
    log.append(record);
    const QJsonObject context = lines(file).first()[u"context"_s].toObject();
    QCOMPARE(context[u"requestId"_s].toString(), u"r1"_s);
    QCOMPARE(context[u"preventReleaseEvents"_s].toBool(), true);
    QVERIFY(!context.contains(u"transactionId"_s));
    QVERIFY(!lines(file).first().contains(u"keysBase64"_s));

    record.keys = {"plain", "a\xff"};
    log.append(record);
    QCOMPARE(lines(file).last()[u"keys"_s].toArray(), (QJsonArray{u"plain"_s, u"a\\xff"_s}));
    QCOMPARE(lines(file).last()[u"keysBase64"_s].toArray(), (QJsonArray{u"Yf8="_s}));
}

void TestAuditLog::appendsAndIsPrivate()
{
    const QString file = m_folder.filePath(u"append.jsonl"_s);
    AuditLog(file, "one").append({});
    AuditLog(file, "two").append({});
    QCOMPARE(lines(file).size(), 2);
    QCOMPARE(QFile::permissions(file)
                 & (QFileDevice::ReadGroup | QFileDevice::ReadOther | QFileDevice::WriteGroup
                    | QFileDevice::WriteOther),
             QFileDevice::Permissions());
}

void TestAuditLog::refusedIsNotWritten()
{
    // Refused before it reaches a provider: nothing was done, and nothing is written.
    const QString file = m_folder.filePath(u"readonly.jsonl"_s);
    SystemClock clock;
    LockingModule::Settings settings;
    settings.readOnly = true;
    settings.audit = std::make_shared<AuditLog>(file, "ada");
    const Container container(clock);
    LockingModule locks(Config(), container, settings);
    try {
        await(locks.releaseAll());
        QFAIL("allowed");
    } catch (const ReadOnly& error) {
        QCOMPARE(error.code(), ErrorCode::ReadOnly);
    }
    QVERIFY(lines(file).isEmpty());
}

void TestAuditLog::defaultFileFollowsXdg()
{
    qputenv("XDG_STATE_HOME", "/somewhere/state");
    QCOMPARE(AuditLog::defaultFile(), u"/somewhere/state/lockboard/audit.jsonl"_s);
    qputenv("XDG_STATE_HOME", "relative"); // not valid by the specification
    QCOMPARE(AuditLog::defaultFile(), QDir::homePath() + u"/.local/state/lockboard/audit.jsonl"_s);
    qunsetenv("XDG_STATE_HOME");
}

void TestAuditLog::unwritableIsAnError()
{
    try {
        AuditLog log(m_folder.path(), "ada"); // a folder
        QFAIL("opened");
    } catch (const ConfigError& error) {
        QVERIFY(error.message().starts_with(m_folder.path().toStdString()));
    }
}

QTEST_GUILESS_MAIN(TestAuditLog)
#include "tst_audit_log.moc"
