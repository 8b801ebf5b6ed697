// SPDX-License-Identifier: MIT
#include "tests/redis/redis_fixture.h"
#include "tests/support/tls_redis_server.h"

#include <QFile>

using namespace Qt::StringLiterals;

namespace lockboard::test {

static const QString here = u"IP:127.0.0.1,DNS:localhost"_s;

//! Real handshakes with a real server: what passes, and what is said of what doesn't.
class RedisTlsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_server.reset(); }
    void passes_data();
    void passes();
    void asksForTheNameItIsTold();
    void refuses_data();
    void refuses();
    void clientCertificates_data();
    void clientCertificates();
    void saysWhenTlsIsOnOneSideOnly();
    void doesNotVerifyIfToldSo();
    void pushesOverTls();
    void configErrors_data();
    void configErrors();

private:
    [[nodiscard]] static QString optionsFor(quint16 port, const QString& tls)
    {
        return u"\"redisOptions\": {\"host\": \"127.0.0.1\", \"port\": %1, \"tls\": %2}"_s.arg(port)
            .arg(tls);
    }
    //! `"NAME": "PATH"`
    [[nodiscard]] QString member(const char* name, const QString& file) const
    {
        return u"\"%1\": \"%2\""_s.arg(QLatin1StringView(name), m_certificates.path(file));
    }
    [[nodiscard]] QString trusting(const QString& more = {}) const
    {
        return u'{' + member("caFile", u"ca.pem"_s) + more + u'}';
    }
    static std::string problemOf(const RedisModule& module)
    {
        return thrownBy<Unavailable>(module->acquire("a")).message();
    }

    Certificates m_certificates;
    Certificates m_strangers{u"Strangers"_s};
    std::unique_ptr<TlsRedisServer> m_server;
};

#define VERIFY_SAYS(said, phrase)                                                                  \
    QVERIFY2((said).find((phrase).toStdString()) != std::string::npos, (said).c_str())

void RedisTlsTest::initTestCase()
{
    m_certificates.issue(u"server"_s, here);
    m_certificates.issue(u"expired"_s, here, -1);
    m_certificates.issue(u"elsewhere"_s, u"DNS:redis.example,DNS:other.example"_s);
    m_certificates.issueSelfSigned(u"selfsigned"_s, here);
    m_certificates.issue(u"client"_s, u"DNS:client"_s);
    m_certificates.encryptKey(u"locked"_s, u"client"_s, u"s3cret"_s);
    m_strangers.issue(u"client"_s, u"DNS:client"_s);
    m_server = std::make_unique<TlsRedisServer>(m_certificates, u"server"_s);
}

void RedisTlsTest::passes_data()
{
    QTest::addColumn<QString>("options");
    const quint16 port = m_server->port();
    const QString text = u"\"ca\": \"${file:%1}\""_s.arg(m_certificates.authority());
    QFile file(m_certificates.authority());
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QString pem = QString::fromLatin1(file.readAll()).replace(u'\n', u"\\n"_s);
    QTest::newRow("authority by path") << optionsFor(port, trusting());
    QTest::newRow("by reference") << optionsFor(port, u'{' + text + u'}');
    QTest::newRow("inline") << optionsFor(port, u"{\"ca\": \"%1\"}"_s.arg(pem));
    QTest::newRow("a list") << optionsFor(
        port, u"{\"ca\": [\"${file:%1}\", \"%2\"]}"_s.arg(m_strangers.authority(), pem));
    QTest::newRow("URL and options")
        << u"\"redisUrl\": \"rediss://localhost:%1\", \"redisOptions\": {\"tls\": %2}"_s.arg(port)
               .arg(trusting());
    QTest::newRow("plain URL, TLS by options")
        << u"\"redisUrl\": \"redis://localhost:%1\", \"redisOptions\": {\"tls\": %2}"_s.arg(port)
               .arg(trusting());
}

void RedisTlsTest::passes()
{
    QFETCH(const QString, options);
    const RedisModule module(options);
    await(module->acquire("a", AcquireOptions().ownedBy("ann")));
    QVERIFY(await(module->release("a", ReleaseOptions().ownedBy("ann"))).allReleased());
    const CheckReport report = await(module->check());
    for (const Finding& finding : report.findings)
        QVERIFY2(finding.level != Finding::Problem, finding.sentence.c_str());
    QVERIFY2(module.log.find("ertificate") == std::string::npos, module.log.c_str());
}

void RedisTlsTest::asksForTheNameItIsTold()
{
    // OpenSSL's own server has two certificates, and shows the second to who asks for its name.
    const quint16 port = RedisServer::freePort();
    QProcess process;
    process.start(u"openssl"_s,
                  {u"s_server"_s, u"-quiet"_s, u"-rev"_s, u"-accept"_s, u"127.0.0.1:%1"_s.arg(port),
                   u"-cert"_s, m_certificates.path(u"expired.pem"_s), u"-key"_s,
                   m_certificates.path(u"expired.key"_s), u"-servername"_s, u"redis.example"_s,
                   u"-cert2"_s, m_certificates.path(u"elsewhere.pem"_s), u"-key2"_s,
                   m_certificates.path(u"elsewhere.key"_s)});
    QVERIFY(process.waitForStarted());
    const auto said = [&](const QString& tls) {
        for (;;) { // until it listens
            const std::string problem = problemOf(RedisModule(optionsFor(port, tls)));
            if (problem.find("refused") == std::string::npos)
                return problem;
        }
    };
    VERIFY_SAYS(said(trusting()), u"expired on"_s);
    // It gives back what it hears, from right to left: the handshake has passed.
    VERIFY_SAYS(said(trusting(u", \"servername\": \"redis.example\""_s)),
                u"does not speak the protocol of Redis"_s);
    process.kill();
    process.waitForFinished();
}

void RedisTlsTest::refuses_data()
{
    QTest::addColumn<QString>("certificate");
    QTest::addColumn<QString>("tls");
    QTest::addColumn<QString>("says");
    const QString strangers = u"{\"caFile\": \"%1\"}"_s.arg(m_strangers.authority());
    const QString yesterday =
        QDateTime::currentDateTimeUtc().addDays(-1).toString(u"yyyy-MM-dd"_s).chopped(2);
    QTest::newRow("the system's authorities")
        << u"server"_s << u"true"_s
        << u"was issued by \"Test authority\", which is not trusted (tls.ca)"_s;
    QTest::newRow("another authority")
        << u"server"_s << strangers
        << u"was issued by \"Test authority\", which is not trusted (tls.ca)"_s;
    QTest::newRow("self-signed") << u"selfsigned"_s << trusting()
                                 << u"its certificate is self-signed"_s;
    QTest::newRow("expired") << u"expired"_s << trusting() << u"expired on "_s + yesterday;
    QTest::newRow("wrong host")
        << u"elsewhere"_s << trusting()
        << u"is for \"other.example\", \"redis.example\", not for \"127.0.0.1\""_s;
    QTest::newRow("wrong name") << u"server"_s << trusting(u", \"servername\": \"redis.example\""_s)
                                << u"not for \"redis.example\""_s;
}

void RedisTlsTest::refuses()
{
    QFETCH(const QString, certificate);
    QFETCH(const QString, tls);
    QFETCH(const QString, says);
    const TlsRedisServer server(m_certificates, certificate);
    const RedisModule module(optionsFor(server.port(), tls));
    const std::string problem = problemOf(module);
    VERIFY_SAYS(problem,
                u"Redis at 127.0.0.1:%1 can't be reached: its certificate"_s.arg(server.port()));
    VERIFY_SAYS(problem, says);
    VERIFY_SAYS(module.log, says);
}

void RedisTlsTest::clientCertificates_data()
{
    QTest::addColumn<QString>("more");
    QTest::addColumn<QString>("says");
    const auto pair = [](const QString& certificate, const QString& key) {
        return u", \"certFile\": \"%1\", \"keyFile\": \"%2\""_s.arg(certificate, key);
    };
    const QString cert = m_certificates.path(u"client.pem"_s);
    QTest::newRow("right") << pair(cert, m_certificates.path(u"client.key"_s)) << QString();
    QTest::newRow("with passphrase")
        << pair(cert, m_certificates.path(u"locked.key"_s)) + u", \"passphrase\": \"s3cret\""_s
        << QString();
    QTest::newRow("by references") << u", \"cert\": \"${file:%1}\", \"key\": \"${file:%2}\""_s.arg(
        cert, m_certificates.path(u"client.key"_s))
                                   << QString();
    QTest::newRow("none") << QString() << u"client certificate"_s;
    QTest::newRow("a stranger's") << pair(m_strangers.path(u"client.pem"_s),
                                          m_strangers.path(u"client.key"_s))
                                  << u"the client certificate"_s;
    QTest::newRow("another's key") << pair(cert, m_certificates.path(u"server.key"_s))
                                   << u"the client's private key is not its certificate's"_s;
}

void RedisTlsTest::clientCertificates()
{
    QFETCH(const QString, more);
    QFETCH(const QString, says);
    const TlsRedisServer server(m_certificates, u"server"_s, true);
    const RedisModule module(optionsFor(server.port(), trusting(more)));
    std::string problem;
    try {
        await(module->acquire("a", AcquireOptions().ownedBy("ann")));
    } catch (const LockError& error) {
        problem = error.message();
    }
    QCOMPARE(problem.empty(), says.isEmpty());
    VERIFY_SAYS(problem, says);
    QVERIFY2(problem.find("error:") == std::string::npos, problem.c_str());
}

void RedisTlsTest::saysWhenTlsIsOnOneSideOnly()
{
    RedisServer plain;
    VERIFY_SAYS(
        problemOf(RedisModule(optionsFor(plain.port(), u"true, \"connectTimeout\": 500"_s))),
        u"no answer to the TLS handshake within 500 ms; it may not speak TLS"_s);
    VERIFY_SAYS(problemOf(RedisModule(optionsFor(m_server->port(), u"false"_s))),
                u"it may speak TLS only (rediss://)"_s);
}

void RedisTlsTest::doesNotVerifyIfToldSo()
{
    const std::string says = "is not verified (rejectUnauthorized is false)";
    for (const char* certificate : {"elsewhere", "expired", "selfsigned"}) {
        const TlsRedisServer server(m_certificates, QLatin1String(certificate));
        RedisModule module(optionsFor(server.port(), u"{\"rejectUnauthorized\": false}"_s));
        await(module->acquire("a", AcquireOptions().ownedBy("ann")));

        const CheckReport report = await(module->check());
        QVERIFY(std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& f) {
            return f.level == Finding::Problem && f.sentence.find(says) != std::string::npos;
        }));
        const LiveViewPtr view = await(module->liveView());
        SourceState state;
        connect(view.get(), &LiveView::stateChanged, this, [&](const SourceState& now) {
            state = now;
            QCOMPARE(now.warnings.size(), 1); // whatever the state
        });
        view->start();
        QTRY_COMPARE(state.kind, SourceState::Live);
        VERIFY_SAYS(state.warnings.join(u' ').toStdString(), QString::fromStdString(says));
        // Once, though there is a second connection.
        const auto first = module.log.find(says);
        QVERIFY(first != std::string::npos);
        QCOMPARE(module.log.find(says, first + 1), std::string::npos);
    }
}

void RedisTlsTest::pushesOverTls()
{
    const RedisModule module(optionsFor(m_server->port(), trusting()));
    std::string mode;
    for (const Finding& finding : await(module->check()).findings)
        mode += finding.sentence + '\n';
    VERIFY_SAYS(mode, u"push (RESP"_s);
    const QStringList clients =
        (*m_server)->cli({u"CLIENT"_s, u"LIST"_s}).split(u'\n').filter(u"name=lockboard"_s);
    QCOMPARE(clients.size(), 2);
    for (const QString& client : clients)
        QVERIFY2(client.contains(u"laddr=127.0.0.1:%1 "_s.arg(m_server->port())),
                 qPrintable(client));
}

void RedisTlsTest::configErrors_data()
{
    QTest::addColumn<QString>("tls");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("says");
    const QString key = member("keyFile", u"client.key"_s);
    const QString cert = member("certFile", u"client.pem"_s);
    const QString locked = u'{' + cert + u", "_s + member("keyFile", u"locked.key"_s);
    const auto add = [](const char* name, const QString& tls, const QString& path,
                        const QString& says) { QTest::newRow(name) << tls << path << says; };
    add("no object", u"1"_s, u""_s, u"must be true or false"_s);
    add("unknown", u"{\"colour\": 1}"_s, u"/colour"_s, u"is not a known option"_s);
    add("type", u"{\"rejectUnauthorized\": \"no\"}"_s, u"/rejectUnauthorized"_s,
        u"must be true or false"_s);
    add("no file", u"{\"caFile\": \"absent.pem\"}"_s, u"/caFile"_s,
        u"names the file \"absent.pem\", which can't be read: No such file"_s);
    add("no referred file", u"{\"ca\": \"${file:absent.pem}\"}"_s, u"/ca"_s,
        u"refers to the file \"absent.pem\", which can't be read: No such file"_s);
    add("a key as authority", u"{\"caFile\": \"%1\"}"_s.arg(m_certificates.path(u"client.key"_s)),
        u"/caFile"_s, u"client.key\", which holds no certificate in PEM form"_s);
    add("no PEM", u"{\"ca\": \"s3cret\"}"_s, u"/ca"_s, u"holds no certificate in PEM form"_s);
    add("no PEM in a list", u"{\"ca\": [\"s3cret\"]}"_s, u"/ca"_s,
        u"holds no certificate in PEM form"_s);
    add("both", u"{\"ca\": \"s3cret\", \"caFile\": \"x\"}"_s, u"/caFile"_s,
        u"stands beside \"ca\""_s);
    add("a certificate as key",
        u'{' + cert + u", \"key\": \"${file:%1}\"}"_s.arg(m_certificates.path(u"client.pem"_s)),
        u"/key"_s, u"client.pem}, which holds no RSA or EC private key in PEM form"_s);
    add("no key", u'{' + cert + u'}', u"/certFile"_s, u"needs its private key beside it"_s);
    add("no certificate", u'{' + key + u'}', u"/keyFile"_s, u"needs its certificate beside it"_s);
    add("no passphrase", locked + u'}', u"/keyFile"_s,
        u"locked.key\", which is encrypted: \"passphrase\" must say with what"_s);
    add("wrong passphrase", locked + u", \"passphrase\": \"s3cret no more\"}"_s, u"/keyFile"_s,
        u"locked.key\", which can't be opened with this passphrase"_s);
}

void RedisTlsTest::configErrors()
{
    QFETCH(const QString, tls);
    QFETCH(const QString, path);
    QFETCH(const QString, says);
    try {
        const RedisModule module(optionsFor(1, tls));
        QFAIL("no error");
    } catch (const ConfigError& error) {
        QCOMPARE(QString::fromStdString(error.path()),
                 u"/providers/0/options/redisOptions/tls"_s + path);
        QCOMPARE(error.line(), 3);
        VERIFY_SAYS(error.message(), says);
        QVERIFY2(error.message().find("s3cret") == std::string::npos, error.what());
    }
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisTlsTest)
#include "redis_tls_test.moc"
