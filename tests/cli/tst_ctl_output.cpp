// SPDX-License-Identifier: MIT
//! What can't be told is not kept: outputs that fail, that nobody reads, that are closed.
#include "tests/cli/redis_ctl.h"

#include <QElapsedTimer>
#include <QTest>

#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlOutput final : public QObject, private RedisCtl {
    Q_OBJECT

private Q_SLOTS:
    void init() { flush(); }

    void givesBackWhatCannotBeTold_data();
    void givesBackWhatCannotBeTold();
    void keepsWhatWasHeldBefore();
    void givesBackWhenItIsInterruptedBeforeItIsRead();
    void writesToNothingElseWhenItsStreamsAreClosed();
};

//! Runs the program with its output spoilt in the child by `spoil`.
static CtlRun runWith(const Ctl& ctl, const QByteArrayList& words,
                      const std::function<void()>& spoil)
{
    const auto process = ctl.start(words, spoil);
    process->closeWriteChannel();
    return Ctl::finish(*process);
}

static void toFullDevice()
{
    dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
}

static void toClosed()
{
    close(STDOUT_FILENO);
}

static void toReaderThatHasGone()
{
    int ends[2];
    if (pipe(ends) == 0) {
        close(ends[0]);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[1]);
    }
}

static void toFileThatMayNotGrow()
{
    char name[] = "/tmp/lockboard-output-XXXXXX";
    dup2(mkstemp(name), STDOUT_FILENO);
    unlink(name);
    const rlimit none{0, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &none);
}

void TestCtlOutput::givesBackWhatCannotBeTold_data()
{
    QTest::addColumn<QByteArrayList>("more");
    QTest::addColumn<int>("way");
    int way = 0;
    for (const char* const name : {"full device", "closed", "reader gone", "limit of size"}) {
        const auto row = [&](const char* what, const QByteArrayList& more) {
            QTest::newRow((QByteArray(name) + ", " + what).constData()) << more << way;
        };
        row("text", {});
        row("JSON", {"--json"});
        row("no owner", {"--no-owner"});
        row("lease", {"--owner", "bob", "--expire", "1h"});
        row("after waiting", {"--wait", "5s"});
        ++way;
    }
}

void TestCtlOutput::givesBackWhatCannotBeTold()
{
    QFETCH(QByteArrayList, more);
    QFETCH(int, way);
    using Spoil = void (*)();
    static constexpr Spoil ways[] = {toFullDevice, toClosed, toReaderThatHasGone,
                                     toFileThatMayNotGrow};
    QByteArrayList words = QByteArrayList{"acquire", "a", "b"} + more;
    if (ways[way] == toFileThatMayNotGrow)
        words << "--no-audit"; // which may not grow either
    const CtlRun run = runWith(m_ctl, words, ways[way]);
    QCOMPARE(run.code, 74);
    QVERIFY2(run.err.contains("The output can't be written"), run.err);
    QVERIFY2(run.err.contains("given back"), run.err);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"0"_s);
    if (ways[way] != toFileThatMayNotGrow)
        QCOMPARE(m_ctl.audit().last()[u"outcome"_s].toString(), u"released"_s);
}

void TestCtlOutput::keepsWhatWasHeldBefore()
{
    set("a", "bob");
    const CtlRun run = runWith(m_ctl, {"acquire", "a", "b", "--owner", "bob"}, toFullDevice);
    QCOMPARE(run.code, 74);
    QVERIFY2(run.err.contains("\"a\" was held before"), run.err);
    QCOMPARE(value(u"a"_s), u"bob"_s);
    QCOMPARE(value(u"b"_s), QString());
}

void TestCtlOutput::givesBackWhenItIsInterruptedBeforeItIsRead()
{
    // A pipe that is full and that nobody reads: the grant is there and can't be told.
    int ends[2];
    QVERIFY(pipe2(ends, O_CLOEXEC) == 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    const QByteArray filler(4096, 'x');
    while (write(ends[1], filler.constData(), size_t(filler.size())) > 0) { }
    fcntl(ends[1], F_SETFL, 0);
    const int full = ends[1];
    const auto process =
        m_ctl.start({"acquire", "a", "--owner", "bob"}, [full] { dup2(full, STDOUT_FILENO); });
    QTRY_COMPARE_WITH_TIMEOUT(value(u"a"_s), u"bob"_s, 30'000);
    QTest::qWait(500);
    QCOMPARE(process->state(), QProcess::Running);
    ::kill(static_cast<pid_t>(process->processId()), SIGTERM);
    const CtlRun run = Ctl::finish(*process);
    QCOMPARE(run.code, 128 + SIGTERM);
    QCOMPARE(value(u"a"_s), QString());
    close(ends[0]);
    close(ends[1]);
}

void TestCtlOutput::writesToNothingElseWhenItsStreamsAreClosed()
{
    const auto closeAll = [] {
        for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
            close(stream);
    };
    QCOMPARE(runWith(m_ctl, {"acquire", "a"}, closeAll).code, 74);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"0"_s);
    set("b", "bob");
    QCOMPARE(runWith(m_ctl, {"list"}, closeAll).code, 74);
    QCOMPARE(runWith(m_ctl, {"release", "b", "--owner", "bob"}, closeAll).code, 74);
    // The audit log has only what belongs there: reading it throws at anything else.
    QVERIFY(!m_ctl.audit().isEmpty());
}

QTEST_GUILESS_MAIN(TestCtlOutput)
#include "tst_ctl_output.moc"
