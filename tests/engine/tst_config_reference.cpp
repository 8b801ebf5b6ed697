// SPDX-License-Identifier: MIT
#include "engine/config/value.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace lockboard;
using namespace Qt::StringLiterals;

//! `${env:NAME}` and `${file:PATH}` in a provider's options.
class TestConfigReference final : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    void write(const QString& name, const QByteArray& content) const
    {
        QFile file(m_folder.filePath(name));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
    }
    [[nodiscard]] ConfigValue value(std::string text) const
    {
        for (std::size_t at = 0; (at = text.find_first_of("\"\\", at)) != std::string::npos;
             at += 2)
            text.insert(at, 1, '\\');
        return ConfigValue::parse("{\n\"x\": \"" + text + "\"}", "c.json",
                                  m_folder.path().toStdString())
            .withReferences()
            .member("x");
    }

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("LOCKBOARD_TEST_PLAIN", "s3cret");
        qputenv("LOCKBOARD_TEST_ODD", "a@b:c/d#e?f%g ${env:HOME}");
        qputenv("LOCKBOARD_TEST_EMPTY", "");
        qunsetenv("LOCKBOARD_TEST_UNSET");
        write(u"line"_s, "s3cret\n");
        write(u"lines"_s, "s3cret\n\n");
        write(u"windows"_s, "s3cret\r\n");
        write(u"bare"_s, "s3cret");
        write(u"large"_s, QByteArray(1024 * 1024 + 1, 's'));
        QVERIFY(QDir(m_folder.path()).mkdir(u"folder"_s));
    }

    void stands_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("string");
        QTest::addColumn<QByteArray>("url");
        const auto row = [](const char* text, const char* string, const char* url) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(string) << QByteArray(url);
        };
        row("", "", "");
        row("plain $ text {}", "plain $ text {}", "plain $ text {}");
        row("${env:LOCKBOARD_TEST_PLAIN}", "s3cret", "s3cret");
        row("${env:LOCKBOARD_TEST_EMPTY}", "", "");
        row("<${env:LOCKBOARD_TEST_PLAIN}${file:bare}>", "<s3crets3cret>", "<s3crets3cret>");
        row("${file:line}", "s3cret", "s3cret");
        row("${file:lines}", "s3cret\n", "s3cret\n");
        row("${file:windows}", "s3cret", "s3cret");
        row("${file:./folder/../bare}", "s3cret", "s3cret");
        row("$${env:X}", "${env:X}", "${env:X}");
        row("$$${env:X}", "$${env:X}", "$${env:X}");
        row("$${${env:LOCKBOARD_TEST_PLAIN}}", "${s3cret}", "${s3cret}");
        // What a reference stands for is not looked through for more of them.
        row("${env:LOCKBOARD_TEST_ODD}", "a@b:c/d#e?f%g ${env:HOME}", "a@b:c/d#e?f%g ${env:HOME}");
        row("redis://:${env:LOCKBOARD_TEST_ODD}@h", "redis://:a@b:c/d#e?f%g ${env:HOME}@h",
            "redis://:a%40b%3Ac%2Fd%23e%3Ff%25g%20%24%7Benv%3AHOME%7D@h");
    }
    void stands()
    {
        QFETCH(const QByteArray, text);
        QFETCH(const QByteArray, string);
        QFETCH(const QByteArray, url);
        const ConfigValue read = value(text.toStdString());
        QCOMPARE(QByteArray::fromStdString(read.toString()), string);
        QCOMPARE(QByteArray::fromStdString(read.toUrl()), url);
    }

    void absolutePaths()
    {
        const std::string path = m_folder.filePath(u"line"_s).toStdString();
        QCOMPARE(value("${file:" + path + "}").toString(), "s3cret");
        QCOMPARE(value(path).fileContent(), "s3cret\n");
        QCOMPARE(value("line").fileContent(), "s3cret\n");
    }

    void errors_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("says");
        const auto row = [](const char* text, const char* says) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(says);
        };
        row("s3cret${env:LOCKBOARD_TEST_UNSET}",
            "refers to the environment variable \"LOCKBOARD_TEST_UNSET\", which is not set");
        row("s3cret${env:}", "refers to the environment variable \"\"");
        row("s3cret${file:absent}",
            "refers to the file \"absent\", which can't be read: No such file");
        row("s3cret${file:folder}", "refers to the file \"folder\", which can't be read");
        row("s3cret${file:large}", "refers to the file \"large\", which is larger than 1 MiB");
        row("s3cret${file:}", "refers to a file without a name");
        row("s3cret${HOME}", "neither ${env:NAME} nor ${file:PATH}");
        row("s3cret${env:HOME", "has a \"${\" that no \"}\" ends");
    }
    void errors()
    {
        QFETCH(const QByteArray, text);
        QFETCH(const QByteArray, says);
        try {
            const std::string read = value(text.toStdString()).toString();
            QFAIL(read.c_str());
        } catch (const ConfigError& error) {
            QCOMPARE(error.path(), "/x");
            QCOMPARE(error.line(), 2);
            QVERIFY2(error.message().find(says.toStdString()) != std::string::npos, error.what());
            QVERIFY2(error.message().find("s3cret") == std::string::npos, error.what());
        }
    }

    void onlyWhereTheyAreAskedFor()
    {
        const ConfigValue plain = ConfigValue::parse(R"({"x": ["${env:HOME}"]})", "c.json");
        QCOMPARE(plain.member("x").items().front().toString(), "${env:HOME}");
        QCOMPARE(plain.member("x").items().front().reference(), "");
        const ConfigValue item = plain.withReferences().member("x").items().front();
        QCOMPARE(item.toString(), qEnvironmentVariable("HOME").toStdString());
        QCOMPARE(item.reference(), "${env:HOME}");
    }

    void aBrokenNumberIsNotRepeated()
    {
        try {
            const ConfigValue read = ConfigValue::parse("{\"password\": 12345-6789}", "c.json");
            QFAIL("no error");
        } catch (const ConfigError& error) {
            QVERIFY2(error.message().find("12345") == std::string::npos, error.what());
        }
    }
};

QTEST_GUILESS_MAIN(TestConfigReference)
#include "tst_config_reference.moc"
