// SPDX-License-Identifier: MIT
//! What needs no server: help, bad input, configuration, the in-memory provider.
#include "tests/cli/ctl.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QTest>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlUsage final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void helps_data();
    void helps();
    void tellsTheVersion();
    void refuses_data();
    void refuses();
    void givesOptionsBeforeOrAfterTheVerb();
    void acquiresInMemory();
    void keepsKeysThatBeginWithDashes();
    void listsProviders();
    void listsTheDemo();
    void checks();
    void findsNothingInMemory();
    void isReadOnly();
    void readsTheUsualConfig();
    void namesPathAndLineOfABrokenConfig_data();
    void namesPathAndLineOfABrokenConfig();
    void needsAnAuditLogToChangeLocks();
    void saysThatOutputFailed();
    void refusesLocksThatEndWithIt_data();
    void refusesLocksThatEndWithIt();
    void usesTheLocksThatAreNamed();
};

void TestCtlUsage::helps_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::addColumn<QByteArrayList>("contains");
    const QByteArrayList verbs{"providers", "list", "acquire", "release", "release-all", "check"};
    QTest::newRow("--help") << QByteArrayList{"--help"}
                            << verbs
            + QByteArrayList{"--config FILE", "--connect URL",    "--provider ID", "--read-only",
                             "--json",        "--audit-log FILE", "--no-audit",    "Exit codes"};
    QTest::newRow("-h") << QByteArrayList{"-h"} << verbs;
    QTest::newRow("help") << QByteArrayList{"help"} << verbs;
    const QMap<QByteArray, QByteArrayList> own{
        {"list", {"--owner OWNER", "--no-owner", "--filter TEXT", "--limit N"}},
        {"acquire",
         {"KEY...", "--owner OWNER", "--no-owner", "--expire DURATION", "--wait DURATION",
          "--claim", "--no-extend", "--base64", "500ms"}},
        {"release", {"KEY...", "--owner OWNER", "--no-owner", "--base64"}},
        {"release-all", {"--owner OWNER", "--dry-run", "--yes"}},
    };
    for (const QByteArray& verb : verbs) {
        const QByteArrayList contains = QByteArrayList{"lockboardctl", verb} + own.value(verb);
        QTest::newRow(verb + " --help") << QByteArrayList{verb, "--help"} << contains;
        QTest::newRow("help " + verb) << QByteArrayList{"help", verb} << contains;
    }
}

void TestCtlUsage::helps()
{
    QFETCH(QByteArrayList, words);
    QFETCH(QByteArrayList, contains);
    const CtlRun run = Ctl().run(words);
    QCOMPARE(run.code, 0);
    QCOMPARE(run.err, "");
    for (const QByteArray& part : contains)
        QVERIFY2(run.out.contains(part), part + " is not in: " + run.out);
    for (const QByteArray& line : run.out.split('\n'))
        QVERIFY2(line.size() <= 90, line);
}

void TestCtlUsage::tellsTheVersion()
{
    const CtlRun run = Ctl().run({"--version"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.out, "lockboardctl " LOCKBOARD_VERSION "\n");
}

void TestCtlUsage::refuses_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::addColumn<QByteArray>("sentence");
    const auto row = [](const QByteArray& name, const QByteArrayList& words, const char* sentence) {
        QTest::newRow(name) << words << QByteArray(sentence);
    };
    row("nothing", {}, "No verb is given; lockboardctl --help lists them.");
    row("misspelt verb", {"lsit"}, "There is no verb \"lsit\". Did you mean list?");
    row("unknown verb", {"defenestrate"},
        "There is no verb \"defenestrate\". Verbs are providers, list, acquire, release, "
        "release-all, check, postgres.");
    row("help of an unknown verb", {"help", "lits"},
        "There is no verb \"lits\". Did you mean list?");
    row("misspelt option", {"list", "--ownr", "x"},
        "There is no option --ownr. Did you mean --owner?");
    row("unknown option", {"list", "--zzzzzz"}, "There is no option --zzzzzz.");
    row("short option", {"acquire", "-x"},
        "There is no option -x. A key that begins with a dash comes after --.");
    row("abbreviation", {"release-all", "--y"}, "There is no option --y. Did you mean --yes?");
    row("another verb's option", {"check", "--owner", "x"}, "--owner is no option of check.");
    row("value missing at the end", {"list", "--owner"},
        "--owner needs a value; one that begins with dashes is given as --owner=VALUE.");
    row("value missing before an option", {"release-all", "--owner", "--yes"},
        "--owner needs a value; one that begins with dashes is given as --owner=VALUE.");
    row("value where there is none", {"list", "--json=1"}, "--json takes no value.");
    row("twice", {"list", "--owner", "a", "--owner", "b"}, "--owner is given twice.");
    row("owner or none", {"list", "--owner", "a", "--no-owner"},
        "--owner and --no-owner contradict each other.");
    row("config or connect", {"list", "--config", "a", "--connect", "redis://b"},
        "--config and --connect contradict each other.");
    row("demo or connect", {"list", "--demo", "--connect", "redis://b"},
        "--demo and --connect contradict each other.");
    row("claim or wait", {"acquire", "k", "--claim", "--wait", "1"},
        "--claim and --wait contradict each other: who waits never claims.");
    row("no key", {"acquire"}, "acquire needs at least one KEY.");
    row("no key to release", {"release"}, "release needs at least one KEY.");
    row("a key too many", {"release-all", "k"}, "release-all takes options only, no \"k\".");
    row("empty key", {"--provider", "in-memory", "acquire", "a", ""}, "A key is empty.");
    row("owner *", {"--provider", "in-memory", "acquire", "a", "--owner", "*"},
        "The owner \"*\" is not allowed: on the wire it means \"no owner\".");
    row("release of owner *", {"--provider", "in-memory", "release", "a", "--owner=*"},
        "The owner \"*\" is not allowed: on the wire it means \"no owner\".");
    row("release-all of owner *", {"--provider", "in-memory", "release-all", "--owner=*", "--yes"},
        "The owner \"*\" is not allowed: on the wire it means \"no owner\".");
    // Where a variable is not set: never to be left out then, which would mean all of them.
    for (const char* const verb : {"release-all", "list", "acquire k", "release k"}) {
        for (const QByteArray owner : {"--owner=", "--owner  "}) {
            const QByteArray words = QByteArray(verb) + ' ' + owner;
            row("empty " + words, words.split(' '),
                "--owner is empty. Is a variable not set that it was to come from?");
        }
    }
    row("empty filter", {"list", "--filter", ""},
        "--filter is empty. Is a variable not set that it was to come from?");
    row("empty config", {"list", "--config", ""}, "--config is empty.");
    row("empty URL", {"list", "--connect="}, "--connect is empty.");
    row("empty audit log", {"acquire", "k", "--audit-log="}, "--audit-log is empty.");
    row("empty lease", {"acquire", "k", "--expire="},
        "--expire: \"\" is not a duration; write 500ms, 30s, 5m, 1h, or a number of seconds.");
    row("audit log or none", {"acquire", "k", "--audit-log", "f", "--no-audit"},
        "--audit-log and --no-audit contradict each other.");
    row("claim or no-extend", {"acquire", "k", "--claim", "--no-extend"},
        "--claim and --no-extend contradict each other: a lock that is claimed is there, and "
        "extended.");
    row("bad duration", {"acquire", "a", "--expire", "5 minutes"},
        "--expire: \"5 minutes\" is not a duration; write 500ms, 30s, 5m, 1h, or a number of "
        "seconds.");
    row("bad wait", {"acquire", "a", "--wait", "-1"},
        "--wait: \"-1\" is not a duration; write 500ms, 30s, 5m, 1h, or a number of seconds.");
    row("no lease", {"--provider", "in-memory", "acquire", "a", "--expire", "0"},
        "The lease must be longer than 0 ms; leave it out for a lock that never expires.");
    row("bad limit", {"list", "--limit", "0"}, "--limit: \"0\" is not a whole number above 0.");
    row("limit with a tail", {"list", "--limit", "5x"},
        "--limit: \"5x\" is not a whole number above 0.");
    row("bad base64", {"acquire", "--base64", "a!b"}, "The key \"a!b\" is not base64.");
    row("base64 of odd length", {"acquire", "--base64", "a"}, "The key \"a\" is not base64.");
    row("unknown provider", {"list", "--provider", "nix"},
        "There is no provider \"nix\"; known are \"in-memory\".");
    row("empty provider", {"list", "--provider="},
        "--provider is empty. Is a variable not set that it was to come from?");
    row("nobody to ask", {"--provider", "in-memory", "release-all"},
        "release-all asks before it releases, and there is no terminal to ask on: say --yes, or "
        "look first with --dry-run.");
}

void TestCtlUsage::refuses()
{
    QFETCH(QByteArrayList, words);
    QFETCH(QByteArray, sentence);
    const Ctl ctl;
    const CtlRun run = ctl.run(words);
    QCOMPARE(run.complaint(), "lockboardctl: " + sentence);
    QCOMPARE(run.code, 64);
    QCOMPARE(run.out, "");
    QVERIFY(ctl.audit().isEmpty());
}

void TestCtlUsage::givesOptionsBeforeOrAfterTheVerb()
{
    const Ctl ctl;
    const CtlRun before = ctl.run({"--json", "--provider", "lp_in-memory", "providers"});
    const CtlRun after = ctl.run({"providers", "--provider=in-memory", "--json"});
    QCOMPARE(before.code, 0);
    QCOMPARE(before.json().size(), 1);
    QCOMPARE(before.out, after.out);
}

void TestCtlUsage::acquiresInMemory()
{
    const Ctl ctl;
    const CtlRun run = ctl.run(
        {"--provider", "in-memory", "acquire", "b", "a", "b", "--owner", "me", "--expire", "90"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.out,
             "Acquired \"a\" for \"me\": expires in 1m 30s.\n"
             "Acquired \"b\" for \"me\": expires in 1m 30s.\n");
    QCOMPARE(run.err,
             "Locking module: Using \"in-memory\" as default.\n"
             "lockboardctl: Note: the locks of \"in-memory\" end with this command.\n");
    const auto audit = ctl.audit();
    QCOMPARE(audit.size(), 2);
    QCOMPARE(audit[0][u"event"].toString(), u"intent"_s);
    QCOMPARE(audit[1][u"id"], audit[0][u"id"]);
    QCOMPARE(audit[1][u"verb"].toString(), u"acquire"_s);
    QCOMPARE(audit[1][u"outcome"].toString(), u"granted"_s);
    QCOMPARE(audit[1][u"owner"].toString(), u"me"_s);

    const auto json =
        ctl.run({"--provider", "in-memory", "acquire", "a", "--no-owner", "--json"}).json();
    QCOMPARE(json.size(), 1);
    QCOMPARE(json[0][u"key"].toString(), u"a"_s);
    QVERIFY(json[0][u"owner"].isNull());
    QVERIFY(json[0][u"ttlMs"].isNull());
    QCOMPARE(json[0][u"state"].toString(), u"held"_s);
    QCOMPARE(json[0][u"provider"].toString(), u"in-memory"_s);
    // Without --owner, one that the operator is known by and no other call has.
    const auto mine = ctl.run({"--provider", "in-memory", "acquire", "a", "--json"}).json();
    const QString owner = mine[0][u"owner"].toString();
    QVERIFY2(owner.startsWith(ctl.audit().last()[u"operator"].toString() + u':'),
             qPrintable(owner));
}

void TestCtlUsage::keepsKeysThatBeginWithDashes()
{
    const CtlRun run =
        Ctl().run({"--provider", "in-memory", "acquire", "--no-owner", "--", "--yes", "-"});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.out,
             "Acquired \"-\" without owner: never expires.\n"
             "Acquired \"--yes\" without owner: never expires.\n");
}

void TestCtlUsage::listsProviders()
{
    const Ctl ctl;
    const QString file = ctl.writeFile(
        u"c.json"_s,
        R"({"providers": [{"resolve": "in-memory", "id": "shop", "is_default": true}]})");
    const CtlRun run = ctl.run({"providers", "--config", file.toUtf8()});
    QCOMPARE(run.code, 0);
    QCOMPARE(run.err, "");
    const QByteArrayList lines = run.out.split('\n');
    QCOMPARE(lines[0], "ID         KIND       DEFAULT  FEATURES");
    QVERIFY(lines[1].startsWith("shop       in-memory  yes      this process only"));
    QVERIFY(lines[2].startsWith("in-memory  in-memory  no  "));
    const auto json = ctl.run({"providers", "--json", "--config", file.toUtf8()}).json();
    QCOMPARE(json.size(), 2);
    QCOMPARE(json[0][u"id"].toString(), u"shop"_s);
    QCOMPARE(json[0][u"default"].toBool(), true);
    QCOMPARE(json[1][u"default"].toBool(), false);
}

void TestCtlUsage::listsTheDemo()
{
    const CtlRun run = Ctl().run({"--demo", "list", "--json"});
    QCOMPARE(run.code, 0);
    const auto locks = run.json();
    QVERIFY(locks.size() > 20);
    const auto isForever = [](const QJsonObject& lock) {
        return lock[u"key"] == u"nightly-export"_s && lock[u"owner"] == u"cron@shop-eu-2"_s
            && lock[u"ttlMs"].isNull();
    };
    QVERIFY(std::any_of(locks.begin(), locks.end(), isForever));
}

void TestCtlUsage::checks()
{
    const Ctl ctl;
    const CtlRun run = ctl.run({"--provider", "in-memory", "check"});
    QCOMPARE(run.code, 0);
    QVERIFY(run.out.startsWith("in-memory: reachable\n  good: 0 locks"));
    const auto json = ctl.run({"--provider", "in-memory", "check", "--json"}).json();
    QCOMPARE(json.size(), 1);
    QCOMPARE(json[0][u"reachable"].toBool(), true);
    QVERIFY(!json[0][u"findings"].toArray().isEmpty());
}

void TestCtlUsage::findsNothingInMemory()
{
    const Ctl ctl;
    const auto saysNo = [&](const QByteArrayList& words, const QByteArray& out,
                            const QByteArray& complaint) {
        const CtlRun run = ctl.run(QByteArrayList{"--provider", "in-memory"} + words);
        QCOMPARE(run.code, 1);
        QCOMPARE(run.out, out);
        QCOMPARE(run.complaint(), complaint);
    };
    saysNo({"list"}, "", "lockboardctl: There are no locks.");
    saysNo({"list", "--owner", "x"}, "", "lockboardctl: No lock matches.");
    saysNo({"list", "--json"}, "", "lockboardctl: There are no locks.");
    saysNo({"release", "k"}, "Not held: \"k\".\n", "");
    saysNo({"release-all", "--dry-run"}, "", "lockboardctl: There is nothing to release.");
    saysNo({"release-all", "--yes"}, "", "lockboardctl: There is nothing to release.");
}

void TestCtlUsage::isReadOnly()
{
    const Ctl ctl;
    for (const QByteArrayList& words :
         {QByteArrayList{"acquire", "k"}, {"release", "k"}, {"release-all", "--yes"}}) {
        const CtlRun run = ctl.run(QByteArrayList{"--read-only"} + words);
        QCOMPARE(run.code, 77);
        QCOMPARE(run.out, "");
        QVERIFY(run.complaint().startsWith("lockboardctl: Read-only mode: "));
    }
    QCOMPARE(ctl.run({"--read-only", "list", "--provider", "in-memory"}).code, 1);
    QCOMPARE(ctl.run({"--read-only", "release-all", "--dry-run", "--provider", "in-memory"}).code,
             1);
    QVERIFY(!QFileInfo::exists(ctl.path(u"state"_s)));
}

void TestCtlUsage::readsTheUsualConfig()
{
    const Ctl ctl;
    ctl.writeFile(u"config/lockboard/config.json"_s,
                  R"({"providers": [{"resolve": "in-memory", "id": "usual"}]})");
    const CtlRun run = ctl.run({"list"});
    QCOMPARE(run.err.split('\n').first(), "Locking module: Using \"usual\" as default.");
    QCOMPARE(run.code, 78); // its locks end with the command
}

void TestCtlUsage::namesPathAndLineOfABrokenConfig_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("where");
    QTest::newRow("JSON") << QByteArray("{\n  \"providers\": [\n}\n") << QByteArray(":3: ");
    QTest::newRow("option") << QByteArray("{\"providers\": [\n {\"resolve\": \"in-memory\",\n"
                                          "  \"id\": \"a\", \"options\": {\n   \"nix\": 1}}]}")
                            << QByteArray(":4: /providers/0/options/nix: ");
    QTest::newRow("provider") << QByteArray(
        "{\"providers\": [\n {\"id\": \"a\",\n  \"resolve\": \"carrier-pigeon\"}]}")
                              << QByteArray(":3: /providers/0/resolve: ");
}

void TestCtlUsage::namesPathAndLineOfABrokenConfig()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, where);
    const Ctl ctl;
    const QByteArray file = ctl.writeFile(u"broken.json"_s, text).toUtf8();
    const CtlRun run = ctl.run({"list", "--config", file});
    QCOMPARE(run.code, 78);
    QCOMPARE(run.out, "");
    QVERIFY2(run.complaint().startsWith("lockboardctl: " + file + where), run.err);
    QCOMPARE(run.complaint().count('\n'), 0);
}

void TestCtlUsage::needsAnAuditLogToChangeLocks()
{
    const Ctl ctl;
    const QByteArray file = ctl.path(u"a/b/audit.jsonl"_s).toUtf8();
    QCOMPARE(ctl.run({"--provider", "in-memory", "acquire", "k", "--audit-log", file}).code, 0);
    QVERIFY(QFileInfo(QString::fromUtf8(file)).size() > 0);
    QVERIFY(ctl.audit().isEmpty());

    const CtlRun refused =
        ctl.run({"--provider", "in-memory", "acquire", "k", "--audit-log", "/dev/null/x"});
    QCOMPARE(refused.code, 78);
    QVERIFY2(refused.complaint().startsWith("lockboardctl: /dev/null/x: the audit log"),
             refused.err);
    QCOMPARE(ctl.run({"providers", "--audit-log", "/dev/null/x"}).code, 0);
}

void TestCtlUsage::saysThatOutputFailed()
{
    const Ctl ctl;
    QProcess process;
    process.setStandardOutputFile(u"/dev/full"_s);
    process.start(QStringLiteral(LOCKBOARDCTL), {u"--help"_s});
    const CtlRun run = Ctl::finish(process);
    QCOMPARE(run.code, 74);
    QCOMPARE(run.complaint(),
             "lockboardctl: The output can't be written: No space left on device.");
}

void TestCtlUsage::refusesLocksThatEndWithIt_data()
{
    QTest::addColumn<QString>("config"); // none: there is no file
    QTest::addColumn<QByteArrayList>("words");
    QTest::addColumn<QByteArray>("says");
    const QString nothing;
    const QString two = uR"({"providers": [
        {"resolve": "redis", "id": "a", "options": {"redisUrl": "redis://127.0.0.1:1"}},
        {"resolve": "redis", "id": "b", "options": {"redisUrl": "redis://127.0.0.1:1"}}]})"_s;
    const QString memory = uR"({"providers": [{"resolve": "in-memory", "id": "m"}]})"_s;
    for (const QByteArray verb :
         {"acquire k", "release k", "release-all --yes", "release-all --dry-run", "list",
          "postgres install-trigger", "check"}) {
        const QByteArrayList words = verb.split(' ');
        QTest::newRow("no config: " + verb) << nothing << words << QByteArray("--connect");
        QTest::newRow("a link to nowhere: " + verb)
            << u"->/nonexistent/config.json"_s << words << QByteArray("config.json");
        QTest::newRow("a folder: " + verb)
            << u"folder"_s << words << QByteArray("config.json: can't be read");
        QTest::newRow("no providers: " + verb) << u"{}"_s << words << QByteArray("--connect");
        QTest::newRow("in memory by default: " + verb) << memory << words << QByteArray("\"m\"");
        if (verb != "check") { // which looks at all of them
            QTest::newRow("two and no default: " + verb)
                << two << words << QByteArray("--provider: \"a\", \"b\"");
        }
    }
}

void TestCtlUsage::refusesLocksThatEndWithIt()
{
    QFETCH(QString, config);
    QFETCH(QByteArrayList, words);
    QFETCH(QByteArray, says);
    const Ctl ctl;
    const QString file = ctl.path(u"config/lockboard/config.json"_s);
    QVERIFY(QDir().mkpath(QFileInfo(file).path()));
    if (config.startsWith(u"->"))
        QVERIFY(QFile::link(config.mid(2), file));
    else if (config == u"folder")
        QVERIFY(QDir().mkpath(file));
    else if (!config.isEmpty())
        ctl.writeFile(u"config/lockboard/config.json"_s, config.toUtf8());
    const CtlRun run = ctl.run(words);
    QCOMPARE(run.code, 78);
    QCOMPARE(run.out, "");
    QCOMPARE(run.complaint().count('\n'), 0);
    QVERIFY2(run.complaint().contains(says), run.err);
    QVERIFY(ctl.audit().isEmpty());
}

void TestCtlUsage::usesTheLocksThatAreNamed()
{
    const Ctl ctl;
    const CtlRun named = ctl.run({"acquire", "k", "--provider", "lp_in-memory"});
    QCOMPARE(named.code, 0);
    QVERIFY2(named.err.contains("end with this command"), named.err);
    QCOMPARE(ctl.run({"acquire", "k", "--demo"}).code, 0);
    QCOMPARE(ctl.run({"providers"}).code, 0);
    QCOMPARE(ctl.run({"acquire", "k", "--read-only"}).code, 77);
}

QTEST_GUILESS_MAIN(TestCtlUsage)
#include "tst_ctl_usage.moc"
