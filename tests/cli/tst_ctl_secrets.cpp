// SPDX-License-Identifier: MIT
//! A password that the program is given is in nothing that it says, nor where `ps` looks.
#include "tests/cli/ctl.h"
#include "tests/support/redis_server.h"
#include "tests/support/secret_places.h"

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
    void anyPassword();
    void ownExamplesAreShown_data();
    void ownExamplesAreShown();

private:
    //! Everything that a run says and leaves: output, errors, the audit log.
    static QByteArray saidBy(const QByteArrayList& words);
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
    row("as an action", {"--connect", encoded, "postgres", url});
    row("as a key in base64", {"acquire", "--base64", url});
    row("as a file of names", {"--connect", encoded, "list", "--names-from", url});
    row("cut by a space", {"--connect", "redis://ann:x", "s3cret@127.0.0.1:1"});
    row("cut by a space, as a verb", {"s3cret@127.0.0.1:1", "list"});
    row("with an @", {"--connect", "postgres://ann:Sup@s3cret@127.0.0.1:1/shop", "check"});
    row("with a space", {"--connect", "redis://ann:x /s3cret@127.0.0.1:1", "list"});
    row("with a quote", {"list", "redis://ann:x\" s3cret@127.0.0.1:1"});
    row("keywords", {"list", "host=h password = 'x s3cret'"});
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

QByteArray TestCtlSecrets::saidBy(const QByteArrayList& words)
{
    const Ctl ctl;
    const CtlRun run = ctl.run(words);
    QFile audit(ctl.path(u"state/lockboard/audit.jsonl"_s));
    return run.out + run.err + (audit.open(QIODevice::ReadOnly) ? audit.readAll() : QByteArray());
}

void TestCtlSecrets::anyPassword()
{
    bool given = false;
    unsigned seed = qEnvironmentVariableIntValue("SECRETS_SEED", &given);
    if (!given)
        seed = 20261130;
    int count = qEnvironmentVariableIntValue("SECRETS_RUNS", &given);
    if (!given)
        count = 250;
    qInfo("SECRETS_SEED=%u SECRETS_RUNS=%d", seed, count);
    const QList<QByteArrayList> verbs{{"providers"},
                                      {"list"},
                                      {"list", "--json"},
                                      {"acquire", "k", "--owner", "o"},
                                      {"release", "k", "--owner", "o", "--json"},
                                      {"release-all", "--owner", "o", "--yes"},
                                      {"check"},
                                      {"check", "--json"},
                                      {"postgres", "install-trigger"}};
    const QList<SecretPlace> urls = secretUrls();
    const QList<SecretPlace> configs = secretConfigs();
    QTemporaryDir folder;
    const auto wordsFor = [&](int run, const QByteArray& password) {
        const qsizetype place = run % (urls.size() + configs.size());
        if (place < urls.size())
            return QByteArrayList{"--connect", filledIn(urls[place], password)};
        QFile file(folder.filePath(u"config.json"_s));
        const QByteArray text = filledIn(configs[place - urls.size()], password);
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
            throw std::runtime_error("a file can't be written");
        qputenv("LOCKBOARD_TEST_SECRET", password);
        QFile secret(folder.filePath(u"secret"_s));
        if (!secret.open(QIODevice::WriteOnly) || secret.write(password) != password.size())
            throw std::runtime_error("a file can't be written");
        return QByteArrayList{"--config", file.fileName().toUtf8()};
    };
    LeakDetector detector;
    const auto plain = Passwords::plain();
    for (int i = 0; i < urls.size() + configs.size(); ++i) {
        const QByteArray& password = plain[i % plain.size()];
        const QByteArray said = saidBy(wordsFor(i, password) + verbs[i % verbs.size()]);
        QVERIFY2(!said.contains("qZxJ") && !said.contains("wKvY"), said.constData());
        detector.learn(said);
    }
    detector.learn(saidBy({"--connect", "redis://:@/?#%@h", "list"}));
    Passwords passwords(seed);
    for (int i = 0; i < count; ++i) {
        const QByteArray password = passwords.next();
        const QByteArrayList words = wordsFor(i, password) + verbs[i % verbs.size()];
        const QByteArray said = saidBy(words);
        const QByteArray leak = detector.leakIn(said, password);
        QVERIFY2(leak.isEmpty(),
                 ('"' + leak + "\" of the password \"" + password + "\" is in: " + said + "\nof "
                  + words.join(' '))
                     .constData());
    }
}

void TestCtlSecrets::ownExamplesAreShown_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::addColumn<QByteArray>("example");
    QTest::newRow("PostgreSQL") << QByteArrayList{"--connect", "postgres://h:x/", "list"}
                                << QByteArray("a port that is not a number");
    QTest::newRow("PostgreSQL's URL")
        << QByteArrayList{"--connect", "postgres://h/d?colour=red", "list"}
        << QByteArray("postgres://user@host:5432/database");
    QTest::newRow("what to write") << QByteArrayList{"--connect", "redis://ann:a@b/c@h", "list"}
                                   << QByteArray("write @ as %40, / as %2F");
    QTest::newRow("Redis") << QByteArrayList{"--connect", "redis://[h", "list"}
                           << QByteArray("redis://127.0.0.1:6379/0, rediss://host or");
}

void TestCtlSecrets::ownExamplesAreShown()
{
    QFETCH(const QByteArrayList, words);
    QFETCH(const QByteArray, example);
    const Ctl ctl;
    const CtlRun run = ctl.run(words);
    QCOMPARE(run.code, 78);
    QVERIFY2(run.err.contains(example) && !run.err.contains("**"), run.err.constData());
}

QTEST_GUILESS_MAIN(TestCtlSecrets)
#include "tst_ctl_secrets.moc"
