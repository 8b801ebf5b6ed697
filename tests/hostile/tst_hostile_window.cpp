// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/hostile/ways.h"
#include "tests/support/console.h"

#include <QAbstractItemView>
#include <QElapsedTimer>
#include <QLabel>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

//! The window beside a server that answers in every way but the right one: it shows something and
//! nothing raw, stays awake, and closes.
class TestHostileWindow final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void staysWell_data();
    void staysWell();
};

static bool isRaw(const QString& text)
{
    return std::any_of(text.begin(), text.end(), [](QChar letter) {
        const ushort code = letter.unicode();
        const bool control =
            code < 0x20 ? code != '\n' && code != '\t' : code >= 0x7f && code < 0xa0;
        return control || (code >= 0x202a && code <= 0x202e);
    });
}

//! All that the window shows in labels and lists.
static QStringList shownBy(QWidget& window)
{
    QStringList all;
    for (const QLabel* label : window.findChildren<QLabel*>())
        all << label->text() << label->toolTip();
    for (const QAbstractItemView* view : window.findChildren<QAbstractItemView*>()) {
        const QAbstractItemModel* const model = view->model();
        for (int row = 0; model && row < std::min(model->rowCount(), 50); ++row) {
            for (int column = 0; column < model->columnCount(); ++column) {
                all << model->index(row, column).data().toString()
                    << model->index(row, column).data(Qt::ToolTipRole).toString();
            }
        }
    }
    return all << window.windowTitle();
}

void TestHostileWindow::staysWell_data()
{
    QTest::addColumn<int>("index");
    const std::vector<Way>& ways = hostileWays();
    for (std::size_t i = 0; i < ways.size(); ++i)
        QTest::addRow("%s", ways[i].name) << int(i);
}

void TestHostileWindow::staysWell()
{
    QFETCH(int, index);
    const HostileServer server(hostileWays()[std::size_t(index)].script);
    const QString text =
        u"{\"providers\": [{\"resolve\": \"redis\", \"id\": \"r\", \"is_default\": true, "
        u"\"options\": "
        "{\"redisUrl\": \"redis://127.0.0.1:%1\", \"redisOptions\": {\"connectTimeout\": 600, "
        "\"commandTimeout\": 600}}}]}"_s.arg(server.port());
    Console console(false, Config::parse(text.toStdString(), "test.json", ".", builtInKinds()));
    console.open();
    QElapsedTimer clock;
    clock.start();
    qint64 longest = 0;
    for (qint64 before = 0; clock.elapsed() < 900;) {
        QTest::qWait(20);
        longest = std::max(longest, clock.elapsed() - before);
        before = clock.elapsed();
    }
    QVERIFY2(longest < 3000, qPrintable(QString::number(longest)));
    // It is not dialled anew as fast as it can talk nonsense.
    QVERIFY2(server.connections() <= 20, qPrintable(QString::number(server.connections())));
    for (const QString& shown : shownBy(*console.window))
        QVERIFY2(!isRaw(shown), qPrintable(QString::fromUtf8(shown.toUtf8().toPercentEncoding())));
    clock.restart();
    console.window.reset();
    console.engine.reset();
    QVERIFY2(clock.elapsed() < 5000, qPrintable(QString::number(clock.elapsed())));
}

QTEST_MAIN(TestHostileWindow)
#include "tst_hostile_window.moc"
