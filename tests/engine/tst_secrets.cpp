// SPDX-License-Identifier: MIT
//! Whatever stands where a password can stand, no part of it is in anything that is said: errors,
//! what check finds, log, audit log, the states of the live view. SECRETS_SEED=N repeats a run,
//! SECRETS_PASSWORDS=N tries so many in each place.
#include "engine/module/built_in_kinds.h"
#include "engine/module/locking_module.h"
#include "tests/support/await.h"
#include "tests/support/secret_places.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class TestSecrets final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void saysNothing_data();
    void saysNothing();

private:
    QByteArray saidOf(const SecretPlace& place, const QByteArray& password, bool isUrl,
                      bool connects);
    void hear(const std::string& text) { m_said += QByteArray::fromStdString(text) + '\n'; }
    void drive(const Config& config);
    template <typename Call> void attempt(const Call& call)
    {
        try {
            call();
        } catch (const std::exception& error) {
            hear(error.what());
        }
    }

    QTemporaryDir m_folder;
    QByteArray m_said;
    unsigned m_seed = 0;
    int m_count = 0;
};

void TestSecrets::initTestCase()
{
    bool given = false;
    m_seed = qEnvironmentVariableIntValue("SECRETS_SEED", &given);
    if (!given)
        m_seed = 20261130;
    m_count = qEnvironmentVariableIntValue("SECRETS_PASSWORDS", &given);
    if (!given)
        m_count = 200;
    qInfo("SECRETS_SEED=%u SECRETS_PASSWORDS=%d", m_seed, m_count);
}

void TestSecrets::drive(const Config& config)
{
    SystemClock clock;
    const Container container(clock,
                              [this](LogLevel, const std::string& message) { hear(message); });
    LockingModule::Settings settings;
    const QString auditFile = m_folder.filePath(u"audit.jsonl"_s);
    QFile::remove(auditFile);
    settings.audit = std::make_shared<AuditLog>(auditFile, "tester@here");
    LockingModule module(config, container, settings);
    const LiveViewPtr view = await(module.liveView());
    connect(view.get(), &LiveView::stateChanged, this, [this](const SourceState& state) {
        hear((state.why + state.mode + state.warnings.join(u' ')).toStdString());
    });
    view->start();
    attempt([&] { await(module.acquire("a", AcquireOptions().ownedBy("me").expiringIn(60s))); });
    for (const ProviderInfo& info : module.providers()) {
        hear(info.id + ' ' + info.identifier);
        attempt([&] {
            for (const Finding& finding : await(module.check(info.id)).findings)
                hear(finding.sentence);
        });
    }
    QFile audit(auditFile);
    if (audit.open(QIODevice::ReadOnly))
        hear(audit.readAll().toStdString());
}

QByteArray TestSecrets::saidOf(const SecretPlace& place, const QByteArray& password, bool isUrl,
                               bool connects)
{
    m_said.clear();
    qputenv("LOCKBOARD_TEST_SECRET", password);
    if (std::string_view(place.text).find("secret") != std::string_view::npos) {
        QFile file(m_folder.filePath(u"secret"_s));
        if (!file.open(QIODevice::WriteOnly) || file.write(password) != password.size())
            throw std::runtime_error("a file can't be written");
    }
    const std::string text = filledIn(place, password).toStdString();
    attempt([&] {
        const Config config = isUrl
            ? Config::connectTo(text, builtInKinds())
            : Config::parse(text, "config.json", m_folder.path().toStdString(), builtInKinds());
        if (connects) {
            drive(config);
        } else {
            SystemClock clock;
            const LockingModule module(
                config,
                Container(clock, [this](LogLevel, const std::string& message) { hear(message); }));
        }
    });
    return m_said;
}

void TestSecrets::saysNothing_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("isUrl");
    for (const SecretPlace& place : secretConfigs())
        QTest::newRow(place.name) << QByteArray(place.text) << false;
    for (const SecretPlace& place : secretUrls())
        QTest::addRow("--connect: %s", place.name) << QByteArray(place.text) << true;
}

void TestSecrets::saysNothing()
{
    QFETCH(const QByteArray, text);
    QFETCH(const bool, isUrl);
    const SecretPlace place{"", text.constData()};
    LeakDetector detector;
    bool saysSomething = false;
    const auto plain = Passwords::plain();
    for (const QByteArray& password : plain) {
        // A server that is not there is asked for time and again only: it takes a while.
        const bool connects = detector.isEmpty() || password.contains('@');
        const QByteArray said = saidOf(place, password, isUrl, connects);
        saysSomething |= !said.isEmpty();
        for (const char* part : {"qZxJ", "wKvY"})
            QVERIFY2(!said.contains(part), ('"' + password + "\" is in: " + said).constData());
        detector.learn(said);
    }
    QVERIFY(saysSomething);
    // Others in every place, so that there are some twenty thousand.
    Passwords passwords(m_seed + qChecksum(QByteArrayView(text)));
    for (int i = 0; i < m_count; ++i) {
        const QByteArray password = passwords.next();
        const QByteArray said = saidOf(place, password, isUrl, i % 100 == 0);
        const QByteArray leak = detector.leakIn(said, password);
        QVERIFY2(
            leak.isEmpty(),
            ('"' + leak + "\" of the password \"" + password + "\" is in: " + said).constData());
    }
}

QTEST_GUILESS_MAIN(TestSecrets)
#include "tst_secrets.moc"
