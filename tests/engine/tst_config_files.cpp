// SPDX-License-Identifier: MIT
//! What is named as a file and is none, or has no end, or is no text: one sentence that says where,
//! soon, and nothing of it swallowed or opened in vain.
#include "engine/config/document.h"
#include "engine/module/built_in_kinds.h"
#include "engine/module/locking_module.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace lockboard;
using namespace Qt::StringLiterals;

class TestConfigFiles final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void isNoFile_data();
    void isNoFile();
    void aPipeIsRead();
    void nobodyWritesToAPipe();
    void aSignalEndsTheWait();
    void text_data();
    void text();
    void names_data();
    void names();

private:
    [[nodiscard]] QString path(const char* name) const
    {
        return m_folder.filePath(QLatin1String(name));
    }
    void write(const char* name, const QByteArray& content) const
    {
        QFile file(path(name));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
    }
    //! What is said of a configuration; empty: it is good.
    [[nodiscard]] static std::string saidOf(const std::function<Config()>& make)
    {
        SystemClock clock;
        try {
            const LockingModule module(make(), Container(clock, [](LogLevel, const auto&) {}));
        } catch (const ConfigError& error) {
            return error.message();
        }
        return {};
    }
    [[nodiscard]] std::string saidOfText(const QByteArray& text) const
    {
        return saidOf([&] {
            return Config::parse(text.toStdString(), "c.json", m_folder.path().toStdString(),
                                 builtInKinds());
        });
    }
    static QByteArray entry(const QByteArray& options)
    {
        return "{\"providers\": [\n{\"resolve\": \"redis\", \"id\": \"a\",\n\"options\": {"
            + options + "}}]}";
    }

    QTemporaryDir m_folder;
};

void TestConfigFiles::initTestCase()
{
    QVERIFY(QDir(m_folder.path()).mkdir(u"folder"_s));
    QCOMPARE(mkfifo(qPrintable(path("fifo")), 0600), 0);
    write("huge", {});
    QVERIFY(QFile::resize(path("huge"), qint64(1) << 40)); // a hole
    write("large", QByteArray(1024 * 1024 + 1, ' '));
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    qstrncpy(address.sun_path, qPrintable(path("socket")), sizeof address.sun_path);
    QCOMPARE(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    close(listener);
}

void TestConfigFiles::isNoFile_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("says");
    const auto row = [](const QString& file, const char* says) {
        QTest::newRow(qPrintable(file.section(u'/', -1))) << file << QByteArray(says);
    };
    row(u"/dev/zero"_s, "can't be read: it is a device or a socket, not a file");
    row(u"/dev/urandom"_s, "can't be read: it is a device or a socket, not a file");
    row(u"/dev/null"_s, "can't be read: it is a device or a socket, not a file");
    row(path("socket"), "can't be read: it is a device or a socket, not a file");
    row(path("folder"), "can't be read: Is a directory");
    row(path("huge"), "is larger than 1 MiB");
    row(path("large"), "is larger than 1 MiB");
    row(path("absent"), "can't be read: No such file or directory");
    row(path("large/x"), "can't be read: Not a directory");
}

void TestConfigFiles::isNoFile()
{
    QFETCH(const QString, file);
    QFETCH(const QByteArray, says);
    QElapsedTimer timer;
    timer.start();
    const std::string itself =
        saidOf([&] { return Config::load(file.toStdString(), builtInKinds()); });
    QVERIFY2(itself.starts_with(file.toStdString() + ": ") && itself.ends_with(says.toStdString()),
             itself.c_str());
    const QByteArray name = file.toUtf8();
    const auto named = [&](const QByteArray& options, const std::string& place) {
        const std::string said = saidOfText(entry(options));
        QVERIFY2(said.starts_with("c.json:3: /providers/0/options/" + place + ": ")
                     && said.find(name.toStdString()) != std::string::npos
                     && said.ends_with(says.toStdString()),
                 said.c_str());
    };
    named("\"redisUrl\": \"${file:" + name + "}\"", "redisUrl");
    const QByteArray begin = "\"redisOptions\": {\"host\": \"h\", \"tls\": {";
    named(begin + "\"caFile\": \"" + name + "\"}}", "redisOptions/tls/caFile");
    write("cert.pem", {});
    named(begin + "\"passphrase\": \"${file:" + name + "}\"}}", "redisOptions/tls/passphrase");
    const std::string plugin =
        saidOfText("{\"providers\": [{\"resolve\": \"" + name + "\", \"id\": \"a\"}]}");
    QVERIFY2(plugin.find("there is no plugin at") != std::string::npos, plugin.c_str());
    QVERIFY(timer.elapsed() < 5000);
}

void TestConfigFiles::aPipeIsRead()
{
    // As of a shell's <(command): it comes in pieces, after a while.
    std::thread writer([file = path("fifo").toStdString()] {
        const int pipe = open(file.c_str(), O_WRONLY | O_CLOEXEC);
        for (const std::string_view piece :
             {"{\"providers\": ", "[{\"resolve\": \"in-memory\", ", "\"id\": \"piped\"}]}"}) {
            QTest::qSleep(100);
            [[maybe_unused]] const auto size = ::write(pipe, piece.data(), piece.size());
        }
        close(pipe);
    });
    const Config config = Config::load(path("fifo").toStdString(), builtInKinds());
    writer.join();
    QCOMPARE(config.entries().front().id, "piped");
}

void TestConfigFiles::nobodyWritesToAPipe()
{
    QElapsedTimer timer;
    timer.start();
    const std::string said =
        saidOf([&] { return Config::load(path("fifo").toStdString(), builtInKinds()); });
    QVERIFY2(said.ends_with("fifo: can't be read: it is a pipe, and nobody wrote all of it within "
                            "10 s"),
             said.c_str());
    QVERIFY(timer.elapsed() < 15'000);
    const std::string plugin = saidOfText("{\"providers\": [{\"resolve\": \""
                                          + path("fifo").toUtf8() + "\", \"id\": \"a\"}]}");
    QVERIFY2(plugin.find("there is no plugin at") != std::string::npos, plugin.c_str());
}

void TestConfigFiles::aSignalEndsTheWait()
{
    struct sigaction action = {};
    struct sigaction before = {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    QCOMPARE(sigaction(SIGUSR1, &action, &before), 0);
    std::thread killer([main = pthread_self()] {
        QTest::qSleep(300);
        pthread_kill(main, SIGUSR1);
    });
    QElapsedTimer timer;
    timer.start();
    QVERIFY_THROWS_EXCEPTION(
        Cancelled, static_cast<void>(Config::load(path("fifo").toStdString(), builtInKinds())));
    QVERIFY(timer.elapsed() < 8000);
    killer.join();
    sigaction(SIGUSR1, &before, nullptr);
}

void TestConfigFiles::text_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("says");
    const auto row = [](const char* name, const QByteArray& text, const char* says) {
        QTest::newRow(name) << text << QByteArray(says);
    };
    row("a byte order mark", "\xef\xbb\xbf{\"providers\": []}", "");
    row("the other kind of text", QByteArray("\xff\xfe{\0}\0", 6), "c.json:1: this is not text");
    row("no UTF-8", "{\n\"providers\":\n\"caf\xe9\"}", "c.json:3: this is not UTF-8");
    row("cut in a letter", "{}\n\xc3", "c.json:2: this is not UTF-8");
    row("a surrogate", "{\"a\": \"\xed\xa0\x80\"}", "c.json:1: this is not UTF-8");
    row("NUL", QByteArray("{\n\"a\0b\": 1}", 11), "c.json:2: this is not text");
    row("deep", QByteArray(100'000, '['),
        "c.json: this is not valid JSON: it is nested too deeply");
    row("deep objects", QByteArray("{\"a\":").repeated(50'000), "c.json: this is not valid JSON");
    row("twice", "{\"a\": 1,\n\"\\u001b[31m\": 1,\n\"\\u001b[31m\": 1}",
        "c.json:3: this is not valid JSON: one object has the same name twice");
    row("twice, nested", entry("\"redisUrl\": \"redis://h\", \"redisUrl\": \"redis://i\""),
        "c.json:3: this is not valid JSON: one object has the same name twice");
    const QByteArray url = "\"redisUrl\": \"redis://h\"";
    row("too large", entry(url + ", \"backoffFactor\": 1e999"), "c.json:3: ");
    row("too large a port", entry("\"redisOptions\": {\"host\": \"h\", \"port\": 1e300}"),
        "c.json:3: /providers/0/options/redisOptions/port: must be a whole number from 1 to 65535");
    row("too small", entry(url + ", \"maxHold\": -1e308"), "c.json:3: ");
    row("escaped NUL", entry("\"redisUrl\": \"redis://h\\u0000.example\""),
        "c.json:3: /providers/0/options/redisUrl: holds a NUL character");
    row("escaped NUL in a name", entry(url + ", \"namespace\": \"a\\u0000b\""),
        "c.json:3: /providers/0/options/namespace: holds a NUL character");
}

void TestConfigFiles::text()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QByteArray, says);
    const std::string said = saidOfText(text);
    QVERIFY2(said.starts_with(says.toStdString()) && said.empty() == says.isEmpty(), said.c_str());
    QVERIFY2(said.find_first_of("\n\x1b") == std::string::npos, said.c_str());
}

void TestConfigFiles::names_data()
{
    QTest::addColumn<QByteArray>("text");
    const QByteArray evil = "x\\u001b[31m\\u202e\\u009b\\u0007";
    QTest::newRow("option") << entry("\"" + evil + "\": 1");
    QTest::newRow("nested option")
        << entry("\"redisOptions\": {\"host\": \"h\", \"" + evil + "\": 1}");
    QTest::newRow("long option") << entry("\"" + QByteArray(100'000, 'x') + "\": 1");
    QTest::newRow("resolve") << "{\"providers\": [{\"id\": \"a\", \"resolve\": \"" + evil + "\"}]}";
    QTest::newRow("plugin") << "{\"providers\": [{\"id\": \"a\", \"resolve\": \"./" + evil
            + "\"}]}";
    QTest::newRow("id") << "{\"providers\": [{\"id\": \"" + evil
            + "\", \"resolve\": \"in-memory\"}, {\"id\": \"" + evil
            + "\", \"resolve\": \"in-memory\"}]}";
    QTest::newRow("variable") << entry("\"redisUrl\": \"${env:" + evil + "}\"");
    QTest::newRow("file") << entry("\"redisUrl\": \"${file:" + evil + "}\"");
    QTest::newRow("authority") << entry(
        "\"redisOptions\": {\"host\": \"h\", \"tls\": {\"caFile\": \"" + evil + "\"}}");
    QTest::newRow("host") << entry("\"redisOptions\": {\"host\": \"" + evil + "\"}");
}

void TestConfigFiles::names()
{
    QFETCH(const QByteArray, text);
    const std::string said = saidOfText(text);
    QVERIFY(!said.empty() && said.size() < 2000);
    for (const char* raw : {"\x1b", "\xe2\x80\xae", "\xc2\x9b", "\x07"})
        QVERIFY2(said.find(raw) == std::string::npos, said.c_str());
}

QTEST_GUILESS_MAIN(TestConfigFiles)
#include "tst_config_files.moc"
