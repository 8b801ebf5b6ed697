// SPDX-License-Identifier: MIT
//! A password that the program is given is in nothing that it says, nor where `ps` looks.
#include "tests/cli/ctl.h"
#include "tests/support/redis_server.h"

#include <QFile>
#include <QTest>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlSecrets final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void saysNothing_data();
    void saysNothing();
    void psDoesNotShowIt();
};

void TestCtlSecrets::saysNothing_data()
{
    QTest::addColumn<QByteArrayList>("words");
    const QByteArray url = "redis://ann:s3cret/@127.0.0.1:1";
    const QByteArray encoded = "redis://ann:s3cret%2F@127.0.0.1:1";
    const auto row = [](const char* name, const QByteArrayList& words) {
        QTest::newRow(name) << words;
    };
    row("no connection", {"--connect", encoded, "list"});
    row("check", {"--connect", encoded, "check"});
    row("malformed", {"--connect", url, "list"});
    row("no scheme", {"--connect", "http://ann:s3cret@h", "list"});
    row("as a verb", {url});
    row("as an argument", {"list", url});
    row("as a file", {"--config", url, "list"});
    row("as a provider", {"--provider", url, "list"});
    row("as an audit log", {"--demo", "--audit-log", "/dev/null/" + url, "acquire", "k"});
    row("as a duration", {"acquire", "k", "--expire", url});
    row("as an option", {"--" + url, "list"});
    row("as an option's value", {"list", "--json=" + url});
    row("as a limit", {"list", "--limit", url});
}

void TestCtlSecrets::saysNothing()
{
    QFETCH(const QByteArrayList, words);
    const Ctl ctl;
    const CtlRun run = ctl.run(words);
    QVERIFY(run.code > 0);
    QVERIFY(!run.err.isEmpty() || !run.out.isEmpty());
    QVERIFY2(!run.err.contains("s3cret") && !run.out.contains("s3cret"),
             (run.err + run.out).constData());
}

void TestCtlSecrets::psDoesNotShowIt()
{
    const RedisServer server({u"--requirepass"_s, u"s3cret"_s});
    const QByteArray url = "redis://:s3cret@127.0.0.1:" + QByteArray::number(server.port());
    const Ctl ctl;
    QCOMPARE(ctl.run({"--connect", url, "acquire", "k", "--owner", "ann"}).code, 0);
    // Given by a variable, it isn't there from the first.
    qputenv("LOCKBOARD_TEST_SECRET", "s3cret");
    const QByteArray port = QByteArray::number(server.port());
    const CtlRun list =
        ctl.run({"--connect", "redis://:${env:LOCKBOARD_TEST_SECRET}@127.0.0.1:" + port, "list"});
    QVERIFY2(list.code == 0 && list.out.contains("ann"), list.err.constData());

    const auto waiting =
        ctl.start({"--connect", url, "acquire", "k", "--owner", "bob", "--wait", "60s"});
    QVERIFY(waiting->waitForStarted());
    QFile arguments(u"/proc/%1/cmdline"_s.arg(waiting->processId()));
    QByteArray line;
    const auto hidden = [&] {
        arguments.open(QIODevice::ReadOnly);
        line = arguments.readAll();
        arguments.close();
        return line.contains("redis://*******@127.0.0.1");
    };
    QTRY_VERIFY2(hidden(), line.constData());
    QVERIFY(line.contains("lockboardctl") && line.contains("bob"));
    QVERIFY(!line.contains("s3cret"));
    waiting->terminate();
    QVERIFY(!Ctl::finish(*waiting).err.contains("s3cret"));
}

QTEST_GUILESS_MAIN(TestCtlSecrets)
#include "tst_ctl_secrets.moc"
