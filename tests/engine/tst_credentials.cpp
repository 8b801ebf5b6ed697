// SPDX-License-Identifier: MIT
#include "engine/contract/credentials.h"

#include <QTest>

using namespace lockboard;

class TestCredentials final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void areHidden_data();
    void areHidden();
};

void TestCredentials::areHidden_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("shown");
    const auto row = [](const char* text, const char* shown) {
        QTest::newRow(text) << QByteArray(text) << QByteArray(shown);
    };
    row("redis://u:p@h:1/0", "redis://***@h:1/0");
    row("at postgres://u:p@x@h/d, say", "at postgres://*****@h/d, say");
    row("postgres://h/d?user=u&password=secret&x=y", "postgres://h/d?user=u&password=******&x=y");
    row("host=h sslpassword=abc dbname=d", "host=h sslpassword=*** dbname=d");
    row("password='a b' host=h", "password='***' host=h");
    row("password='a b", "password='***");
    row("no password at all", "no password at all");
}

void TestCredentials::areHidden()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QByteArray, shown);
    QCOMPARE(QByteArray::fromStdString(withoutCredentials(text.toStdString())), shown);
}

QTEST_GUILESS_MAIN(TestCredentials)
#include "tst_credentials.moc"
