// SPDX-License-Identifier: MIT
//! The record that the program keeps: what it touches, what it refuses, what it does without.
#include "tests/cli/redis_ctl.h"

#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QTest>

#include <csignal>

#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlAudit final : public QObject, private RedisCtl {
    Q_OBJECT

private Q_SLOTS:
    void init() { flush(); }

    void refusesWhatIsNoRegularFile_data();
    void refusesWhatIsNoRegularFile();
    void leavesTheModeOfAnothersFile();
    void keepsNoneIfTold();
    void needsNoneToLook_data();
    void needsNoneToLook();
    void changesNothingThatItCannotRecord_data();
    void changesNothingThatItCannotRecord();
    void tellsWhatItDidAndCouldNotRecord();
    void worksForAUserWithoutAHome();
    void keepsLinesOfManyProgramsWhole();
    void saysWhatAnInterruptedReleaseAllHasDone();

private:
    //! A device that any user may write to, of our own where that can be had.
    [[nodiscard]] QString device() const
    {
        const QString own = m_ctl.path(u"null"_s);
        const QByteArray name = QFile::encodeName(own);
        if (mknod(name.constData(), S_IFCHR | 0666, makedev(1, 3)) != 0 && errno != EEXIST)
            return u"/dev/null"_s;
        chmod(name.constData(), 0666);
        return own;
    }
};

static mode_t modeOf(const QString& file)
{
    struct stat there { };
    return stat(qPrintable(file), &there) == 0 ? there.st_mode & 07777 : 0;
}

void TestCtlAudit::refusesWhatIsNoRegularFile_data()
{
    QTest::addColumn<QString>("file");
    QTest::newRow("device") << device();
    const QString fifo = m_ctl.path(u"fifo"_s);
    mkfifo(qPrintable(fifo), 0644);
    QTest::newRow("FIFO") << fifo;
    const QString link = m_ctl.path(u"link"_s);
    QFile::link(m_ctl.writeFile(u"target"_s, ""), link);
    QTest::newRow("link") << link;
    QTest::newRow("folder") << m_ctl.path({});
}

void TestCtlAudit::refusesWhatIsNoRegularFile()
{
    QFETCH(QString, file);
    const mode_t before = modeOf(file);
    set("k", "bob");
    QElapsedTimer clock;
    clock.start();
    for (const QByteArrayList& words : {QByteArrayList{"acquire", "a"},
                                        {"release", "k", "--owner", "bob"},
                                        {"release-all", "--yes"}}) {
        const CtlRun run =
            m_ctl.run(words + QByteArrayList{"--audit-log", QFile::encodeName(file)});
        QCOMPARE(run.code, 78);
        QCOMPARE(run.err.count('\n'), 1);
        QVERIFY2(run.err.contains("--no-audit"), run.err);
        QVERIFY2(run.err.contains(file.toUtf8()), run.err);
    }
    QVERIFY(clock.elapsed() < 30'000);
    QCOMPARE(modeOf(file), before);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"1"_s);
}

void TestCtlAudit::leavesTheModeOfAnothersFile()
{
    const QString file = m_ctl.writeFile(u"shared.jsonl"_s, "");
    QVERIFY(chmod(qPrintable(file), 0664) == 0);
    QCOMPARE(m_ctl.run({"acquire", "a", "--audit-log", file.toUtf8()}).code, 0);
    QCOMPARE(modeOf(file), mode_t(0664));
    QVERIFY(QFileInfo(file).size() > 0);
}

void TestCtlAudit::keepsNoneIfTold()
{
    Ctl ctl;
    ctl.alwaysWith({"--connect", m_server.url().toUtf8()});
    QCOMPARE(ctl.run({"acquire", "a", "--no-audit", "--owner", "bob"}).code, 0);
    QCOMPARE(ctl.run({"release", "a", "--no-audit", "--owner", "bob"}).code, 0);
    QVERIFY(!QFileInfo::exists(ctl.path(u"state"_s)));
}

void TestCtlAudit::needsNoneToLook_data()
{
    QTest::addColumn<QByteArrayList>("words");
    for (const QByteArray words :
         {"list", "check", "providers", "release-all --dry-run", "--read-only list"})
        QTest::newRow(words.constData()) << words.split(' ');
}

void TestCtlAudit::needsNoneToLook()
{
    QFETCH(QByteArrayList, words);
    set("k", "bob");
    const CtlRun run =
        m_ctl.run(words + QByteArrayList{"--audit-log", QFile::encodeName(device())});
    QCOMPARE(run.code, 0);
}

void TestCtlAudit::changesNothingThatItCannotRecord_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::newRow("acquire") << QByteArrayList{"acquire", "a"};
    QTest::newRow("acquire --wait") << QByteArrayList{"acquire", "a", "--wait", "5s"};
    QTest::newRow("release") << QByteArrayList{"release", "k", "--owner", "bob"};
    QTest::newRow("release, whose it is") << QByteArrayList{"release", "k"};
    QTest::newRow("release-all") << QByteArrayList{"release-all", "--yes"};
}

void TestCtlAudit::changesNothingThatItCannotRecord()
{
    QFETCH(QByteArrayList, words);
    set("k", "bob");
    // As on a disk that is full: it is there, and takes no more.
    const auto process = m_ctl.start(words, [] {
        const rlimit none{0, RLIM_INFINITY};
        setrlimit(RLIMIT_FSIZE, &none);
    });
    const CtlRun run = Ctl::finish(*process);
    QCOMPARE(run.code, 74);
    QCOMPARE(run.out, "");
    QVERIFY2(run.err.contains("Nothing was done"), run.err);
    QCOMPARE(run.err.count('\n'), 1);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"1"_s);
    QCOMPARE(value(u"k"_s), u"bob"_s);
}

void TestCtlAudit::tellsWhatItDidAndCouldNotRecord()
{
    Ctl ctl;
    ctl.alwaysWith({"--connect", m_server.url().toUtf8(), "--owner", "bob"});
    QCOMPARE(ctl.run({"acquire", "a"}).code, 0);
    const qint64 both = QFileInfo(ctl.path(u"state/lockboard/audit.jsonl"_s)).size();
    // There is room for the intent, and not for what came of it.
    const auto limit = static_cast<rlim_t>(both + both / 2);
    const auto process = ctl.start({"acquire", "b"}, [limit] {
        const rlimit most{limit, RLIM_INFINITY};
        setrlimit(RLIMIT_FSIZE, &most);
    });
    const CtlRun run = Ctl::finish(*process);
    QCOMPARE(run.code, 0);
    QVERIFY2(run.out.startsWith("Acquired \"b\""), run.out);
    QCOMPARE(value(u"b"_s), u"bob"_s);
    QVERIFY2(run.err.contains("could not be recorded"), run.err);
    const auto audit = ctl.audit();
    QCOMPARE(audit.size(), 3);
    QVERIFY2(run.err.contains(audit[2][u"id"_s].toString().toUtf8()), run.err);
}

void TestCtlAudit::worksForAUserWithoutAHome()
{
    const auto run = [&](const QByteArray& home, uid_t user) {
        QProcess process;
        process.setChildProcessModifier([user] {
            if (user != getuid() && (setgroups(0, nullptr) != 0 || setuid(user) != 0))
                _exit(99);
        });
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const QString& name : {u"HOME"_s, u"XDG_STATE_HOME"_s, u"XDG_CONFIG_HOME"_s})
            environment.remove(name);
        if (!home.isNull())
            environment.insert(u"HOME"_s, QString::fromUtf8(home));
        process.setProcessEnvironment(environment);
        process.start(
            QStringLiteral(LOCKBOARDCTL),
            {u"--connect"_s, m_server.url(), u"acquire"_s, u"k"_s, u"--owner"_s, u"me"_s});
        return Ctl::finish(process);
    };
    const CtlRun nowhere = run("/nonexistent", getuid());
    QVERIFY2(nowhere.code == 0, nowhere.err);
    QVERIFY(!QFileInfo::exists(u"/nonexistent"_s));
    if (geteuid() != 0)
        return;
    constexpr uid_t nobody = 65534;
    for (const char* const home :
         {"/nonexistent", "/proc", "/dev/null", static_cast<const char*>(nullptr)}) {
        const CtlRun homeless = run(home, nobody);
        QVERIFY2(homeless.code == 0, homeless.err);
        QCOMPARE(value(u"k"_s), u"me"_s);
    }
    const QString spare = u"/var/tmp/lockboard-%1/audit.jsonl"_s.arg(nobody);
    QCOMPARE(modeOf(spare), mode_t(0600));
    QCOMPARE(modeOf(QFileInfo(spare).path()), mode_t(0700));
}

void TestCtlAudit::keepsLinesOfManyProgramsWhole()
{
    Ctl ctl;
    ctl.alwaysWith({"--connect", m_server.url().toUtf8()});
    constexpr int programs = 8;
    QByteArrayList words{"acquire", "--no-owner"};
    for (int i = 0; i < 30; ++i)
        words << QByteArray(700, 'x') + QByteArray::number(i);
    std::vector<std::unique_ptr<QProcess>> all;
    for (int i = 0; i < programs; ++i)
        all.push_back(ctl.start(words));
    for (const auto& process : all)
        Ctl::finish(*process);
    const auto audit = ctl.audit(); // throws where a line is torn
    QCOMPARE(audit.size(), 2 * programs);
    QMap<QString, int> lines;
    for (const QJsonObject& line : audit)
        ++lines[line[u"id"_s].toString()];
    QCOMPARE(lines.size(), programs);
    for (const int count : std::as_const(lines))
        QCOMPARE(count, 2);
}

void TestCtlAudit::saysWhatAnInterruptedReleaseAllHasDone()
{
    constexpr int all = 200'000;
    fill(all, "bob");
    const auto process = m_ctl.start({"release-all", "--yes", "--json"});
    const auto left = [&] { return m_server.cli({u"DBSIZE"_s}).toInt(); };
    QTRY_VERIFY_WITH_TIMEOUT(left() < all - 2000, 60'000);
    ::kill(static_cast<pid_t>(process->processId()), SIGINT);
    const CtlRun run = Ctl::finish(*process);
    const int released = all - left();
    if (released == all)
        QSKIP("it was done before it could be interrupted");
    QCOMPARE(run.code, 128 + SIGINT);
    const auto json = run.json();
    QCOMPARE(json.size(), 1);
    QCOMPARE(json[0][u"released"_s].toInt(), released);
    QVERIFY(json[0][u"left"_s].isNull()); // it has not seen how many
    QCOMPARE(json[0][u"cancelled"_s], QJsonValue(true));
    const QString outcome = m_ctl.audit().last()[u"outcome"_s].toString();
    QVERIFY2(outcome.startsWith(u"released %1, "_s.arg(released)), qPrintable(outcome));
    QVERIFY2(outcome.contains(u"not come to"_s), qPrintable(outcome));
}

QTEST_GUILESS_MAIN(TestCtlAudit)
#include "tst_ctl_audit.moc"
