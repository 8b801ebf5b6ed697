// SPDX-License-Identifier: MIT
#include "engine/module/locking_module.h"
#include "tests/support/await.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestAuditLog final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyMutationLeavesItsIntentAndItsOutcome();
    void contextIsWritten();
    void appendsAndIsPrivate();
    void leavesTheModeOfAnothersFile();
    void refusedIsNotWritten();
    void defaultFileFollowsXdg();
    void findsAPlaceWithoutAHome();
    void unwritableIsAnError();
    void touchesRegularFilesOnly_data();
    void touchesRegularFilesOnly();
    void refusesWhatCannotBeRecorded();
    void saysThatTheOutcomeIsNotRecorded();
    void isBoundedInSize();
    void keepsLinesWholeBesideOthers();
    void beginsALineOfItsOwnAfterATornOne();
    void doesNotWaitLongForOthers();
    void makesItAgainWhereItWasRemoved();
    void hasNothingThatATerminalObeys();

private:
    [[nodiscard]] QString path(const char* name) const
    {
        return m_folder.filePath(QString::fromUtf8(name));
    }

    QTemporaryDir m_folder;
};

static QList<QJsonObject> lines(const QString& file)
{
    QFile device(file);
    if (!device.open(QIODevice::ReadOnly))
        return {};
    QList<QJsonObject> list;
    for (const QByteArray& line : device.readAll().split('\n')) {
        if (line.isEmpty())
            continue;
        const QJsonDocument document = QJsonDocument::fromJson(line);
        if (!document.isObject())
            throw std::runtime_error("no JSON: " + line.toStdString());
        list.append(document.object());
    }
    return list;
}

static mode_t modeOf(const QString& file)
{
    struct stat there { };
    return lstat(qPrintable(file), &there) == 0 ? there.st_mode & 07777 : 0;
}

static AuditRecord recordOf(const std::string& key)
{
    AuditRecord record;
    record.provider = "p";
    record.verb = "acquire";
    record.keys = {key};
    return record;
}

namespace {

//! No file of this process may grow beyond it.
class SizeLimit final {
public:
    explicit SizeLimit(qint64 size)
    {
        getrlimit(RLIMIT_FSIZE, &m_before);
        const rlimit limit{static_cast<rlim_t>(size), m_before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SizeLimit() { setrlimit(RLIMIT_FSIZE, &m_before); }
    SizeLimit(const SizeLimit&) = delete;
    SizeLimit& operator=(const SizeLimit&) = delete;

private:
    rlimit m_before{};
};

//! A module on locks in memory that is audited.
struct Audited {
    explicit Audited(const QString& file)
        : container(clock, [this](LogLevel, const std::string& said) { log.push_back(said); })
    {
        settings.audit = std::make_shared<AuditLog>(file, "ada@host");
        locks = std::make_unique<LockingModule>(Config(), container, settings);
    }

    SystemClock clock;
    std::vector<std::string> log;
    Container container;
    LockingModule::Settings settings;
    std::unique_ptr<LockingModule> locks;
};

} // namespace

void TestAuditLog::everyMutationLeavesItsIntentAndItsOutcome()
{
    const QString file = path("every/audit.jsonl");
    Audited audited(file);
    LockingModule& locks = *audited.locks;
    await(locks.acquire(LockKeys("a", "b"), AcquireOptions().ownedBy("X")));
    try {
        await(locks.acquire("b", AcquireOptions().ownedBy("Y")));
        QFAIL("granted");
    } catch (const Conflict&) {
    }
    await(locks.release(LockKeys("a", "nothing"), ReleaseOptions().ownedBy("X")));
    await(locks.execute("c", [] { return 1; }));
    const auto throwing = []() -> int { throw std::runtime_error("secret"); };
    try {
        await(locks.execute("c", throwing));
        QFAIL("did not throw");
    } catch (const std::runtime_error&) {
    }
    await(locks.releaseAll());

    const auto all = lines(file);
    QCOMPARE(all.size(), 12);
    QStringList story;
    for (qsizetype i = 0; i < all.size(); ++i) {
        const QJsonObject& line = all[i];
        QCOMPARE(line[u"operator"_s].toString(), u"ada@host"_s);
        QCOMPARE(line[u"provider"_s].toString(), u"in-memory"_s);
        QVERIFY(QDateTime::fromString(line[u"time"_s].toString(), Qt::ISODateWithMs).isValid());
        QCOMPARE(line[u"event"_s].toString(), i % 2 == 0 ? u"intent"_s : u"outcome"_s);
        QCOMPARE(line.contains(u"outcome"_s), i % 2 == 1);
        // Two lines that belong together say so, and say the same.
        const QJsonObject& first = all[i - i % 2];
        for (const QString& name : {u"id"_s, u"verb"_s, u"keys"_s, u"owner"_s})
            QCOMPARE(line[name], first[name]);
        QVERIFY(i == 0 || i % 2 == 1 || line[u"id"_s] != all[i - 1][u"id"_s]);
        if (i % 2 == 1)
            story << line[u"verb"_s].toString() + u": "_s + line[u"outcome"_s].toString();
    }
    QCOMPARE(story,
             (QStringList{u"acquire: granted"_s, u"acquire: Failed to acquire lock for key \"b\""_s,
                          u"release: not released: nothing (not held)"_s, u"execute: done"_s,
                          u"execute: the job failed"_s, u"releaseAll: released 1, left 0"_s}));
    QCOMPARE(all[0][u"keys"_s].toArray(), (QJsonArray{u"a"_s, u"b"_s}));
    QCOMPARE(all[0][u"owner"_s].toString(), u"X"_s);
    QVERIFY(all[11][u"owner"_s].isNull());
}

void TestAuditLog::contextIsWritten()
{
    const QString file = m_folder.filePath(u"context.jsonl"_s);
    AuditLog log(file, "ada");
    AuditRecord record;
    record.context.edit().requestId = "r1";
    record.context.edit().preventReleaseEvents = true;
    QVERIFY(!log.conclude(record));
    const QJsonObject context = lines(file).first()[u"context"_s].toObject();
    QCOMPARE(context[u"requestId"_s].toString(), u"r1"_s);
    QCOMPARE(context[u"preventReleaseEvents"_s].toBool(), true);
    QVERIFY(!context.contains(u"transactionId"_s));
    QVERIFY(!lines(file).first().contains(u"keysBase64"_s));

    record.keys = {"plain", "a\xff"};
    QVERIFY(!log.conclude(record));
    QCOMPARE(lines(file).last()[u"keys"_s].toArray(), (QJsonArray{u"plain"_s, u"a\\xff"_s}));
    QCOMPARE(lines(file).last()[u"keysBase64"_s].toArray(), (QJsonArray{u"Yf8="_s}));
}

void TestAuditLog::appendsAndIsPrivate()
{
    const QString file = m_folder.filePath(u"append.jsonl"_s);
    const mode_t before = umask(0); // what it makes is private all the same
    QVERIFY(!AuditLog(file, "one").conclude({}));
    QVERIFY(!AuditLog(file, "two").conclude({}));
    QVERIFY(!AuditLog(path("new/folder/audit.jsonl"), "ada").conclude({}));
    umask(before);
    QCOMPARE(lines(file).size(), 2);
    QCOMPARE(modeOf(file), mode_t(0600));
    QCOMPARE(modeOf(path("new/folder/audit.jsonl")), mode_t(0600));
    QCOMPARE(modeOf(path("new/folder")), mode_t(0700));
}

void TestAuditLog::leavesTheModeOfAnothersFile()
{
    const QString file = path("administrators.jsonl");
    for (const mode_t mode : {0664, 0640, 0600, 0666}) {
        QFile made(file);
        QVERIFY(made.open(QIODevice::WriteOnly));
        made.close();
        QCOMPARE(chmod(qPrintable(file), mode), 0);
        QVERIFY(!AuditLog(file, "ada").conclude({}));
        QCOMPARE(modeOf(file), mode);
        QCOMPARE(lines(file).size(), 1);
    }
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

void TestAuditLog::findsAPlaceWithoutAHome()
{
    const QByteArray home = qgetenv("HOME");
    const QString spare = u"/var/tmp/lockboard-%1/audit.jsonl"_s.arg(getuid());
    qputenv("HOME", "/nonexistent");
    QCOMPARE(AuditLog::defaultFile(), spare);
    QVERIFY(!AuditLog(AuditLog::defaultFile(), "ada").conclude(recordOf("homeless")));
    QCOMPARE(modeOf(spare), mode_t(0600));
    QVERIFY(!QFileInfo::exists(u"/nonexistent"_s));
    qputenv("HOME", "relative");
    QCOMPARE(AuditLog::defaultFile(), spare);
    qunsetenv("HOME"); // the user's own home is found all the same
    QVERIFY(!AuditLog::defaultFile().startsWith(u"/.local"_s));
    if (geteuid() != 0) { // which can write anywhere
        chmod(qPrintable(m_folder.path()), 0500);
        qputenv("HOME", m_folder.path().toUtf8());
        QCOMPARE(AuditLog::defaultFile(), spare);
        chmod(qPrintable(m_folder.path()), 0700);
    }
    qputenv("HOME", home);
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

void TestAuditLog::touchesRegularFilesOnly_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("what");
    const auto row = [](const char* name, const QString& file, const char* what) {
        QTest::newRow(name) << file << QByteArray(what);
    };
    mkdir(qPrintable(path("folder")), 0755);
    row("folder", path("folder"), "a directory");
    mkfifo(qPrintable(path("fifo")), 0644);
    row("FIFO", path("fifo"), "a FIFO");
    mkfifo(qPrintable(path("read fifo")), 0644);
    static const int reader = open(qPrintable(path("read fifo")), O_RDONLY | O_NONBLOCK);
    QVERIFY(reader >= 0);
    row("FIFO that is read", path("read fifo"), "a FIFO");
    // The system's own only where it could not be harmed.
    const bool made = mknod(qPrintable(path("null")), S_IFCHR | 0666, makedev(1, 3)) == 0
        && chmod(qPrintable(path("null")), 0666) == 0;
    QVERIFY(made || geteuid() != 0);
    row("device", made ? path("null") : u"/dev/null"_s, "a device");
    const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    qstrncpy(address.sun_path, qPrintable(path("socket")), sizeof address.sun_path);
    QVERIFY(bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    close(listening);
    row("socket", path("socket"), "a socket");
    QFile target(path("target"));
    QVERIFY(target.open(QIODevice::WriteOnly));
    QVERIFY(symlink(qPrintable(path("target")), qPrintable(path("link"))) == 0);
    row("link", path("link"), "a symbolic link");
    QVERIFY(symlink(qPrintable(path("nowhere")), qPrintable(path("dangling"))) == 0);
    row("dangling link", path("dangling"), "a symbolic link");
}

void TestAuditLog::touchesRegularFilesOnly()
{
    QFETCH(QString, file);
    QFETCH(QByteArray, what);
    const mode_t before = modeOf(file);
    std::string said;
    try {
        const AuditLog log(file, "ada");
    } catch (const ConfigError& error) {
        said = error.message();
    }
    QCOMPARE(modeOf(file), before);
    QVERIFY2(said.find(what.toStdString()) != said.npos, said.c_str());
    QVERIFY2(said.find("--no-audit") != said.npos, said.c_str());
    QVERIFY(said.starts_with(file.toStdString()));
    QVERIFY(!QFileInfo::exists(path("nowhere")));
    QCOMPARE(QFileInfo(path("target")).size(), 0);
}

void TestAuditLog::refusesWhatCannotBeRecorded()
{
    const QString file = path("full.jsonl");
    Audited audited(file);
    LockingModule& locks = *audited.locks;
    await(locks.acquire("before", AcquireOptions().ownedBy("X")));
    const qint64 size = QFileInfo(file).size();
    int refused = 0;
    bool ran = false;
    const auto job = [&ran] { ran = true; };
    {
        const SizeLimit limit(size + 20);
        const auto refuses = [&](auto call) {
            try {
                call();
            } catch (const NotRecorded& error) {
                refused += error.code() == ErrorCode::Unavailable;
                QVERIFY2(error.message().find(file.toStdString()) != std::string::npos,
                         error.what());
            }
        };
        refuses([&] { await(locks.acquire("a", AcquireOptions().ownedBy("X"))); });
        refuses([&] { await(locks.release("before", ReleaseOptions().ownedBy("X"))); });
        refuses([&] { await(locks.releaseAll()); });
        refuses([&] { await(locks.execute("b", job)); });
        refuses([&] { await(locks.removeNotices()); });
    }
    QCOMPARE(refused, 5);
    QVERIFY(!ran);
    QCOMPARE(QFileInfo(file).size(), size); // no part of a line either
    try {
        await(locks.acquire("before", AcquireOptions().ownedBy("Y")));
        QFAIL("it was released");
    } catch (const Conflict&) {
    }
    await(locks.acquire("a", AcquireOptions().ownedBy("Y"))); // it was free, and works again
}

void TestAuditLog::saysThatTheOutcomeIsNotRecorded()
{
    const QString file = path("nearly full.jsonl");
    Audited audited(file);
    LockingModule& locks = *audited.locks;
    AuditRecord record = recordOf("k");
    record.provider = "in-memory";
    record.owner = "X";
    audited.settings.audit->intend(record);
    const qint64 intent = QFileInfo(file).size();
    {
        const SizeLimit limit(2 * intent + 10);
        const Grant grant = await(locks.acquire("k", AcquireOptions().ownedBy("X")));
        QVERIFY(!grant.leaseEnd());
    }
    QVERIFY(!audited.log.empty());
    const std::string& said = audited.log.back();
    const std::string id = lines(file).last()[u"id"_s].toString().toStdString();
    QVERIFY2(said.find("could not be recorded") != said.npos, said.c_str());
    QVERIFY2(said.find(id) != said.npos, said.c_str());
    QCOMPARE(lines(file).size(), 2);
    QVERIFY(await(locks.release("k", ReleaseOptions().ownedBy("X"))).allReleased());
}

void TestAuditLog::isBoundedInSize()
{
    const QString file = path("bounded/audit.jsonl");
    constexpr qint64 limit = 4000;
    AuditLog log(file, "ada", limit);
    QVERIFY(chmod(qPrintable(file), 0640) == 0);
    for (int i = 0; i < 500; ++i)
        QVERIFY(!log.conclude(recordOf(std::to_string(i))));
    const QFileInfoList files = QFileInfo(file).dir().entryInfoList(QDir::Files, QDir::Name);
    QCOMPARE(files.size(), 1 + AuditFile::keptFiles);
    int next = 500; // the newest are kept, all of them, from the last file to the first
    for (const QFileInfo& each : files) {
        QVERIFY(each.size() <= limit);
        QVERIFY(each.size() > limit / 2 || each.filePath() == file);
        QCOMPARE(modeOf(each.filePath()), mode_t(0640));
        const auto kept = lines(each.filePath());
        for (auto line = kept.rbegin(); line != kept.rend(); ++line)
            QCOMPARE((*line)[u"keys"_s].toArray()[0].toString(), QString::number(--next));
    }
    QVERIFY(next < 450);
    // What is longer than the limit is written all the same.
    QVERIFY(!log.conclude(recordOf(std::string(2 * limit, 'x'))));
    QVERIFY(!log.conclude(recordOf("after")));
    QCOMPARE(lines(file).last()[u"keys"_s].toArray()[0].toString(), u"after"_s);
}

void TestAuditLog::keepsLinesWholeBesideOthers()
{
    const QString file = path("crowd/audit.jsonl");
    constexpr int writers = 6;
    constexpr int each = 200;
    std::vector<std::thread> crowd;
    std::atomic<int> failed = 0;
    for (int writer = 0; writer < writers; ++writer) {
        crowd.emplace_back([&, writer] {
            // Its own file, as another program has it. All are kept, but in several files.
            AuditLog log(file, "ada", 300'000);
            for (int i = 0; i < each; ++i) {
                AuditRecord record = recordOf(std::string(500, 'x'));
                record.outcome = std::to_string(writer) + ':' + std::to_string(i);
                if (const auto problem = log.conclude(record); problem && ++failed == 1)
                    qWarning("%s", problem->c_str());
            }
        });
    }
    for (std::thread& thread : crowd)
        thread.join();
    QCOMPARE(failed.load(), 0);
    QSet<QString> seen;
    int count = 0;
    const QFileInfoList files = QFileInfo(file).dir().entryInfoList(QDir::Files);
    QVERIFY(files.size() > 2 && files.size() <= AuditFile::keptFiles); // so none has gone
    for (const QFileInfo& one : files) {
        for (const QJsonObject& line : lines(one.filePath())) {
            seen.insert(line[u"outcome"_s].toString());
            ++count;
        }
    }
    QCOMPARE(count, writers * each);
    QCOMPARE(seen.size(), count);
}

void TestAuditLog::beginsALineOfItsOwnAfterATornOne()
{
    QFile file(path("torn.jsonl"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\"time\":\"20");
    file.close();
    QVERIFY(!AuditLog(file.fileName(), "ada").conclude(recordOf("k")));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArrayList all = file.readAll().split('\n');
    QCOMPARE(all.size(), 3);
    QCOMPARE(all[0], "{\"time\":\"20");
    QVERIFY(QJsonDocument::fromJson(all[1]).isObject());
}

void TestAuditLog::doesNotWaitLongForOthers()
{
    const QString file = path("locked.jsonl");
    AuditLog log(file, "ada");
    const int other = open(qPrintable(file), O_RDONLY | O_CLOEXEC);
    QVERIFY(flock(other, LOCK_EX) == 0);
    QElapsedTimer clock;
    clock.start();
    AuditRecord record = recordOf("k");
    try {
        log.intend(record);
        QFAIL("written");
    } catch (const NotRecorded& error) {
        QVERIFY2(error.message().find("locked") != std::string::npos, error.what());
    }
    QVERIFY(clock.elapsed() < 5000);
    close(other);
    log.intend(record);
    QCOMPARE(lines(file).size(), 1);
}

void TestAuditLog::makesItAgainWhereItWasRemoved()
{
    const QString file = path("removed/audit.jsonl");
    AuditLog log(file, "ada");
    QVERIFY(!log.conclude(recordOf("a")));
    QVERIFY(QDir(path("removed")).removeRecursively());
    QVERIFY(!log.conclude(recordOf("b")));
    QCOMPARE(lines(file).size(), 1);
    // What has taken its place meanwhile is looked at as well.
    QVERIFY(QFile::remove(file));
    QVERIFY(symlink("/nonexistent/elsewhere", qPrintable(file)) == 0);
    const auto problem = log.conclude(recordOf("c"));
    QVERIFY(problem && problem->find("symbolic link") != problem->npos);
}

void TestAuditLog::hasNothingThatATerminalObeys()
{
    const QString file = path("hostile.jsonl");
    const std::string hostile = "a\x1b[2J\xc2\x9b\x31mb\xe2\x80\xae\xf3\xa0\x80\x81\r\nz";
    AuditLog log(file, hostile);
    AuditRecord record = recordOf(hostile);
    record.provider = record.verb = record.outcome = hostile;
    record.owner = hostile;
    record.arguments = {hostile};
    record.context.edit().requestId = hostile;
    log.intend(record);
    QVERIFY(!log.conclude(record));
    QFile raw(file);
    QVERIFY(raw.open(QIODevice::ReadOnly));
    const QByteArray bytes = raw.readAll();
    for (const char* bad : {"\x1b", "\xc2\x9b", "\xe2\x80\xae", "\xf3\xa0\x80\x81", "\r"})
        QVERIFY2(!bytes.contains(bad), bytes);
    QCOMPARE(bytes.count('\n'), 2);
    const QJsonObject line = lines(file).last();
    QCOMPARE(line[u"keys"_s].toArray()[0].toString().toStdString(), hostile);
    QCOMPARE(line[u"owner"_s].toString().toStdString(), hostile);
}

QTEST_GUILESS_MAIN(TestAuditLog)
#include "tst_audit_log.moc"
