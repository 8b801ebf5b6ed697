// SPDX-License-Identifier: MIT
#include <QFile>
#include <QImage>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;

class TestConsole final : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    QString m_out;
    QString m_err;

    int run(const QStringList& arguments, bool display = false, const QString& scale = {})
    {
        QProcess program;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const QString& name : {u"DISPLAY"_s, u"WAYLAND_DISPLAY"_s, u"QT_QPA_PLATFORM"_s})
            environment.remove(name);
        if (display)
            environment.insert(u"QT_QPA_PLATFORM"_s, u"offscreen"_s);
        if (!scale.isEmpty())
            environment.insert(u"QT_SCALE_FACTOR"_s, scale);
        environment.insert(u"XDG_STATE_HOME"_s, m_folder.filePath(u"state"_s));
        environment.insert(u"XDG_CONFIG_HOME"_s, m_folder.filePath(u"config"_s));
        program.setProcessEnvironment(environment);
        program.start(QStringLiteral(CONSOLE), arguments);
        if (!program.waitForFinished(60'000)) {
            program.kill();
            program.waitForFinished();
            return -1;
        }
        m_out = QString::fromUtf8(program.readAllStandardOutput());
        m_err = QString::fromUtf8(program.readAllStandardError());
        return program.exitStatus() == QProcess::NormalExit ? program.exitCode() : -2;
    }
    QString write(const QString& name, const QByteArray& text)
    {
        QFile file(m_folder.filePath(name));
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
            qFatal("can't write a test's file");
        return file.fileName();
    }

private Q_SLOTS:
    void helpsWithoutADisplay()
    {
        QCOMPARE(run({u"--help"_s}), 0);
        for (const auto& option : {u"--config"_s, u"--connect"_s, u"--provider"_s, u"--read-only"_s,
                                   u"--demo"_s, u"--screenshot"_s, u"--theme"_s})
            QVERIFY2(m_out.contains(option), qPrintable(option));
        QCOMPARE(run({u"--version"_s}), 0);
        QVERIFY(m_out.startsWith(u"lockboard "_s));
    }

    void refusesWhatItDoesNotUnderstand_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("says");
        const QString broken = write(u"broken.json"_s, "{\"providers\": [");
        const QString unknown = write(
            u"unknown.json"_s, R"({"providers": [{"resolve": "carrier-pigeon", "id": "p"}]})");
        const QString option = write(
            u"option.json"_s,
            R"({"providers": [{"resolve": "in-memory", "id": "m", "options": {"colour": 1}}]})");
        QTest::newRow("option") << QStringList{u"--frobnicate"_s} << 64 << u"frobnicate"_s;
        QTest::newRow("argument") << QStringList{u"stray"_s} << 64 << u"stray"_s;
        QTest::newRow("theme") << QStringList{u"--theme"_s, u"pink"_s} << 64 << u"--theme"_s;
        QTest::newRow("size") << QStringList{u"--size"_s, u"big"_s} << 64 << u"--size"_s;
        QTest::newRow("value") << QStringList{u"--config"_s} << 64 << u"config"_s;
        QTest::newRow("two sources")
            << QStringList{u"--config"_s, broken, u"--connect"_s, u"redis://h"_s} << 64
            << u"exclude"_s;
        QTest::newRow("no file") << QStringList{u"--config"_s, u"/nonexistent.json"_s} << 78
                                 << u"/nonexistent.json"_s;
        QTest::newRow("broken JSON")
            << QStringList{u"--config"_s, broken} << 78 << u"broken.json"_s;
        QTest::newRow("unknown kind")
            << QStringList{u"--config"_s, unknown} << 78 << u"/providers/0/resolve"_s;
        QTest::newRow("unknown option") << QStringList{u"--config"_s, option} << 78 << u"colour"_s;
        QTest::newRow("unknown provider")
            << QStringList{u"--provider"_s, u"nope"_s} << 78 << u"nope"_s;
        QTest::newRow("URL nobody speaks")
            << QStringList{u"--connect"_s, u"gopher://:secret@h"_s} << 78 << u"--connect"_s;
        QTest::newRow("audit log") << QStringList{u"--audit-log"_s, u"/proc/nothing/here"_s} << 78
                                   << u"/proc/nothing/here"_s;
        QTest::newRow("audit log that is a device")
            << QStringList{u"--audit-log"_s, u"/dev/full"_s} << 78 << u"--no-audit"_s;
        QTest::newRow("an audit log and none")
            << QStringList{u"--audit-log"_s, u"/tmp/a"_s, u"--no-audit"_s} << 64 << u"exclude"_s;
    }
    void needsNoAuditLogToLook()
    {
        const QString picture = m_folder.filePath(u"look.png"_s);
        // A file where its folder would be: nothing can be recorded.
        QDir(m_folder.filePath(u"state"_s)).removeRecursively();
        const QString inTheWay = write(u"state"_s, "");
        QCOMPARE(run({u"--demo"_s, u"--screenshot"_s, picture}, true), 78);
        for (const QString& look : {u"--read-only"_s, u"--no-audit"_s}) {
            const int code = run({u"--demo"_s, look, u"--screenshot"_s, picture}, true);
            QVERIFY2(code == 0, qPrintable(m_err));
            QVERIFY(QFile::remove(picture));
        }
        QVERIFY(QFile::remove(inTheWay));
    }
    void refusesWhatItDoesNotUnderstand()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QString, says);
        QTEST(run(arguments, true), "code");
        QVERIFY2(m_err.contains(says), qPrintable(m_err));
        QVERIFY(m_err.contains(u"lockboard: "_s));
        QVERIFY(!m_err.contains(u"secret"_s));
        QVERIFY(m_out.isEmpty());
    }

    void saysThatThereIsNoDisplay()
    {
        QCOMPARE(run({u"--demo"_s}), 69);
        QVERIFY2(m_err.contains(u"no display"_s), qPrintable(m_err));
    }

    void picturesTheDemo_data()
    {
        QTest::addColumn<QStringList>("more");
        QTest::addColumn<QString>("scale");
        QTest::addColumn<QSize>("size");
        QTest::newRow("light") << QStringList{u"--theme"_s, u"light"_s} << u""_s
                               << QSize(1280, 800);
        QTest::newRow("dark, twice the scale")
            << QStringList{u"--theme"_s, u"dark"_s, u"--size"_s, u"900x600"_s} << u"2"_s
            << QSize(1800, 1200);
        QTest::newRow("read-only") << QStringList{u"--read-only"_s} << u""_s << QSize(1280, 800);
    }
    void picturesTheDemo()
    {
        QFETCH(QStringList, more);
        QFETCH(QString, scale);
        const QString file = m_folder.filePath(u"picture.png"_s);
        QFile::remove(file);
        QCOMPARE(run(QStringList{u"--demo"_s, u"--screenshot"_s, file} + more, false, scale), 0);
        const QImage picture(file);
        QTEST(picture.size(), "size");
        const bool dark = more.contains(u"dark"_s);
        QCOMPARE(picture.pixelColor(picture.width() / 2, 3).lightness() < 127, dark);
    }

    void picturesNothingToSee()
    {
        const QString file = m_folder.filePath(u"empty.png"_s);
        QCOMPARE(run({u"--screenshot"_s, file}), 0);
        QVERIFY(!QImage(file).isNull());
        QCOMPARE(run({u"--screenshot"_s, u"/nonexistent/x.png"_s}), 1);
        QVERIFY(m_err.contains(u"/nonexistent/x.png"_s));
    }
};

QTEST_GUILESS_MAIN(TestConsole)
#include "test_console.moc"
