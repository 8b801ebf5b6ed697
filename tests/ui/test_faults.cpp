// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/support/console.h"
#include "ui/locks/seen_locks.h"
#include "ui/providers/providers_model.h"
#include "ui/session/commands.h"

#include <QElapsedTimer>
#include <QLabel>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

//! What the window makes of a provider that does what it must not.
class TestFaults final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void saysWhyAProviderFails_data();
    void saysWhyAProviderFails();
    void saysWhyACommandFails_data();
    void saysWhyACommandFails();
    void opensBesideAProviderThatCantBeMade();
    void closesBesideACallThatNeverReturns();
    void opensInNoCaseForEver();
};

static Config badly(const QString& misbehaviour)
{
    const QString text = uR"({"providers": [
{"resolve": "%1", "id": "odd", "is_default": true, "options": {"misbehave": "%2"}},
{"resolve": "in-memory", "id": "fine"}]})"_s.arg(QStringLiteral(TEST_PLUGIN), misbehaviour);
    return Config::parse(text.toStdString(), "test.json", ".", builtInKinds());
}

static QString bannerOf(const Console& console)
{
    return console.find<QWidget>("banner")->isVisible() ? console.find<QLabel>("bannerText")->text()
                                                        : QString();
}

void TestFaults::saysWhyAProviderFails_data()
{
    QTest::addColumn<QString>("misbehaviour");
    for (const char* word :
         {"liveView:nothing", "liveView:int", "view:exception", "refresh:memory"})
        QTest::newRow(word) << QString::fromLatin1(word);
}

void TestFaults::saysWhyAProviderFails()
{
    QFETCH(QString, misbehaviour);
    Console console(false, badly(misbehaviour));
    console.open();
    QTRY_VERIFY2(bannerOf(console).contains(u"The provider \"odd\" failed in "_s),
                 qPrintable(bannerOf(console)));
    console.take("k", "A"); // it works all the same
}

void TestFaults::saysWhyACommandFails_data()
{
    QTest::addColumn<QString>("where");
    QTest::addColumn<QString>("how");
    for (const char* where : {"acquire", "release"}) {
        for (const char* how : {"int", "thrown", "nothing"})
            QTest::addRow("%s: %s", where, how)
                << QString::fromLatin1(where) << QString::fromLatin1(how);
    }
}

void TestFaults::saysWhyACommandFails()
{
    QFETCH(QString, where);
    QFETCH(QString, how);
    Console console(false, badly(where + u':' + how));
    console.open();
    auto* commands = console.window->findChild<Commands*>();
    QVERIFY(commands);
    LockTableModel seen;
    seen.upsert(Lock("k", "A"));
    seen.commit();
    if (where == u"acquire")
        (void)commands->acquire("k", AcquireOptions().ownedBy("A"), [](const QString&) {});
    else
        commands->release(u"k"_s, SeenLocks::everything("odd", seen));
    QTRY_VERIFY2(console.lastOutcome().contains(u"The provider \"odd\" failed in "_s + where),
                 qPrintable(console.lastOutcome()));
}

void TestFaults::opensBesideAProviderThatCantBeMade()
{
    Console console(false, badly(u"factory:exception"_s));
    console.open();
    QTRY_VERIFY2(bannerOf(console).contains(u"The provider \"odd\" could not be made: boom"_s),
                 qPrintable(bannerOf(console)));
    await(console.module->acquire("k", AcquireOptions().ownedBy("A").at("fine")));
    QCOMPARE(console.module->providers().size(), 3u);
}

void TestFaults::closesBesideACallThatNeverReturns()
{
    EngineThread engine(badly(u"acquire:block"_s), {});
    engine.setPatience(500ms);
    LockingModule& module = engine.open();
    letRun(module.acquire("k"));
    QElapsedTimer clock;
    clock.start();
    QVERIFY(!engine.close());
    QVERIFY(clock.elapsed() < 10'000);
    QVERIFY(engine.close()); // there is nothing left to wait for
}

void TestFaults::opensInNoCaseForEver()
{
    EngineThread engine(badly(u"factory:block"_s), {});
    engine.setPatience(500ms);
    QVERIFY_THROWS_EXCEPTION(Unavailable, engine.open());
}

QTEST_MAIN(TestFaults)
#include "test_faults.moc"
