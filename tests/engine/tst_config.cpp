// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "engine/module/locking_module.h"
#include "tests/support/await.h"

#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestConfig final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void errors_data();
    void errors();
    void medusasNamesAreExclusive();
    void missingFile();
    void pluginIsLoaded();
    void connectTo();
    void urlsAreNotRepeated();
};

//! Made as a program makes it: an error may come from the config or from a provider's options.
static std::optional<ConfigError> errorIn(const std::string& text)
{
    SystemClock clock;
    const Container container(clock, [](LogLevel, const std::string&) {});
    try {
        const LockingModule locks(Config::parse(text, "c.json", ".", builtInKinds()), container);
    } catch (const ConfigError& error) {
        return error;
    }
    return {};
}

void TestConfig::errors_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<int>("line");
    QTest::addColumn<QByteArray>("says");
    const auto row = [](const char* name, const char* text, const char* path, int line,
                        const char* says) {
        QTest::newRow(name) << QByteArray(text) << QByteArray(path) << line << QByteArray(says);
    };
    row("broken JSON", "{\n \"providers\": [\n}", "", 3, "not valid JSON");
    row("nothing", "", "", 1, "not valid JSON");
    row("no object", "[]", "/", 1, "must be an object");
    row("providers no list", "{\"providers\": 7}", "/providers", 1, "must be a list");
    row("entry no object", "{\"providers\": [\n7]}", "/providers/0", 2, "must be an object");
    row("missing id", "{\"providers\": [\n{\"resolve\": \"in-memory\"}]}", "/providers/0", 2,
        "has no \"id\"");
    row("missing resolve", "{\"providers\": [\n{\"id\": \"a\"}]}", "/providers/0", 2,
        "has no \"resolve\"");
    row("empty id", "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"\"}]}",
        "/providers/0/id", 1, "is empty");
    row("wrong type of id", "{\"providers\": [{\"resolve\": \"in-memory\",\n\"id\": 7}]}",
        "/providers/0/id", 2, "must be a string");
    row("unknown provider", "{\"providers\": [{\"resolve\": \"zookeeper\", \"id\": \"a\"}]}",
        "/providers/0/resolve", 1,
        "\"zookeeper\" is not a known provider; known are \"in-memory\"");
    row("two with one id",
        "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"a\"},\n"
        "{\"resolve\": \"in-memory\", \"id\": \"a\"}]}",
        "/providers/1/id", 2, "is the id of /providers/0 already");
    row("two defaults",
        "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"a\", \"is_default\": true},\n"
        "{\"resolve\": \"in-memory\", \"id\": \"b\",\n\"is_default\": true}]}",
        "/providers/1/is_default", 3, "/providers/0 is the default already");
    row("default no boolean",
        "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"a\", \"is_default\": \"yes\"}]}",
        "/providers/0/is_default", 1, "must be true or false");
    row("unknown option",
        "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"a\", \"options\": {\n"
        "\"colour\": 1}}]}",
        "/providers/0/options/colour", 2, "is not a known option; known are maxHold, ownerless");
    row("wrong word",
        "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"a\", \"options\": "
        "{\"ownerless\": \"maybe\"}}]}",
        "/providers/0/options/ownerless", 1, "must be \"claimable\" or \"exclusive\"");
    row("options no object",
        "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"a\", \"options\": []}]}",
        "/providers/0/options", 1, "must be an object");
    row("unknown member",
        "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"a\",\n\"x\": 1}]}",
        "/providers/0/x", 2, "is not a known option");
    row("unknown member at the top", "{\"provider\": []}", "/provider", 1, "is not a known option");
    row("the name of another provider",
        "{\"providers\": [{\"resolve\": \"./nothing.so\", \"id\": \"a\"}]}", "/providers/0/resolve",
        1, "there is no plugin");
    row("stored form as id", "{\"providers\": [{\"resolve\": \"in-memory\", \"id\": \"lp_a\"}]}",
        "/providers/0/id", 1, "must not begin with \"lp_\"");
    row("one name twice", "{\"providers\": [],\n\"providers\": []}", "", 2, "not valid JSON");
}

void TestConfig::errors()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, path);
    QFETCH(int, line);
    QFETCH(QByteArray, says);
    const auto error = errorIn(text.toStdString());
    QVERIFY(error);
    QCOMPARE(QByteArray::fromStdString(error->path()), path);
    QVERIFY2(QByteArray(error->what()).contains(says), error->what());
    QVERIFY2(!QByteArray(error->what()).contains('\n'), error->what());
    QCOMPARE(error->line(), line);
}

void TestConfig::medusasNamesAreExclusive()
{
    const ConfigValue none = ConfigValue::parse("{}", "test");
    QCOMPARE(ProviderSetup(none, true).ownerless(), Ownerless::Exclusive);
    QCOMPARE(ProviderSetup(none, false).ownerless(), Ownerless::Claimable);
    const ConfigValue said = ConfigValue::parse(R"({"ownerless": "claimable"})", "test");
    QCOMPARE(ProviderSetup(said, true).ownerless(), Ownerless::Claimable);
}

void TestConfig::missingFile()
{
    try {
        static_cast<void>(Config::load("/no/such/file.json", builtInKinds()));
        QFAIL("read");
    } catch (const ConfigError& error) {
        QVERIFY(error.message().starts_with("/no/such/file.json: can't be read"));
    }
}

void TestConfig::pluginIsLoaded()
{
    // Named by a path relative to the config's folder.
    const QFileInfo plugin(QStringLiteral(TEST_PLUGIN));
    QTemporaryDir folder;
    QVERIFY(QFile::link(plugin.absoluteFilePath(), folder.filePath(u"my_lock.so"_s)));
    QFile file(folder.filePath(u"config.json"_s));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"providers": [{"resolve": "./my_lock.so", "id": "mine",
                   "options": {"greeting": "good day"}}]})");
    file.close();

    SystemClock clock;
    const Container container(clock, [](LogLevel, const std::string&) {});
    LockingModule locks(Config::load(file.fileName().toStdString(), builtInKinds()), container);
    QCOMPARE(locks.providers().front().identifier, std::string("my-lock"));
    QCOMPARE(await(locks.check()).findings.front().sentence, std::string("good day"));
    await(locks.acquire("k", AcquireOptions().ownedBy("X")));
    // Waiting and execute come free.
    auto waiting = locks.execute("k", [] { return 42; });
    await(locks.release("k", ReleaseOptions().ownedBy("X")));
    QCOMPARE(await(std::move(waiting)), 42);

    QFile unknown(folder.filePath(u"unknown.json"_s));
    QVERIFY(unknown.open(QIODevice::WriteOnly));
    unknown.write(
        R"({"providers": [{"resolve": "./my_lock.so", "id": "m", "options": {"x": 1}}]})");
    unknown.close();
    try {
        LockingModule other(Config::load(unknown.fileName().toStdString(), builtInKinds()),
                            container);
        QFAIL("made");
    } catch (const ConfigError& error) {
        QCOMPARE(error.path(), std::string("/providers/0/options/x"));
    }
}

void TestConfig::connectTo()
{
    ProviderRegistry registry = builtInKinds();
    ProviderRegistry::Kind kind;
    kind.identifier = "test";
    kind.urlSchemes = {"test", "/"};
    kind.urlOption = "address";
    registry.add(kind);
    const Config config = Config::connectTo("test://user:p\"w@host", registry);
    QCOMPARE(config.entries().size(), 1u);
    QCOMPARE(config.entries().front().id, std::string("test"));
    QVERIFY(config.entries().front().isDefault);
    QCOMPARE(config.entries().front().options.member("address").toString(),
             std::string("test://user:p\"w@host"));
    QCOMPARE(Config::connectTo("/run/test.sock", registry).entries().size(), 1u);
}

void TestConfig::urlsAreNotRepeated()
{
    try {
        static_cast<void>(Config::connectTo("http://user:hunter2@host", builtInKinds()));
        QFAIL("accepted");
    } catch (const ConfigError& error) {
        QVERIFY(error.message().find("hunter2") == std::string::npos);
    }
}

QTEST_GUILESS_MAIN(TestConfig)
#include "tst_config.moc"
