// SPDX-License-Identifier: MIT
#include "tests/cli/ctl.h"
#include "tests/hostile/ways.h"

#include <QElapsedTimer>
#include <QTest>

#include <sys/resource.h>

using namespace lockboard::test;
using namespace Qt::StringLiterals;

#if defined(__SANITIZE_ADDRESS__)
static constexpr long mostKilobytes = 1024 * 1024; // it keeps what was freed
#else
static constexpr long mostKilobytes = 256 * 1024;
#endif

//! Every verb beside a server that answers in every way but the right one: it ends in time, grants
//! nothing, uses little memory, says why, and nothing raw reaches the terminal.
class TestHostileRedis final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyVerbEnds_data();
    void everyVerbEnds();
    void anEvilSentinel();

private:
    void judge(const QByteArray& verb, const CtlRun& run);
    Ctl m_ctl;
};

static bool isRaw(const QByteArray& output)
{
    for (const QChar letter : QString::fromUtf8(output)) {
        const ushort code = letter.unicode();
        const bool control =
            code < 0x20 ? code != '\n' && code != '\t' : code >= 0x7f && code < 0xa0;
        const bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
        if (control || turns || code == 0xfffd)
            return true;
    }
    return false;
}

void TestHostileRedis::judge(const QByteArray& verb, const CtlRun& run)
{
    const QByteArray said = verb + " exits " + QByteArray::number(run.code)
        + "\nstdout: " + run.out.left(1000) + "\nstderr: " + run.err.left(2000);
    QVERIFY2(run.code >= 0, said);
    QVERIFY2(!isRaw(run.out) && !isRaw(run.err), said);
    QVERIFY2(run.err.size() < 8000, said);
    if (verb == "acquire") {
        QVERIFY2(run.code != 0, said);
        QVERIFY2(!run.complaint().isEmpty(), said);
    }
    if (run.code != 0)
        QVERIFY2(!run.complaint().isEmpty() || !run.out.isEmpty(), said);
}

void TestHostileRedis::everyVerbEnds_data()
{
    QTest::addColumn<int>("index");
    const std::vector<Way>& ways = hostileWays();
    for (std::size_t i = 0; i < ways.size(); ++i)
        QTest::addRow("%s", ways[i].name) << int(i);
}

void TestHostileRedis::everyVerbEnds()
{
    QFETCH(int, index);
    const HostileServer server(hostileWays()[std::size_t(index)].script);
    const QString config = m_ctl.writeFile(
        u"config.json"_s,
        "{\"providers\": [{\"resolve\": \"redis\", \"id\": \"r\", \"is_default\": true, "
        "\"options\": "
        "{\"redisUrl\": \"redis://127.0.0.1:"
            + QByteArray::number(server.port())
            + "\", \"redisOptions\": {\"connectTimeout\": 1500, \"commandTimeout\": 1500}}}]}");
    const QByteArray file = "--config=" + config.toUtf8();
    const std::vector<std::pair<QByteArray, QByteArrayList>> verbs = {
        {"list", {"list", file}},
        {"acquire", {"acquire", "one", "two", "--owner", "me", file}},
        {"acquire", {"acquire", "one", "--owner", "me", "--expire", "5s", file}},
        {"release", {"release", "one", "--owner", "me", file}},
        {"release-all", {"release-all", "--yes", file}},
        {"check", {"check", file}},
    };
    QElapsedTimer clock;
    clock.start();
    std::vector<std::unique_ptr<QProcess>> running;
    for (const auto& [verb, words] : verbs)
        running.push_back(m_ctl.start(words));
    for (std::size_t i = 0; i < running.size(); ++i)
        judge(verbs[i].first, m_ctl.finish(*running[i]));
    QVERIFY2(clock.elapsed() < 45'000, qPrintable(QString::number(clock.elapsed())));
    rusage used{};
    getrusage(RUSAGE_CHILDREN, &used);
    QVERIFY2(used.ru_maxrss < mostKilobytes,
             qPrintable(QString::number(used.ru_maxrss) + u" kB"_s));
    QVERIFY2(server.connections() < 300, qPrintable(QString::number(server.connections())));
}

void TestHostileRedis::anEvilSentinel()
{
    const QByteArray evil = "\x1b[31m\xc2\x9bx\xe2\x80\xaey";
    const QByteArrayList answers = {
        HostileServer::array({HostileServer::text(evil), HostileServer::text("6379")}),
        HostileServer::array({HostileServer::text("127.0.0.1"), HostileServer::text("99999")}),
        HostileServer::array({HostileServer::text("127.0.0.1"), HostileServer::text(evil)}),
        HostileServer::array(
            {HostileServer::text(QByteArray(1'000'000, 'h')), HostileServer::text("6379")}),
        HostileServer::text(evil),
        ":1\r\n",
        "*0\r\n",
        "$-1\r\n",
        "-ERR " + evil + "\r\n"};
    for (const QByteArray& answer : answers) {
        HostileServer::Script script;
        script["SENTINEL"] = [answer](const QByteArrayList&) { return Answer(answer); };
        const HostileServer server(script);
        const QString config = m_ctl.writeFile(
            u"sentinel.json"_s,
            "{\"providers\": [{\"resolve\": \"redis\", \"id\": \"r\", \"is_default\": true, "
            "\"options\": {\"redisOptions\": {\"name\": \"main\", \"connectTimeout\": 1500, "
            "\"sentinels\": [{\"host\": \"127.0.0.1\", \"port\": "
                + QByteArray::number(server.port()) + "}]}}}]}");
        const CtlRun run =
            m_ctl.run({"acquire", "one", "--owner", "me", "--config", config.toUtf8()});
        judge("acquire", run);
    }
}

QTEST_GUILESS_MAIN(TestHostileRedis)
#include "tst_hostile_redis.moc"
