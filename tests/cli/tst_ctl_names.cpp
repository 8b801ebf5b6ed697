// SPDX-License-Identifier: MIT
//! What the list says of advisory locks: whose they may be, and who waits behind whom.
#include "engine/contract/medusa_hash.h"
#include "tests/cli/ctl.h"
#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"

#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QTest>

#include <csignal>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

class TestCtlNames final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_server.createTable();
        m_ctl.alwaysWith({"--connect", m_server.url().toUtf8()});
    }
    void init()
    {
        m_holder.emplace(m_server.url());
        m_holder->query(u"BEGIN"_s);
    }
    void cleanup()
    {
        m_holder.reset();
        m_server.query(u"DELETE FROM locking"_s);
        QTRY_COMPARE(m_server.value(u"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"_s),
                     u"0"_s);
    }

    void namesByOptions();
    void namesByAFile();
    void namesByStandardInput();
    void showsAllThatHaveTheHash();
    void needsNoMemoryForTheFile();
    void stopsWhileItReads();
    void refusesAFileThatIsNotThere();
    void putsTheHolderFirst();
    void removesOnlyWhatIsOver();

private:
    void hold(const std::string& key)
    {
        m_holder->query(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash(key)));
    }
    //! The keys of a list, in its order.
    [[nodiscard]] QStringList keys(const QByteArrayList& words) const
    {
        QStringList keys;
        for (const QJsonObject& lock : m_ctl.run(QByteArrayList{"list", "--json"} + words).json())
            keys << lock[u"key"_s].toString();
        return keys;
    }
    static QString nameless(const std::string& key)
    {
        return u"advisory:%1"_s.arg(medusaHash(key));
    }

    PostgresServer m_server;
    std::optional<Sql> m_holder;
    Ctl m_ctl;
};

void TestCtlNames::namesByOptions()
{
    hold("cart_1");
    QCOMPARE(keys({}), QStringList{nameless("cart_1")});
    QCOMPARE(keys({"--name", "cart_2"}), QStringList{nameless("cart_1")});
    QCOMPARE(keys({"--name", "cart_2", "--name=cart_1"}), QStringList{u"cart_1"_s});
    const CtlRun table = m_ctl.run({"list", "--name", "cart_1"});
    QVERIFY2(table.out.contains("\ncart_1  -      -    advisory lock: "), table.out);
    // It is looked for by the name that it has.
    QCOMPARE(keys({"--name", "cart_1", "--filter", "CART"}), QStringList{u"cart_1"_s});
    QCOMPARE(m_ctl.run({"list", "--filter", "cart"}).code, 1);
}

void TestCtlNames::namesByAFile()
{
    hold("cart_1");
    hold("größe");
    QByteArray text;
    for (int i = 0; i < 100'000; ++i)
        text += "other_" + QByteArray::number(i) + "\n";
    text += "\n" + QByteArray(200'000, 'x') + "\ngröße\n\ncart_1"; // without an end
    const QByteArray file = m_ctl.writeFile(u"keys"_s, text).toUtf8();
    QStringList found = keys({"--names-from", file});
    found.sort();
    QCOMPARE(found, QStringList({u"cart_1"_s, u"größe"_s}));
}

void TestCtlNames::namesByStandardInput()
{
    hold("cart_1");
    const auto process = m_ctl.start({"list", "--json", "--names-from", "-"});
    QVERIFY(process->waitForStarted());
    process->write("cart_");
    QTest::qWait(300);
    process->write("1\ncart_2\n");
    process->closeWriteChannel();
    const CtlRun run = Ctl::finish(*process);
    QCOMPARE(run.json().size(), 1);
    QCOMPARE(run.json().value(0)[u"key"_s], u"cart_1"_s);
}

void TestCtlNames::showsAllThatHaveTheHash()
{
    // Two characters that the hash takes for one another.
    const std::string first = "aA";
    std::string second;
    for (char a = ' '; a < 127 && second.empty(); ++a) {
        for (char b = ' '; b < 127 && second.empty(); ++b) {
            const std::string other{a, b};
            if (other != first && medusaHash(other) == medusaHash(first))
                second = other;
        }
    }
    QVERIFY(!second.empty());
    hold(first);
    const QByteArrayList both{"--name", first.c_str(), "--name", second.c_str()};
    const QJsonObject lock = m_ctl.run(QByteArrayList{"list", "--json"} + both).json().value(0);
    QCOMPARE(lock[u"key"_s], nameless(first));
    QCOMPARE(lock[u"names"_s].toArray().size(), 2);
    const QByteArray table = m_ctl.run(QByteArrayList{"list"} + both).out;
    const QByteArray names =
        std::min(first, second).c_str() + QByteArray(" | ") + std::max(first, second).c_str() + "?";
    QVERIFY2(table.contains(names), table);
    // A row's key is no more than a guess either.
    m_server.query(u"INSERT INTO locking VALUES ($1, 'ann', NULL)"_s,
                   {QString::fromStdString(first)});
    QVERIFY(m_ctl.run({"list", "--name", second.c_str()}).out.contains(names));
    QCOMPARE(m_ctl.run({"list", "--json", "--name", first.c_str()}).json().value(1)[u"key"_s],
             QString::fromStdString(first));
}

void TestCtlNames::needsNoMemoryForTheFile()
{
    hold("cart_1");
    const QByteArray file = m_ctl.path(u"many"_s).toUtf8();
    {
        QFile many(QString::fromUtf8(file));
        QVERIFY(many.open(QIODevice::WriteOnly));
        QByteArray chunk;
        for (int i = 0; i < 4'000'000; ++i) { // a hundred megabytes
            chunk += "a_rather_long_key_" + QByteArray::number(i) + '\n';
            if (chunk.size() > 1'000'000) {
                many.write(chunk);
                chunk.clear();
            }
        }
        many.write("cart_1\n");
    }
    // It may take as much as the program does without.
    const auto limited = [&](const QByteArray& names) {
        QProcess shell;
        const QString command = QStringLiteral("ulimit -v 400000; exec " LOCKBOARDCTL
                                               " list --json --connect '%1' --names-from '%2'");
        shell.start(u"bash"_s, {u"-c"_s, command.arg(m_server.url(), QString::fromUtf8(names))});
        return Ctl::finish(shell);
    };
    const CtlRun none = limited("/dev/null");
#if !defined(__SANITIZE_ADDRESS__)
    QVERIFY2(none.code == 0, none.err);
    QElapsedTimer clock;
    clock.start();
    const CtlRun run = limited(file);
    QVERIFY2(run.code == 0, run.err);
    QCOMPARE(run.json().value(0)[u"key"_s], u"cart_1"_s);
#endif
    QFile::remove(QString::fromUtf8(file));
}

void TestCtlNames::stopsWhileItReads()
{
    hold("cart_1");
    const auto process = m_ctl.start({"list", "--names-from", "-"});
    QVERIFY(process->waitForStarted());
    QTest::qWait(700); // it has nothing to do but to wait for a name
    QElapsedTimer clock;
    clock.start();
    ::kill(static_cast<pid_t>(process->processId()), SIGINT);
    const CtlRun run = Ctl::finish(*process);
    QCOMPARE(run.code, 128 + SIGINT);
    QVERIFY(clock.elapsed() < 5000);
}

void TestCtlNames::refusesAFileThatIsNotThere()
{
    hold("k");
    const CtlRun run = m_ctl.run({"list", "--names-from", "/nowhere"});
    QCOMPARE(run.code, 64);
    QCOMPARE(run.complaint(),
             "lockboardctl: --names-from: /nowhere can't be read: No such file or "
             "directory.");
    QCOMPARE(m_ctl.run({"list", "--names-from", "/"}).code, 64); // a directory
    QCOMPARE(m_ctl.run({"postgres", "install-trigger", "--name", "k"}).code, 64);
}

void TestCtlNames::putsTheHolderFirst()
{
    hold("k");
    std::vector<std::unique_ptr<Sql>> waiters;
    for (int i = 0; i < 5; ++i) {
        Sql& waiter = *waiters.emplace_back(std::make_unique<Sql>(m_server.url()));
        waiter.query(u"BEGIN"_s);
        waiter.send(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash("k")));
        QTRY_COMPARE(m_server.value(u"SELECT count(*) FROM pg_locks WHERE NOT granted"_s),
                     QString::number(i + 1));
    }
    const QByteArray holder = QByteArray::number(m_holder->pid());
    QByteArrayList lines = m_ctl.run({"list"}).out.trimmed().split('\n');
    QCOMPARE(lines.size(), 7);
    QVERIFY2(lines[1].contains("advisory lock: process " + holder + ','), lines[1]);
    for (int i = 0; i < 5; ++i) {
        const QByteArray& line = lines[i + 2];
        QVERIFY2(line.contains("process " + QByteArray::number(waiters[size_t(i)]->pid()) + ','),
                 line);
        const QByteArray end = i == 0 ? "" : " and " + QByteArray::number(i) + " more";
        QVERIFY2(line.endsWith(", behind process " + holder + " (holder)" + end), line);
    }
    const QList<QJsonObject> locks = m_ctl.run({"list", "--json"}).json();
    QCOMPARE(locks.last()[u"session"_s].toObject()[u"blockedBy"_s].toArray().size(), 5);
    m_holder->query(u"COMMIT"_s);
    for (const auto& waiter : waiters) {
        waiter->finish();
        waiter->query(u"COMMIT"_s);
    }
}

void TestCtlNames::removesOnlyWhatIsOver()
{
    const RedisServer redis;
    Ctl ctl;
    ctl.alwaysWith({"--connect", redis.url().toUtf8()});
    redis.cli({u"SET"_s, u"medusa_lock:k"_s, u"*"_s});
    const CtlRun live = ctl.run({"release", "k", "--no-owner", "--if-over"});
    QCOMPARE(live.code, 1);
    QCOMPARE(live.out, "Nothing is left of \"k\": it is free, or held.\n");
    QCOMPARE(redis.cli({u"DBSIZE"_s}), u"1"_s);
    QCOMPARE(ctl.run({"release", "k", "j", "--no-owner", "--if-over"}).code, 1);
    QCOMPARE(redis.cli({u"DBSIZE"_s}), u"1"_s);
    QCOMPARE(ctl.run({"release", "k", "--no-owner"}).code, 0);
    m_server.query(u"INSERT INTO locking VALUES ('old', NULL, now() - interval '1 hour')"_s);
    const CtlRun over = m_ctl.run({"release", "old", "--no-owner", "--if-over"});
    QCOMPARE(over.code, 0);
    QCOMPARE(over.out, "Was over already: \"old\"; its row is removed.\n");
}

QTEST_GUILESS_MAIN(TestCtlNames)
#include "tst_ctl_names.moc"
