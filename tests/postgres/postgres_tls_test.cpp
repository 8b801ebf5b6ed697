// SPDX-License-Identifier: MIT
#include "tests/postgres/watched.h"
#include "tests/support/certificates.h"

using namespace Qt::StringLiterals;

namespace lockboard::test {

//! TLS is libpq's; that its options reach it, also for the sessions that hold and list, and what
//! is said when it fails, is ours.
class PostgresTlsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_server.reset(); }
    void init() { m_server->query(u"TRUNCATE locking"_s); }
    void passes_data();
    void passes();
    void encryptsEverySession();
    void refuses_data();
    void refuses();
    void refusesAnExpiredCertificate();
    void refusesAServerWithoutTls();
    void keepsThePassphraseToItself();

private:
    //! Of a host's name or address, with these words of libpq's besides.
    [[nodiscard]] QString urlOf(const QString& host, const QString& words,
                                const QString& user = u"postgres"_s) const
    {
        return u"host=%1 port=%2 dbname=postgres user=%3 %4"_s.arg(host)
            .arg(m_server->port())
            .arg(user, words);
    }
    [[nodiscard]] QString trusting() const
    {
        return u"sslmode=verify-full sslrootcert=%1"_s.arg(m_certificates.authority());
    }
    [[nodiscard]] QString showing(const QString& key) const
    {
        return trusting()
            + u" sslcert=%1 sslkey=%2"_s.arg(m_certificates.path(u"holder.pem"_s),
                                             m_certificates.path(key));
    }

    Certificates m_certificates;
    Certificates m_strangers{u"Strangers"_s};
    std::unique_ptr<PostgresServer> m_server;
};

void PostgresTlsTest::initTestCase()
{
    m_certificates.issue(u"server"_s, u"IP:127.0.0.1,DNS:localhost"_s);
    m_certificates.issue(u"holder"_s, u"DNS:holder"_s);
    m_certificates.encryptKey(u"locked"_s, u"holder"_s, u"s3cret"_s);
    for (const QString& key : {u"holder.key"_s, u"locked.key"_s})
        QFile::setPermissions(m_certificates.path(key), QFile::ReadOwner | QFile::WriteOwner);
    PostgresOptions options;
    options.authority = &m_certificates;
    options.certificate = u"server"_s;
    // Who comes unencrypted is let in as "plain" only, "holder" by certificate only.
    options.rules = {
        u"hostssl all holder 127.0.0.1/32 cert"_s, u"host all plain 127.0.0.1/32 trust"_s,
        u"hostssl all all 127.0.0.1/32 trust"_s, u"hostnossl all all 127.0.0.1/32 reject"_s};
    m_server = std::make_unique<PostgresServer>(options);
    m_server->createTable();
    for (const QString& role : {u"holder"_s, u"plain"_s}) {
        m_server->query(u"CREATE ROLE %1 LOGIN"_s.arg(role));
        m_server->query(u"GRANT SELECT, INSERT, UPDATE, DELETE ON locking TO %1"_s.arg(role));
    }
}

void PostgresTlsTest::passes_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<bool>("encrypted");
    const QString here = u"127.0.0.1"_s;
    QTest::newRow("verified by address") << urlOf(here, trusting()) << true;
    QTest::newRow("verified by name") << urlOf(u"localhost"_s, trusting()) << true;
    QTest::newRow("not verified") << urlOf(here, u"sslmode=require"_s) << true;
    QTest::newRow("as a URL") << m_server->url() + u"?sslmode=verify-full&sslrootcert="_s
            + m_certificates.authority()
                              << true;
    QTest::newRow("as libpq does by itself") << urlOf(here, QString()) << true;
    QTest::newRow("with a certificate")
        << urlOf(here, showing(u"holder.key"_s), u"holder"_s) << true;
    QTest::newRow("with a passphrase")
        << urlOf(here, showing(u"locked.key"_s) + u" sslpassword=s3cret"_s, u"holder"_s) << true;
    QTest::newRow("unencrypted") << urlOf(here, u"sslmode=disable"_s, u"plain"_s) << false;
}

void PostgresTlsTest::passes()
{
    QFETCH(const QString, url);
    QFETCH(const bool, encrypted);
    const PostgresModule locks(url);
    QVERIFY(await(locks->acquire("k")).token());
    const CheckReport report = await(locks->check());
    const std::string& said = report.findings.front().sentence;
    QVERIFY2(said.ends_with(encrypted ? " answers, encrypted." : " answers, unencrypted."),
             said.c_str());
}

void PostgresTlsTest::encryptsEverySession()
{
    const PostgresModule locks(urlOf(u"127.0.0.1"_s, trusting()));
    PostgresJob job(locks, "k");
    QTRY_VERIFY(job.running);
    const Watcher watcher(locks);
    QTRY_VERIFY(watcher.isLive());
    const QString ours = u"SELECT count(*) FROM pg_stat_activity NATURAL JOIN pg_stat_ssl WHERE "
                         "application_name LIKE 'lockboard%' AND "_s;
    QCOMPARE(m_server->value(ours + u"ssl"_s), u"3"_s);
    QCOMPARE(m_server->value(ours + u"NOT ssl"_s), u"0"_s);
    QCOMPARE(job.end(), std::string());
}

void PostgresTlsTest::refuses_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("phrase");
    const QString here = u"127.0.0.1"_s;
    QTest::newRow("another authority")
        << urlOf(here, u"sslmode=verify-full sslrootcert="_s + m_strangers.authority())
        << u"certificate verify failed"_s;
    QTest::newRow("no such file of authorities")
        << urlOf(here, u"sslmode=verify-full sslrootcert=/nowhere/ca.pem"_s)
        << u"root certificate file \"/nowhere/ca.pem\" does not exist"_s;
    QTest::newRow("another name") << urlOf(u"elsewhere.example hostaddr=127.0.0.1"_s, trusting())
                                  << u"does not match host name \"elsewhere.example\""_s;
    QTest::newRow("no certificate of ours")
        << urlOf(here, trusting(), u"holder"_s) << u"requires a valid client certificate"_s;
    QTest::newRow("unencrypted") << urlOf(here, u"sslmode=disable"_s)
                                 << u"pg_hba.conf rejects connection"_s;
}

void PostgresTlsTest::refuses()
{
    QFETCH(const QString, url);
    QFETCH(const QString, phrase);
    const PostgresModule locks(url);
    try {
        await(locks->acquire("k"));
        QFAIL("was let in");
    } catch (const LockError& error) {
        QVERIFY2(contains(error.message(), phrase.toStdString()), error.what());
        QVERIFY2(contains(error.message(), "PostgreSQL at "), error.what());
    }
    const CheckReport report = await(locks->check());
    QCOMPARE(report.findings.front().level, Finding::Problem);
}

void PostgresTlsTest::refusesAnExpiredCertificate()
{
    m_certificates.issue(u"expired"_s, u"IP:127.0.0.1"_s, -1);
    PostgresOptions options;
    options.authority = &m_certificates;
    options.certificate = u"expired"_s;
    const PostgresServer server(options);
    const PostgresModule locks(server.url() + u"?sslmode=verify-ca&sslrootcert="_s
                               + m_certificates.authority());
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("k"));
    QVERIFY2(contains(error.message(), "certificate verify failed"), error.what());
}

void PostgresTlsTest::refusesAServerWithoutTls()
{
    const PostgresServer server;
    const PostgresModule locks(server.url() + u"?sslmode=require"_s);
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("k"));
    QVERIFY2(contains(error.message(), "server does not support SSL"), error.what());
}

void PostgresTlsTest::keepsThePassphraseToItself()
{
    const QString wrong = showing(u"locked.key"_s) + u" sslpassword=wr0ng"_s;
    const PostgresModule locks(urlOf(u"127.0.0.1"_s, wrong, u"holder"_s));
    const Unavailable error = thrownBy<Unavailable>(locks->acquire("k"));
    QVERIFY2(contains(error.message(), "could not load private key file"), error.what());
    QVERIFY2(!contains(error.message() + locks.log, "wr0ng"), error.what());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresTlsTest)
#include "postgres_tls_test.moc"
