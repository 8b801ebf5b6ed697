// SPDX-License-Identifier: MIT
//! Who holds what a call takes, whom it excludes, and whose locks a release finds.
#include "tests/cli/redis_ctl.h"

#include <QFile>
#include <QTest>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlOwners final : public QObject, private RedisCtl {
    Q_OBJECT

private Q_SLOTS:
    void init() { flush(); }

    void twoJobsOfOneUserExcludeEachOther();
    void releasesWhatThisUserTook();
    void releasesNothingOfOthers();
    void releasesSeveralOwnersOfThisUser();
    void reentersByName();
    void refusesToExtend();
    void tellsEachKeysOwnLease();
    void theManualsCronExampleExcludes();

private:
    QString takeOne(const char* key)
    {
        const auto json = m_ctl.run({"acquire", key, "--json"}).json();
        return json.size() == 1 ? json[0][u"owner"_s].toString() : QString();
    }
};

void TestCtlOwners::twoJobsOfOneUserExcludeEachOther()
{
    const CtlRun first = m_ctl.run({"acquire", "job", "--json"});
    QCOMPARE(first.code, 0);
    const QString owner = first.json()[0][u"owner"_s].toString();
    QCOMPARE(value(u"job"_s), owner); // it is told
    QCOMPARE(first.json()[0][u"extended"_s], QJsonValue(false));
    const CtlRun second = m_ctl.run({"acquire", "job"});
    QCOMPARE(second.code, 75);
    QVERIFY2(second.err.contains(owner.toUtf8()), second.err);
    QCOMPARE(m_ctl.run({"acquire", "job", "--wait", "300ms"}).code, 75);
    QCOMPARE(value(u"job"_s), owner);
    const CtlRun text = m_ctl.run({"acquire", "other"});
    QVERIFY2(text.out.contains("for \"" + value(u"other"_s).toUtf8() + "\""), text.out);
    QVERIFY(value(u"other"_s) != owner);
}

void TestCtlOwners::releasesWhatThisUserTook()
{
    QVERIFY(!takeOne("a").isEmpty());
    const CtlRun run = m_ctl.run({"release", "a"});
    QCOMPARE(run.out, "Released \"a\".\n");
    QCOMPARE(run.code, 0);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"0"_s);
    QCOMPARE(m_ctl.run({"release", "a"}).out, "Not held: \"a\".\n");
}

void TestCtlOwners::releasesNothingOfOthers()
{
    const QString owner = takeOne("mine");
    const QString user = owner.section(u':', 0, 0);
    const QStringList others{
        u"bob"_s,
        user,
        user + u"2"_s,
        user + u":x"_s,
        user + u":12-"_s,
        user + u":12-1234567"_s,
        user + u":12-12345678x"_s,
        user + u":-12345678"_s,
        u"x"_s + owner,
    };
    for (const QString& other : others) {
        set("k", other.toUtf8());
        const CtlRun run = m_ctl.run({"release", "k"});
        QCOMPARE(run.code, 1);
        QCOMPARE(run.out, "Not released: \"k\" is held by \"" + other.toUtf8() + "\".\n");
        QVERIFY2(run.err.contains("--owner"), run.err);
        QCOMPARE(value(u"k"_s), other);
    }
    set("k", "*");
    const CtlRun run = m_ctl.run({"release", "k"});
    QCOMPARE(run.code, 1);
    QCOMPARE(run.out, "Not released: \"k\" is held without owner.\n");
    QCOMPARE(value(u"k"_s), u"*"_s);
    QCOMPARE(m_ctl.run({"release", "k", "--no-owner"}).code, 0);
}

void TestCtlOwners::releasesSeveralOwnersOfThisUser()
{
    QVERIFY(takeOne("a") != takeOne("b"));
    set("c", "bob");
    const CtlRun run = m_ctl.run({"release", "c", "b", "d", "a"});
    QCOMPARE(run.code, 1);
    QCOMPARE(run.out,
             "Released \"a\".\n"
             "Released \"b\".\n"
             "Not released: \"c\" is held by \"bob\".\n"
             "Not held: \"d\".\n");
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"1"_s);
}

void TestCtlOwners::reentersByName()
{
    QCOMPARE(m_ctl.run({"acquire", "a", "--owner", "bob"}).code, 0);
    const CtlRun again = m_ctl.run({"acquire", "a", "--owner", "bob", "--expire", "1h"});
    QCOMPARE(again.code, 0);
    QVERIFY2(again.out.startsWith("Extended \"a\" for \"bob\": expires in "), again.out);
    const auto json = m_ctl.run({"acquire", "a", "--owner", "bob", "--json"}).json();
    QCOMPARE(json[0][u"extended"_s], QJsonValue(true));
}

void TestCtlOwners::refusesToExtend()
{
    QCOMPARE(m_ctl.run({"acquire", "a", "--owner", "bob", "--no-extend"}).code, 0);
    const CtlRun again =
        m_ctl.run({"acquire", "a", "--owner", "bob", "--no-extend", "--expire", "1h"});
    QCOMPARE(again.code, 75);
    QVERIFY2(again.err.contains("held by \"bob\""), again.err);
    QCOMPARE(m_server.cli({u"PTTL"_s, u"medusa_lock:a"_s}), u"-1"_s);
    const CtlRun waits =
        m_ctl.run({"acquire", "a", "--owner", "bob", "--no-extend", "--wait", "300ms"});
    QCOMPARE(waits.code, 75);
    // All or nothing.
    QCOMPARE(m_ctl.run({"acquire", "b", "a", "--owner", "bob", "--no-extend"}).code, 75);
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"1"_s);
}

void TestCtlOwners::tellsEachKeysOwnLease()
{
    QCOMPARE(m_ctl.run({"acquire", "a", "--owner", "bob", "--expire", "1h"}).code, 0);
    QCOMPARE(m_ctl.run({"acquire", "b", "--owner", "bob"}).code, 0);
    // Without --expire each keeps the lease that it has, and what is new has none.
    const CtlRun run = m_ctl.run({"acquire", "a", "b", "c", "--owner", "bob"});
    const QByteArrayList lines = run.out.split('\n');
    QCOMPARE(lines.size(), 4);
    QVERIFY2(lines[0].startsWith("Extended \"a\" for \"bob\": expires in "), run.out);
    QCOMPARE(lines[1], "Extended \"b\" for \"bob\": never expires.");
    QCOMPARE(lines[2], "Acquired \"c\" for \"bob\": never expires.");
    QCOMPARE(m_ctl.run({"release", "c", "--owner", "bob"}).code, 0);
    const auto json = m_ctl.run({"acquire", "a", "b", "c", "--owner", "bob", "--json"}).json();
    QCOMPARE(json.size(), 3);
    QVERIFY(json[0][u"ttlMs"_s].toInt() > 3'000'000 && json[0][u"ttlMs"_s].toInt() <= 3'600'000);
    QVERIFY(json[1][u"ttlMs"_s].isNull() && json[2][u"ttlMs"_s].isNull());
    QCOMPARE(json[0][u"extended"_s], QJsonValue(true));
    QCOMPARE(json[1][u"extended"_s], QJsonValue(true));
    QCOMPARE(json[2][u"extended"_s], QJsonValue(false));
}

//! The shell script under "nightly" in the manual, as a reader would copy it.
static QByteArray cronExample()
{
    QFile manual(QStringLiteral(MANUAL));
    if (!manual.open(QIODevice::ReadOnly))
        return {};
    const QByteArray text = manual.readAll();
    const qsizetype begin = text.indexOf("#!/bin/sh\n");
    const QByteArray script = text.mid(begin, text.indexOf(".Ed", begin) - begin);
    return begin < 0 ? QByteArray() : QByteArray(script).replace("\\(aq", "'").replace("\\e", "\\");
}

void TestCtlOwners::theManualsCronExampleExcludes()
{
    QByteArray script = cronExample();
    QVERIFY(script.contains("lockboardctl acquire") && script.contains("nightly-backup"));
    // In its place, a job that shows when it runs, and takes a while.
    script.replace("nightly-backup", "echo begin >>\"$LOG\"; sleep 2; echo end >>\"$LOG\"");
    script.replace("lockboardctl ", "\"$CTL\" --no-audit --connect \"$URL\" ");
    script.replace("--wait 1m", "--wait 200ms");
    const QString file = m_ctl.writeFile(u"job.sh"_s, script);
    const QString log = m_ctl.path(u"log"_s);
    qputenv("CTL", LOCKBOARDCTL);
    qputenv("URL", m_server.url().toUtf8());
    qputenv("LOG", log.toUtf8());
    std::vector<std::unique_ptr<QProcess>> jobs;
    for (int i = 0; i < 3; ++i) {
        jobs.push_back(std::make_unique<QProcess>());
        jobs.back()->start(u"sh"_s, {file});
    }
    int done = 0;
    int refused = 0;
    for (const auto& job : jobs) {
        const CtlRun run = Ctl::finish(*job);
        done += run.code == 0;
        refused += run.code == 75;
        QVERIFY2(run.code == 0 || run.code == 75, run.err);
    }
    QCOMPARE(done, 1);
    QCOMPARE(refused, 2);
    QFile shown(log);
    QVERIFY(shown.open(QIODevice::ReadOnly));
    QCOMPARE(shown.readAll(), "begin\nend\n");
    QCOMPARE(m_server.cli({u"DBSIZE"_s}), u"0"_s); // and the lock is released
}

QTEST_GUILESS_MAIN(TestCtlOwners)
#include "tst_ctl_owners.moc"
