// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/support/console.h"
#include "tests/support/tls_redis_server.h"
#include "tests/ui/watchdog.h"

#include <QLabel>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

//! The real window over a real Redis: what other programs wrote is listed and let go of.
class TestRedisConsole final : public QObject {
    Q_OBJECT

    std::unique_ptr<RedisServer> m_server;
    std::unique_ptr<Console> m_console;

    void open()
    {
        m_console = std::make_unique<Console>(
            false, Config::connectTo(m_server->url().toStdString(), builtInKinds()));
        m_console->open();
    }
    [[nodiscard]] QString cell(const QString& key, LockColumn column) const
    {
        const int row = int(m_console->keys().indexOf(key));
        return m_console->table->model()->index(row, int(column)).data().toString();
    }

private Q_SLOTS:
    void init() { m_server = std::make_unique<RedisServer>(); }
    void cleanup()
    {
        m_console.reset();
        m_server.reset();
    }

    void showsWhatOthersWrote()
    {
        m_server->cli({u"set"_s, u"medusa_lock:cart_1"_s, u"worker-7"_s, u"PX"_s, u"90000"_s});
        m_server->cli({u"set"_s, u"medusa_lock:cart_2"_s, u"*"_s});
        m_server->cli({u"hset"_s, u"medusa_lock:odd"_s, u"a"_s, u"b"_s});
        m_server->cli({u"set"_s, u"unrelated"_s, u"x"_s});
        open();
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s, u"cart_2"_s, u"odd"_s}));
        QCOMPARE(cell(u"cart_1"_s, LockColumn::Holder), u"worker-7"_s);
        QVERIFY(cell(u"cart_1"_s, LockColumn::Ttl).contains(u"m"_s)); // a minute and some
        QVERIFY(cell(u"odd"_s, LockColumn::State).contains(u"hash"_s));

        m_server->cli({u"del"_s, u"medusa_lock:cart_2"_s});
        m_server->cli({u"set"_s, u"medusa_lock:cart_3"_s, u"worker-8"_s, u"PX"_s, u"90000"_s});
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s, u"cart_3"_s, u"odd"_s}));
    }

    void showsWhichProgramHoldsALock()
    {
        m_server->cli({u"set"_s, u"medusa_lock:cart_1"_s, u"worker-7"_s});
        m_server->cli({u"set"_s, u"lockboard:note:{medusa_lock:cart_1}"_s,
                       u"{\"owner\":\"worker-7\",\"host\":\"web-1\",\"pid\":4711,"
                       "\"program\":\"shop\",\"token\":12}"_s});
        m_console = std::make_unique<Console>(
            false,
            Config::parse(R"({"providers": [{"resolve": "redis", "id": "shop", "is_default": true,
                "options": {"annotate": true, "redisUrl": ")"
                              + m_server->url().toStdString() + R"("}}]})",
                          "test", ".", builtInKinds()));
        m_console->open();
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s}));
        QCOMPARE(cell(u"cart_1"_s, LockColumn::HeldBy), u"web-1 shop[4711]"_s);
        QVERIFY(!m_console->table->isColumnHidden(int(LockColumn::HeldBy)));
        m_console->take("cart_2", "ann");
        QTRY_COMPARE(m_console->keys().size(), 2);
        QVERIFY(
            cell(u"cart_2"_s, LockColumn::HeldBy)
                .endsWith(u" test_redis_console[%1]"_s.arg(QCoreApplication::applicationPid())));
    }

    void releasesAStuckLockAndOnlyThat()
    {
        m_server->cli({u"set"_s, u"medusa_lock:cart_1"_s, u"worker-7"_s});
        m_server->cli({u"set"_s, u"medusa_lock:cart_2"_s, u"worker-7"_s});
        open();
        QTRY_COMPARE(m_console->keys().size(), 2);
        m_console->select({u"cart_1"_s});
        m_console->trigger("actionRelease");
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_2"_s}));
        QCOMPARE(m_server->cli({u"keys"_s, u"*"_s}), u"medusa_lock:cart_2"_s);
    }

    void saysWhenTheServerIsGone()
    {
        m_server->cli({u"set"_s, u"medusa_lock:cart_1"_s, u"worker-7"_s});
        open();
        QTRY_COMPARE(m_console->keys().size(), 1);
        m_server->kill();
        QTRY_VERIFY(m_console->find<QWidget>("banner")->isVisible());
        QCOMPARE(m_console->keys().size(), 1); // what was known stands, marked stale
        m_server->start();
        QTRY_VERIFY_WITH_TIMEOUT(m_console->keys().isEmpty(), 15'000); // it came back empty
        QTRY_VERIFY(!m_console->find<QWidget>("banner")->isVisible());
    }

    void marksAnInsecureConnection()
    {
        Certificates certificates;
        certificates.issueSelfSigned(u"server"_s, u"DNS:elsewhere.example"_s);
        const TlsRedisServer server(certificates, u"server"_s);
        const QString text =
            uR"({"providers": [{"resolve": "redis", "id": "shop", "is_default": true, "options":
{"redisOptions": {"host": "127.0.0.1", "port": %1, "tls": {"rejectUnauthorized": false}}}}]})"_s
                .arg(server.port());
        m_console = std::make_unique<Console>(
            false, Config::parse(text.toStdString(), "c", ".", builtInKinds()));
        m_console->open();
        auto* badge = m_console->find<QLabel>("warningBadge");
        QTRY_VERIFY(badge->isVisible());
        QVERIFY(badge->font().bold());
        QCOMPARE(badge->text(), u"Insecure"_s);
        QVERIFY2(badge->toolTip().contains(u"is not verified (rejectUnauthorized is false)"_s),
                 qPrintable(badge->toolTip()));

        m_console.reset();
        open(); // over loopback there is nothing to be said
        QTRY_VERIFY(m_console->find<QLabel>("stateLabel")->text().contains(u"live"_s));
        QVERIFY(!m_console->find<QLabel>("warningBadge")->isVisible());
    }

    void a100kLocksNeverStopTheWindow()
    {
        constexpr int count = 100'000;
        constexpr qint64 budgetMs = 250; // generous: a debug build beside other builds
        QByteArray fill;
        for (int i = 0; i < count; ++i) {
            fill += "SET medusa_lock:cart_" + QByteArray::number(i) + " worker-"
                + QByteArray::number(i % 100) + " PX 3600000\n";
        }
        m_server->cli({u"--pipe"_s}, fill);
        open();
        Watchdog watchdog;
        QTRY_COMPARE_WITH_TIMEOUT(m_console->table->model()->rowCount(), count, 60'000);
        ReleaseAllOptions options;
        options.ownedBy("worker-7");
        QCOMPARE(await(m_console->module->releaseAll(options), 60s).released, 1000u);
        QTRY_COMPARE_WITH_TIMEOUT(m_console->table->model()->rowCount(), count - 1000, 60'000);
        QVERIFY2(watchdog.worst() < budgetMs, qPrintable(QString::number(watchdog.worst())));
    }
};

QTEST_MAIN(TestRedisConsole)
#include "test_redis_console.moc"
