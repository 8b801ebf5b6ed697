// SPDX-License-Identifier: MIT
#include "tests/cli/ctl.h"

#include <QElapsedTimer>
#include <QTest>

#include <csignal>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

//! What a provider does that it must not: said in one sentence that names it, and never a hang.
class TestCtlFaults final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void namesTheProvider_data();
    void namesTheProvider();
    void worksOnWithoutAProvider_data();
    void worksOnWithoutAProvider();
    void containsWhatComesOutOfAnEvent();
    void endsAtOnceWhileNothingIsSent();
    void firstSignalInterrupts_data();
    void firstSignalInterrupts();
    void secondSignalEnds_data();
    void secondSignalEnds();
};

static QByteArray configFor(const Ctl& ctl, const QByteArray& misbehaviour)
{
    const QByteArray text = R"({"providers": [{"resolve": ")" TEST_PLUGIN
                            R"(", "id": "odd", "is_default": true, "options": {"misbehave": ")"
        + misbehaviour + R"("}}, {"resolve": ")" TEST_PLUGIN R"(", "id": "fine"}]})";
    return ctl.writeFile(u"odd.json"_s, text).toUtf8();
}

void TestCtlFaults::namesTheProvider_data()
{
    QTest::addColumn<QByteArray>("where");
    QTest::addColumn<QByteArray>("how");
    QTest::addColumn<QByteArrayList>("words");
    const std::pair<const char*, QByteArrayList> verbs[] = {
        {"acquire", {"acquire", "k"}},
        {"release", {"release", "k", "--owner", "a"}},
        {"releaseAll", {"release-all", "--yes"}},
        {"check", {"check", "--provider", "odd"}},
        {"liveView", {"list"}},
        {"view", {"list"}},
        {"refresh", {"list"}},
    };
    for (const auto& [where, words] : verbs) {
        for (const char* how : {"exception", "int", "memory", "thrown", "nothing"}) {
            const QByteArray place(where);
            if ((place == "view" || place == "refresh") && QByteArray(how) == "nothing")
                continue; // it gives nothing anyhow
            QTest::addRow("%s: %s", where, how) << place << QByteArray(how) << words;
        }
    }
}

void TestCtlFaults::namesTheProvider()
{
    QFETCH(QByteArray, where);
    QFETCH(QByteArray, how);
    QFETCH(QByteArrayList, words);
    Ctl ctl;
    ctl.alwaysWith({"--config", configFor(ctl, where + ':' + how)});
    const CtlRun run = ctl.run(words);
    QCOMPARE(run.code, 69);
    const QByteArray said = words.front() == "check" ? run.out : run.err;
    QVERIFY2(said.contains("The provider \"odd\" failed in "), run.out + run.err);
}

void TestCtlFaults::worksOnWithoutAProvider_data()
{
    QTest::addColumn<QByteArray>("how");
    for (const char* how : {"exception", "int", "memory", "nothing"})
        QTest::newRow(how) << QByteArray(how);
}

void TestCtlFaults::worksOnWithoutAProvider()
{
    QFETCH(QByteArray, how);
    Ctl ctl;
    ctl.alwaysWith({"--config", configFor(ctl, "factory:" + how)});
    const CtlRun all = ctl.run({"providers"});
    QCOMPARE(all.code, 0);
    QVERIFY2(all.out.contains("The provider \"odd\" could not be made: "), all.out);
    QCOMPARE(ctl.run({"check", "--provider", "fine"}).code, 0);
    const CtlRun taken = ctl.run({"acquire", "k", "--provider", "fine"});
    QVERIFY2(taken.code == 0, taken.err);
    const CtlRun refused = ctl.run({"acquire", "k"});
    QCOMPARE(refused.code, 69);
    QVERIFY2(refused.err.contains("The provider \"odd\" could not be made: "), refused.err);
    const QList<QJsonObject> rows = ctl.run({"providers", "--json"}).json();
    QVERIFY(rows.first()[u"problem"].toString().contains(u"could not be made"));
    QVERIFY(!rows[1].contains(u"problem"));
}

static bool isMisbehaving(QProcess& process)
{
    QByteArray said;
    return QTest::qWaitFor(
        [&] {
            said += process.readAllStandardError();
            return said.contains("misbehaving");
        },
        20'000);
}

void TestCtlFaults::containsWhatComesOutOfAnEvent()
{
    // The list has ended before the event, or it has not: neither is a crash.
    Ctl ctl;
    ctl.alwaysWith({"--config", configFor(ctl, "event:int")});
    for (int i = 0; i < 3; ++i)
        QCOMPARE(ctl.run({"list"}).code, 1); // there are no locks
}

void TestCtlFaults::endsAtOnceWhileNothingIsSent()
{
    Ctl ctl;
    ctl.alwaysWith({"--config", configFor(ctl, "factory:block")});
    const auto process = ctl.start({"list"});
    QVERIFY(isMisbehaving(*process));
    ::kill(static_cast<pid_t>(process->processId()), SIGTERM);
    QVERIFY(process->waitForFinished(20'000));
    QCOMPARE(process->exitStatus(), QProcess::CrashExit); // by that signal
    QCOMPARE(process->exitCode(), SIGTERM);
}

static void addSignals()
{
    QTest::addColumn<QByteArray>("how");
    QTest::addColumn<int>("number");
    for (const char* how : {"never", "block"}) {
        for (const int number : {SIGINT, SIGTERM, SIGHUP})
            QTest::addRow("%s, %d", how, number) << QByteArray(how) << number;
    }
}

void TestCtlFaults::firstSignalInterrupts_data()
{
    addSignals();
}

void TestCtlFaults::firstSignalInterrupts()
{
    QFETCH(QByteArray, how);
    QFETCH(int, number);
    Ctl ctl;
    ctl.alwaysWith({"--config", configFor(ctl, "acquire:" + how)});
    const auto process = ctl.start({"acquire", "k"});
    QVERIFY(isMisbehaving(*process));
    QElapsedTimer clock;
    clock.start();
    ::kill(static_cast<pid_t>(process->processId()), number);
    const CtlRun run = Ctl::finish(*process);
    QVERIFY(clock.elapsed() < 8000); // two seconds, on a busy machine
    QCOMPARE(run.code, 128 + number);
    QVERIFY2(run.err.contains("the outcome is unknown"), run.err);
}

void TestCtlFaults::secondSignalEnds_data()
{
    addSignals();
}

void TestCtlFaults::secondSignalEnds()
{
    QFETCH(QByteArray, how);
    QFETCH(int, number);
    Ctl ctl;
    ctl.alwaysWith({"--config", configFor(ctl, "check:" + how)});
    const auto process = ctl.start({"check", "--provider", "odd"});
    QVERIFY(isMisbehaving(*process));
    const auto pid = static_cast<pid_t>(process->processId());
    ::kill(pid, SIGINT);
    QTest::qWait(100); // two at once would be one
    ::kill(pid, number);
    QVERIFY(process->waitForFinished(20'000));
    QCOMPARE(process->exitStatus(), QProcess::CrashExit); // by that signal
    QCOMPARE(process->exitCode(), number);
}

QTEST_GUILESS_MAIN(TestCtlFaults)
#include "tst_ctl_faults.moc"
