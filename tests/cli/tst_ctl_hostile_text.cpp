// SPDX-License-Identifier: MIT
//! Text of others, in every field that has some: no terminal obeys it, and JSON gives it back.
#include "tests/cli/redis_ctl.h"
#include "tests/cli/terminal.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QStringDecoder>
#include <QTest>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

//! A terminal would clear its screen (C0), turn red (C1), write from right to left, hide.
static const QByteArray hostile = "\x1b[2J\x1b]0;title\x07 \xc2\x9b\x33\x31m \xe2\x80\xae"
                                  "desrever \xe2\x81\xa6 \xe2\x80\x8b \xef\xbb\xbf \x7f\r\n"
                                  "\xf3\xa0\x80\x81 \xe2\x80\xa8 %s%n =1+1 <b>&amp;</b>";

class TestCtlHostileText final : public QObject, private RedisCtl {
    Q_OBJECT

private Q_SLOTS:
    void init() { flush(); }

    void showsKeysAndOwnersSafely_data();
    void showsKeysAndOwnersSafely();
    void givesThemBackInJson();
    void showsItsArgumentsSafely_data();
    void showsItsArgumentsSafely();
    void showsAConfigurationSafely();
    void showsWhatAServerSaysSafely();
    void asksSafely();

private:
    void setHostile() const
    {
        m_server.cli(
            {u"SET"_s, u"medusa_lock:"_s + QString::fromUtf8(hostile), QString::fromUtf8(hostile)});
    }
};

//! Why a terminal should not be given this; empty: it may.
static QByteArray faultOf(const QByteArray& bytes)
{
    QStringDecoder decoder(QStringDecoder::Utf8, QStringConverter::Flag::Stateless);
    const QString text = decoder.decode(bytes);
    if (decoder.hasError())
        return "not UTF-8";
    for (qsizetype i = 0; i < text.size(); ++i) {
        char32_t character = text[i].unicode();
        if (text[i].isHighSurrogate() && i + 1 < text.size()) {
            character = QChar::surrogateToUcs4(text[i], text[i + 1]);
            ++i;
        }
        const auto category = QChar::category(character);
        const bool isBad = category == QChar::Other_Control || category == QChar::Other_Format
            || category == QChar::Separator_Line || category == QChar::Separator_Paragraph;
        if (isBad && character != '\n')
            return "U+" + QByteArray::number(uint(character), 16);
    }
    return {};
}

#define VERIFY_SAFE(bytes)                                                                         \
    QVERIFY2(faultOf(bytes).isEmpty(),                                                             \
             faultOf(bytes) + " in: " + QByteArray(bytes).toPercentEncoding())

void TestCtlHostileText::showsKeysAndOwnersSafely_data()
{
    QTest::addColumn<QByteArrayList>("words");
    QTest::addColumn<int>("lines"); // of the output, at the most
    for (const QByteArrayList& format : {QByteArrayList{}, QByteArrayList{"--json"}}) {
        const auto row = [&](const char* name, const QByteArrayList& words, int lines) {
            QTest::newRow(QByteArray(name) + (format.isEmpty() ? "" : " --json"))
                << words + format << lines;
        };
        row("list", {"list"}, 2);
        row("list one owner's", {"list", "--owner", hostile}, 2);
        row("list some", {"list", "--filter", hostile}, 2);
        row("conflict", {"acquire", hostile}, 0);
        row("conflict of others", {"acquire", hostile, "--owner", hostile + "2"}, 0);
        row("extend", {"acquire", hostile, "--owner", hostile, "--expire", "1h"}, 1);
        row("acquire", {"acquire", hostile + "2", "--owner", hostile}, 1);
        row("held by another", {"release", hostile, "--owner", "x"}, 1);
        row("held by another, by default", {"release", hostile}, 1);
        row("not held", {"release", hostile + "3", "--owner", hostile}, 1);
        row("release", {"release", hostile, "--owner", hostile}, 1);
        row("release-all --dry-run", {"release-all", "--owner", hostile, "--dry-run"}, 2);
        row("release-all", {"release-all", "--owner", hostile, "--yes"}, 1);
    }
}

void TestCtlHostileText::showsKeysAndOwnersSafely()
{
    QFETCH(QByteArrayList, words);
    QFETCH(int, lines);
    setHostile();
    const CtlRun run = m_ctl.run(words);
    QVERIFY(run.code == 0 || run.code == 1 || run.code == 75);
    QVERIFY(!(run.out + run.err).isEmpty());
    VERIFY_SAFE(run.out);
    VERIFY_SAFE(run.err);
    QVERIFY2(run.out.count('\n') <= lines, run.out);
    QVERIFY2(run.err.count('\n') <= 1, run.err);
}

void TestCtlHostileText::givesThemBackInJson()
{
    setHostile();
    const CtlRun list = m_ctl.run({"list", "--json"});
    VERIFY_SAFE(list.out);
    QCOMPARE(list.json()[0][u"key"_s].toString().toUtf8(), hostile);
    QCOMPARE(list.json()[0][u"owner"_s].toString().toUtf8(), hostile);
    QVERIFY(!list.json()[0].contains(u"keyBase64"_s));
    const CtlRun extended = m_ctl.run({"acquire", hostile, "--owner", hostile, "--json"});
    QCOMPARE(extended.json()[0][u"owner"_s].toString().toUtf8(), hostile);
    const CtlRun held = m_ctl.run({"release", hostile, "--owner", "x", "--json"});
    QCOMPARE(held.json()[0][u"holder"_s].toString().toUtf8(), hostile);
    // The record of it likewise.
    QCOMPARE(m_ctl.audit().last()[u"keys"_s].toArray()[0].toString().toUtf8(), hostile);
    QFile raw(m_ctl.path(u"state/lockboard/audit.jsonl"_s));
    QVERIFY(raw.open(QIODevice::ReadOnly));
    VERIFY_SAFE(raw.readAll());
}

void TestCtlHostileText::showsItsArgumentsSafely_data()
{
    QTest::addColumn<QByteArrayList>("words");
    const auto row = [](const char* name, const QByteArrayList& words) {
        QTest::newRow(name) << words;
    };
    row("verb", {hostile});
    row("help", {"help", hostile});
    row("option", {"--" + hostile, "list"});
    row("option's value", {"list", "--json=" + hostile});
    row("short option", {"-" + hostile, "list"});
    row("option of another verb", {"check", "--owner=" + hostile});
    row("config", {"list", "--config", hostile});
    row("URL", {"list", "--connect", hostile});
    row("URL's host", {"list", "--connect", "redis://" + hostile});
    row("provider", {"list", "--provider", hostile});
    row("duration", {"acquire", "k", "--expire", hostile});
    row("limit", {"list", "--limit", hostile});
    row("base64", {"acquire", "--base64", hostile});
    row("operand", {"list", hostile});
    row("names", {"list", "--names-from", hostile});
    row("audit log",
        {"acquire", "k", "--provider", "in-memory", "--audit-log", "/dev/null/" + hostile});
    row("action", {"postgres", hostile, "--provider", "in-memory"});
    row("session", {"postgres", "end-session", hostile, "--yes", "--provider", "in-memory"});
}

void TestCtlHostileText::showsItsArgumentsSafely()
{
    QFETCH(QByteArrayList, words);
    const CtlRun run = Ctl().run(words);
    QVERIFY(run.code >= 64);
    VERIFY_SAFE(run.out);
    VERIFY_SAFE(run.err);
    QVERIFY2(run.complaint().count('\n') == 0, run.err);
}

void TestCtlHostileText::showsAConfigurationSafely()
{
    const QString text = QString::fromUtf8(hostile);
    const auto config = [&](const QJsonObject& entry) {
        const QJsonObject root{{u"providers"_s, QJsonArray{entry}}};
        return QJsonDocument(root).toJson();
    };
    const QList<QJsonObject> entries{
        {{u"resolve"_s, u"in-memory"_s}, {u"id"_s, text}},
        {{u"resolve"_s, text}, {u"id"_s, u"a"_s}},
        {{u"resolve"_s, u"./"_s + text}, {u"id"_s, u"a"_s}},
        {{u"resolve"_s, u"in-memory"_s}, {u"id"_s, u"a"_s}, {text, 1}},
        {{u"resolve"_s, u"in-memory"_s}, {u"id"_s, u"a"_s}, {u"options"_s, QJsonObject{{text, 1}}}},
        {{u"resolve"_s, u"redis"_s},
         {u"id"_s, text},
         {u"options"_s, QJsonObject{{u"redisUrl"_s, u"redis://127.0.0.1:1"_s}}}},
        {{u"resolve"_s, u"redis"_s},
         {u"id"_s, u"a"_s},
         {u"options"_s,
          QJsonObject{{u"redisOptions"_s, QJsonObject{{u"host"_s, text}, {u"port"_s, 1}}}}}},
        {{u"resolve"_s, u"redis"_s},
         {u"id"_s, u"a"_s},
         {u"options"_s,
          QJsonObject{{u"redisUrl"_s, u"redis://127.0.0.1:1"_s}, {u"ownerless"_s, text}}}},
        {{u"resolve"_s, u"postgres"_s},
         {u"id"_s, u"a"_s},
         {u"options"_s,
          QJsonObject{{u"connectionString"_s, u"postgres://127.0.0.1:1/x"_s},
                      {u"schema"_s, text}}}},
        {{u"resolve"_s, u"redis"_s},
         {u"id"_s, u"a"_s},
         {u"options"_s, QJsonObject{{u"redisUrl"_s, u"${env:"_s + text + u'}'}}}},
    };
    const Ctl ctl;
    for (const QJsonObject& entry : entries) {
        const QByteArray file = ctl.writeFile(u"c.json"_s, config(entry)).toUtf8();
        for (const QByteArray verb : {"providers", "check", "list", "acquire k"}) {
            for (const QByteArrayList& format : {QByteArrayList{}, QByteArrayList{"--json"}}) {
                const CtlRun run =
                    ctl.run(verb.split(' ') + format + QByteArrayList{"--config", file});
                VERIFY_SAFE(run.out);
                VERIFY_SAFE(run.err);
            }
        }
    }
}

void TestCtlHostileText::showsWhatAServerSaysSafely()
{
    // An error that a script raises, and a type under a key that says what it is.
    m_server.cli({u"HSET"_s, u"medusa_lock:"_s + QString::fromUtf8(hostile), u"f"_s, u"v"_s});
    for (const QByteArrayList& words : {QByteArrayList{"list"},
                                        {"list", "--json"},
                                        {"acquire", hostile},
                                        {"release", hostile},
                                        {"release-all", "--yes"},
                                        {"release-all", "--yes", "--json"},
                                        {"check"}}) {
        const CtlRun run = m_ctl.run(words);
        VERIFY_SAFE(run.out);
        VERIFY_SAFE(run.err);
    }
}

void TestCtlHostileText::asksSafely()
{
    setHostile();
    TerminalRun terminal(m_ctl, {"release-all", "--owner", hostile});
    QByteArray question = terminal.question();
    VERIFY_SAFE(question);
    QCOMPARE(question.count('\n'), 0);
    terminal.type("n\n");
    QCOMPARE(terminal.finish().code, 1);
}

QTEST_GUILESS_MAIN(TestCtlHostileText)
#include "tst_ctl_hostile_text.moc"
