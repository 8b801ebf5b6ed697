// SPDX-License-Identifier: MIT
#include "app/lockboardctl/duration.h"

#include <QTest>

using namespace lockboard;
using namespace lockboard::ctl;
using namespace std::chrono_literals;

class TestCtlDuration final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void parses_data();
    void parses();
    void formats_data();
    void formats();
};

void TestCtlDuration::parses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("ms"); // -1: refused
    const auto row = [](const char* text, qint64 ms) {
        QTest::newRow(*text ? text : "(nothing)") << QByteArray(text) << ms;
    };
    row("500ms", 500);
    row("30s", 30'000);
    row("5m", 300'000);
    row("1h", 3'600'000);
    row("7d", 604'800'000);
    row("30", 30'000);
    row("1.5", 1500);
    row("0.25s", 250);
    row(".5", 500);
    row("0", 0);
    row("0.0004", 0);
    row("0.0006", 1);
    row("", -1);
    row("s", -1);
    row("-1", -1);
    row("-0", -1);
    row("+1", -1);
    row(" 1", -1);
    row("1 s", -1);
    row("1s ", -1);
    row("1S", -1);
    row("1w", -1);
    row("1m30s", -1);
    row("1,5", -1);
    row("nan", -1);
    row("inf", -1);
    row("1e3", -1);
    row("0x10", -1);
    row("36500d", 3'153'600'000'000);
    row("36501d", -1);
    row("99999999999999999999999999h", -1);
}

void TestCtlDuration::parses()
{
    QFETCH(QByteArray, text);
    QFETCH(qint64, ms);
    const auto duration = parseDuration(text.toStdString());
    QCOMPARE(duration ? duration->count() : -1, ms);
}

void TestCtlDuration::formats_data()
{
    QTest::addColumn<qint64>("ms");
    QTest::addColumn<QByteArray>("text");
    const auto row = [](Duration duration, const char* text) {
        QTest::addRow("%lld", static_cast<long long>(duration.count()))
            << qint64(duration.count()) << QByteArray(text);
    };
    row(-5ms, "0ms");
    row(0ms, "0ms");
    row(250ms, "250ms");
    row(999ms, "999ms");
    row(1s, "1s");
    row(1499ms, "1s");
    row(12s, "12s");
    row(59'600ms, "1m");
    row(90s, "1m 30s");
    row(60min - 100ms, "1h");
    row(61min + 5s, "1h 1m");
    row(24h - 1s, "1d");
    row(24h, "1d");
    row(50h, "2d 2h");
}

void TestCtlDuration::formats()
{
    QFETCH(qint64, ms);
    QFETCH(QByteArray, text);
    QCOMPARE(QByteArray::fromStdString(formatDuration(Duration(ms))), text);
}

QTEST_APPLESS_MAIN(TestCtlDuration)
#include "tst_ctl_duration.moc"
