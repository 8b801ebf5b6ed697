// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/support/console.h"
#include "tests/support/proxy.h"
#include "tests/support/redis_server.h"
#include "tests/ui/watchdog.h"

#include <QLabel>
#include <QProcess>
#include <QSignalSpy>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

//! What the real window says when Redis is not as it should be.
class TestRedisTroubles final : public QObject {
    Q_OBJECT

    std::unique_ptr<RedisServer> m_server;
    std::unique_ptr<Console> m_console;

    void open(const QString& url)
    {
        m_console =
            std::make_unique<Console>(false, Config::connectTo(url.toStdString(), builtInKinds()));
        m_console->open();
    }
    //! With one lock in the list.
    void openWithALock()
    {
        m_server->cli({u"SET"_s, u"medusa_lock:cart_1"_s, u"worker-7"_s});
        open(m_server->url());
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s}));
    }
    [[nodiscard]] QString banner() const
    {
        return m_console->find<QWidget>("banner")->isVisible()
            ? m_console->find<QLabel>("bannerText")->text()
            : QString();
    }
    [[nodiscard]] QString server() const
    {
        return u"Redis at 127.0.0.1:%1"_s.arg(m_server->port());
    }
    //! Lets go of the one lock by hand; gives what the activity list says of it.
    [[nodiscard]] QString outcomeOfRelease() const
    {
        const int before = m_console->activity->rowCount();
        m_console->select({u"cart_1"_s});
        m_console->trigger("actionRelease");
        m_console->answer("confirmation", "confirmButton");
        const auto done = [&] {
            return m_console->activity->rowCount() > before
                && !m_console->lastOutcome().startsWith(u"Running"_s);
        };
        return QTest::qWaitFor(done) ? m_console->lastOutcome() : QString();
    }
    //! For eyes: LOCKBOARD_PICTURES names a folder.
    void picture(const char* name) const
    {
        const QString folder = qEnvironmentVariable("LOCKBOARD_PICTURES");
        if (!folder.isEmpty())
            m_console->window->grab().save(folder + u'/' + QLatin1String(name) + u".png"_s);
    }

private Q_SLOTS:
    void init() { m_server = std::make_unique<RedisServer>(); }
    void cleanup()
    {
        m_console.reset();
        m_server.reset();
    }

    void refused()
    {
        m_server->kill();
        open(m_server->url());
        QTRY_VERIFY(banner().contains(server() + u" can't be reached: Connection refused"_s));
        m_server->start();
        QTRY_VERIFY_WITH_TIMEOUT(banner().isEmpty(), 15'000);
    }

    void lost()
    {
        openWithALock();
        m_server->kill();
        QTRY_VERIFY(banner().contains(u"may be out of date"_s));
        QVERIFY2(banner().contains(server()), qPrintable(banner()));
        QCOMPARE(m_console->keys(), QStringList({u"cart_1"_s})); // it stands, marked stale
        picture("lost");
    }

    void lostInTheMiddleOfARelease()
    {
        Proxy proxy(m_server->port());
        m_server->cli({u"SET"_s, u"medusa_lock:cart_1"_s, u"worker-7"_s});
        open(u"redis://127.0.0.1:%1"_s.arg(proxy.port()));
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s}));
        proxy.failAt("EVALSHA", Proxy::Fault::DropsBefore);
        const QString said = outcomeOfRelease();
        QVERIFY2(said.contains(u"look again before you try again"_s), qPrintable(said));
        QTRY_VERIFY(banner().isEmpty()); // and the list tells: it is still there
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s}));
    }

    void busy()
    {
        m_server->cli({u"CONFIG"_s, u"SET"_s, u"busy-reply-threshold"_s, u"20"_s});
        openWithALock();
        QProcess script;
        script.start(u"redis-cli"_s,
                     {u"-p"_s, QString::number(m_server->port()), u"EVAL"_s, u"while true do end"_s,
                      u"0"_s});
        QTRY_VERIFY(m_server->cli({u"GET"_s, u"x"_s}).startsWith(u"BUSY"_s));
        QTRY_VERIFY_WITH_TIMEOUT(
            banner().contains(server() + u" is busy with somebody's script."_s), 15'000);
        picture("busy");
        m_server->cli({u"SCRIPT"_s, u"KILL"_s});
        script.waitForFinished();
        QTRY_VERIFY_WITH_TIMEOUT(banner().isEmpty(), 15'000);
    }

    void readOnly()
    {
        openWithALock();
        RedisServer other;
        other.pause(); // a master that does not answer leaves the replica what it has
        m_server->cli({u"REPLICAOF"_s, u"127.0.0.1"_s, QString::number(other.port())});
        const QString said = outcomeOfRelease();
        QVERIFY2(said.contains(server() + u" is a read-only replica."_s), qPrintable(said));
    }

    void outOfMemory()
    {
        openWithALock();
        m_server->cli({u"CONFIG"_s, u"SET"_s, u"maxmemory"_s, u"1"_s});
        QString said;
        try {
            await(m_console->module->acquire("b"));
        } catch (const Unavailable& error) {
            said = QString::fromStdString(error.message());
        }
        QCOMPARE(said, server() + u" is out of memory and takes no more writes."_s);
        // It can be cured from here.
        const QString outcome = outcomeOfRelease();
        QVERIFY2(outcome.contains(u"Released 1 lock"_s), qPrintable(outcome));
    }

    void passwordWanted()
    {
        m_server->cli({u"CONFIG"_s, u"SET"_s, u"requirepass"_s, u"s3cret"_s});
        open(m_server->url());
        QTRY_VERIFY(banner().contains(server() + u" asks for a password."_s));
        picture("password");
    }

    void loading()
    {
        m_server = std::make_unique<RedisServer>(
            QStringList{u"--appendonly"_s, u"yes"_s, u"--appendfsync"_s, u"always"_s,
                        u"--loading-process-events-interval-bytes"_s, u"1024"_s,
                        u"--key-load-delay"_s, u"100"_s});
        m_server->cli(
            {u"EVAL"_s, u"for i = 1, 30000 do redis.call('SET', 'k' .. i, i) end"_s, u"0"_s});
        m_server->kill();
        m_server->start();
        open(m_server->url());
        QTRY_VERIFY(banner().contains(server() + u" is still loading its data."_s));
        QTRY_VERIFY_WITH_TIMEOUT(banner().isEmpty(), 30'000);
    }

    void anOwnerOfTenMegabytes()
    {
        constexpr qint64 budgetMs = 400; // generous: a debug build beside other builds
        m_server->cli({u"SET"_s, u"medusa_lock:cart_1"_s, u"worker-7"_s});
        m_server->cli({u"EVAL"_s, u"redis.call('SET', KEYS[1], string.rep('x', 10485760))"_s,
                       u"1"_s, u"medusa_lock:fat"_s});
        open(m_server->url());
        Watchdog watchdog;
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s, u"fat"_s}));
        const QString holder =
            m_console->table->model()->index(1, int(LockColumn::Holder)).data().toString();
        QVERIFY(holder.size() < 1000);
        QVERIFY2(holder.endsWith(u"(10485760 bytes)"_s), qPrintable(holder.right(30)));
        picture("fat");
        m_console->select({u"fat"_s});
        QTest::qWait(100);
        m_console->trigger("actionRelease");
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s}));
        QCOMPARE(m_server->cli({u"KEYS"_s, u"*"_s}), u"medusa_lock:cart_1"_s);
        QVERIFY2(watchdog.worst() < budgetMs, qPrintable(QString::number(watchdog.worst())));
    }
};

QTEST_MAIN(TestRedisTroubles)
#include "test_redis_troubles.moc"
