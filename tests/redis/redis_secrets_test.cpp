// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/redis/redis_fixture.h"

#include <QDir>
#include <QFile>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! A recognisable password, wherever it comes from and whatever goes wrong, is in nothing that we
//! say: log, errors, what check finds, the state of the live view, the audit log.
class RedisSecretsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_server.reset(); }
    void saysNothing_data();
    void saysNothing();
    void configErrorsSayNothing_data();
    void configErrorsSayNothing();

private:
    void drive(const Config& config);
    void hear(const std::string& text) { m_heard += text + '\n'; }
    template <typename Call> void attempt(const Call& call)
    {
        try {
            call();
        } catch (const std::exception& error) { // what a terminate would print, too
            hear(error.what());
        }
    }

    static constexpr const char* secret = "s3cret";
    QTemporaryDir m_folder;
    std::unique_ptr<RedisServer> m_server;
    std::string m_heard;
};

void RedisSecretsTest::initTestCase()
{
    m_server = std::make_unique<RedisServer>();
    // May log in and do nothing; may do all.
    m_server->cli({u"ACL"_s, u"SETUSER"_s, u"nobody"_s, u"on"_s, u">s3cret/@:#"_s});
    m_server->cli({u"ACL"_s, u"SETUSER"_s, u"all"_s, u"on"_s, u">s3cret/@:#"_s, u"~*"_s, u"&*"_s,
                   u"+@all"_s});
    qputenv("LOCKBOARD_TEST_SECRET", "s3cret/@:#");
    QFile file(m_folder.filePath(u"password"_s));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write("s3cret/@:#\n") > 0);
    QVERIFY(QDir(m_folder.path()).mkdir(u"folder"_s));
}

void RedisSecretsTest::drive(const Config& config)
{
    SystemClock clock;
    const Container container(clock,
                              [this](LogLevel, const std::string& message) { hear(message); });
    LockingModule::Settings settings;
    const QString auditFile = m_folder.filePath(u"audit.jsonl"_s);
    settings.audit = std::make_shared<AuditLog>(auditFile, "tester@here");
    LockingModule module(config, container, settings);
    const auto me = AcquireOptions().ownedBy("me").expiringIn(60s);

    const LiveViewPtr view = await(module.liveView());
    connect(view.get(), &LiveView::stateChanged, this, [this](const SourceState& state) {
        hear((state.why + state.mode + state.warnings.join(u' ')).toStdString());
    });
    view->start();
    attempt([&] { await(module.acquire("a", me)); });
    attempt([&] { await(module.acquire(LockKeys("a", "b"), me)); });
    attempt([&] { await(module.release("a", ReleaseOptions().ownedBy("me"))); });
    attempt([&] { await(module.releaseAll(ReleaseAllOptions())); });
    attempt([&] {
        await(module.execute(
            LockKeys("c"), [] {}, ExecuteOptions().timingOutAfterSeconds(1)));
    });
    for (const ProviderInfo& info : module.providers()) {
        hear(info.id + ' ' + info.identifier);
        for (const Finding& finding : await(module.check(info.id)).findings)
            hear(finding.sentence);
    }
    QFile audit(auditFile);
    QVERIFY(audit.open(QIODevice::ReadOnly));
    const QByteArray lines = audit.readAll();
    QVERIFY(lines.contains("acquire"));
    hear(lines.toStdString());
}

void RedisSecretsTest::saysNothing_data()
{
    QTest::addColumn<QString>("options");
    const QString port = QString::number(m_server->port());
    const auto everywhere = [&](const QString& name, const QString& user, const QString& where,
                                const QString& more = {}) {
        const QString encoded = u"s3cret%2F%40%3A%23"_s;
        const QString begin = u"\"redisUrl\": \"redis://"_s + user + u':';
        const QString end =
            u'@' + where + u"\", \"redisOptions\": {\"commandTimeout\": 300"_s + more + u'}';
        const auto row = [&](const char* from, const QString& options) {
            QTest::newRow(qPrintable(name + u", "_s + QLatin1String(from))) << options;
        };
        row("URL", begin + encoded + end);
        row("URL with a variable", begin + u"${env:LOCKBOARD_TEST_SECRET}"_s + end);
        row("URL with a file", begin + u"${file:password}"_s + end);
        const QString host = where.section(u':', 0, 0);
        const QString hostPort = where.section(u':', 1, 1).section(u'/', 0, 0);
        const QString options =
            u"\"redisOptions\": {\"host\": \"%1\", \"port\": %2, "
            "\"commandTimeout\": 300, \"username\": \"%3\", \"password\": "_s.arg(host, hostPort,
                                                                                  user);
        row("option", options + u"\"s3cret/@:#\""_s + more + u'}');
        row("option by variable", options + u"\"${env:LOCKBOARD_TEST_SECRET}\""_s + more + u'}');
        row("option by file", options + u"\"${file:password}\""_s + more + u'}');
    };
    everywhere(u"no such user"_s, u"stranger"_s, u"127.0.0.1:"_s + port);
    everywhere(u"the user's name is secret"_s, u"s3cret"_s, u"127.0.0.1:"_s + port);
    everywhere(u"no rights"_s, u"nobody"_s, u"127.0.0.1:"_s + port);
    everywhere(u"no such database"_s, u"all"_s, u"127.0.0.1:"_s + port + u"/99"_s);
    everywhere(u"all is well"_s, u"all"_s, u"127.0.0.1:"_s + port);
    everywhere(u"nobody listens"_s, u"all"_s, u"127.0.0.1:1"_s);
    everywhere(u"no such host"_s, u"all"_s, u"redis.invalid:1"_s);
    everywhere(u"no TLS there"_s, u"all"_s, u"127.0.0.1:"_s + port,
               u", \"tls\": true, \"connectTimeout\": 300"_s);
}

void RedisSecretsTest::saysNothing()
{
    QFETCH(const QString, options);
    m_heard.clear();
    const QString text =
        u"{\"providers\": [{\"resolve\": \"redis\", \"id\": \"shop\", \"options\": {%1}}]}"_s.arg(
            options);
    drive(
        Config::parse(text.toStdString(), "c.json", m_folder.path().toStdString(), builtInKinds()));
    QVERIFY2(m_heard.find("127.0.0.1") != std::string::npos
                 || m_heard.find("redis.invalid") != std::string::npos,
             m_heard.c_str());
    QVERIFY2(m_heard.find(secret) == std::string::npos, m_heard.c_str());
}

void RedisSecretsTest::configErrorsSayNothing_data()
{
    QTest::addColumn<QString>("text");
    const auto raw = [](const char* name, const QString& text) { QTest::newRow(name) << text; };
    const auto row = [&](const char* name, const QString& options) {
        raw(name,
            u"{\"providers\": [{\"resolve\": \"redis\", \"id\": \"shop\", \"options\": {%1}}]}"_s
                .arg(options));
    };
    const auto url = [&](const char* text) {
        row(text, u"\"redisUrl\": \"%1\""_s.arg(QLatin1String(text)));
    };
    url("redis://:s3cret@");
    url("redis://:s3cret@host:s3cret");
    url("redis://:a/s3cret@host");
    url("redis://:1/s3cret@host");
    url("redis://:s3cret@host/s3cret");
    url("redis://:s3cret@host?s3cret=1");
    url("redis://:s3cret@host#s3cret");
    url("redis://:s3cret host");
    url("redis://:s3cret%@host");
    url("redis://[s3cret]");
    url("redis:s3cret");
    url("s3cret");
    url("${env:LOCKBOARD_TEST_SECRET}");
    url("${file:password}");
    url("redis://:s3cret${env:LOCKBOARD_TEST_UNSET}@h");
    url("redis://:s3cret${file:folder}@h");
    url("redis://:s3cret${s3cret}@h");
    url("redis://:s3cret${s3cret@h");
    url("http://:s3cret@h");
    row("user without password",
        u"\"redisOptions\": {\"host\": \"h\", \"username\": \"${file:password}\"}"_s);
    row("a path too much",
        u"\"redisOptions\": {\"path\": \"/s\", \"password\": \"s3cret\", \"tls\": true}"_s);
    row("a word that is none",
        u"\"redisUrl\": \"redis://:s3cret@h\", \"ownerless\": \"${file:password}\""_s);
    row("an authority that is none",
        u"\"redisOptions\": {\"host\": \"h\", \"tls\": {\"ca\": \"${file:password}\"}}"_s);
    row("an authority's file that is none",
        u"\"redisOptions\": {\"host\": \"h\", \"tls\": {\"caFile\": \"password\"}}"_s);
    row("a client that is none",
        u"\"redisOptions\": {\"host\": \"h\", \"tls\": {\"cert\": \"s3cret\", \"key\": \"s3cret\"}}"_s);
    raw("a string without end", u"{\"providers\": [{\"options\": {\"password\": \"s3cret}}]}"_s);
    raw("an escape that is none",
        u"{\"providers\": [{\"options\": {\"password\": \"s3cret\\q\"}}]}"_s);
    raw("no string", u"{\"providers\": [{\"options\": {\"password\": s3cret}}]}"_s);
    raw("no comma", u"{\"providers\": [{\"options\": {\"password\": \"s3cret\" \"s3cret\"}}]}"_s);
    raw("too much", u"{\"providers\": []} s3cret"_s);
}

void RedisSecretsTest::configErrorsSayNothing()
{
    QFETCH(const QString, text);
    m_heard.clear();
    bool thrown = false;
    try {
        drive(Config::parse(text.toStdString(), "c.json", m_folder.path().toStdString(),
                            builtInKinds()));
    } catch (const ConfigError& error) {
        thrown = true;
        hear(error.what());
    }
    QVERIFY(thrown);
    QVERIFY2(m_heard.find(secret) == std::string::npos, m_heard.c_str());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisSecretsTest)
#include "redis_secrets_test.moc"
