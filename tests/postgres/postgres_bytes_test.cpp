// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! Bytes that PostgreSQL can't store as text are refused before anything is sent.
class PostgresBytesTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_server.reset(); }

    void refusesWhatIsNoText_data();
    void refusesWhatIsNoText();

private:
    std::unique_ptr<PostgresServer> m_server;
};

void PostgresBytesTest::initTestCase()
{
    m_server = std::make_unique<PostgresServer>();
    m_server->createTable();
}

void PostgresBytesTest::refusesWhatIsNoText_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("call");
    QTest::addColumn<bool>("asOwner");
    const QList<std::pair<const char*, QByteArray>> all{
        {"NUL within", QByteArray("a\0b", 3)},
        {"NUL at the end", QByteArray("a\0", 2)},
        {"overlong slash", "\xc0\xaf"},
        {"overlong NUL", "\xc0\x80"},
        {"surrogate", "\xed\xa0\x80"},
        {"pair of surrogates", "\xed\xa0\xbd\xed\xb4\x92"},
        {"past Unicode's end", "\xf4\x90\x80\x80"},
        {"lone continuation", "a\x80"},
        {"cut off", "a\xe2\x82"},
    };
    for (const auto& [what, bytes] : all) {
        for (const char* const call : {"acquire", "release", "execute"}) {
            QTest::addRow("%s as key, %s", what, call)
                << bytes << QString::fromLatin1(call) << false;
            QTest::addRow("%s as owner, %s", what, call)
                << bytes << QString::fromLatin1(call) << true;
        }
    }
}

void PostgresBytesTest::refusesWhatIsNoText()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QString, call);
    QFETCH(const bool, asOwner);
    m_server->query(u"DELETE FROM locking; INSERT INTO locking VALUES ('a')"_s);
    const PostgresModule locks(*m_server);
    const std::string text = bytes.toStdString();
    bool ran = false;
    for (const bool several : {false, true}) {
        const std::string key = asOwner ? "a" : text;
        const LockKeys keys = several ? LockKeys(key, "another") : LockKeys(key);
        const std::string owner = asOwner ? text : "me";
        std::string said;
        if (call == u"acquire"_s) {
            said = thrownBy<InvalidArgument>(locks->acquire(keys, AcquireOptions().ownedBy(owner)))
                       .message();
        } else if (call == u"release"_s) {
            said = thrownBy<InvalidArgument>(locks->release(keys, ReleaseOptions().ownedBy(owner)))
                       .message();
        } else {
            said = thrownBy<InvalidArgument>(
                       locks->execute(
                           keys, [&] { ran = true; }, ExecuteOptions().ownedBy(owner)))
                       .message();
        }
        QVERIFY2(contains(said, asOwner ? "The owner" : "The key"), said.c_str());
    }
    QVERIFY(!ran);
    QCOMPARE(m_server->value(u"SELECT string_agg(l::text, ' ') FROM locking l"_s), u"(a,,)"_s);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresBytesTest)
#include "postgres_bytes_test.moc"
