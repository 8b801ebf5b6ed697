// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "engine/module/built_in_kinds.h"
#include "tests/support/console.h"
#include "tests/support/postgres_server.h"
#include "ui/owners/owners_model.h"
#include "ui/theme/side_delegate.h"

#include <QFile>
#include <QMessageBox>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

//! The real window over a real PostgreSQL: sessions are ended, not released, and only while they do
//! what was shown.
class TestPostgresSessions final : public QObject {
    Q_OBJECT

    PostgresServer m_server;
    std::unique_ptr<Console> m_console;

    void open()
    {
        m_console = std::make_unique<Console>(
            false, Config::connectTo(m_server.url().toStdString(), builtInKinds()));
        m_console->open();
    }
    static void take(Sql& sql, const std::string& key)
    {
        sql.query(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash(key)));
    }
    static void execute(Sql& sql, const std::string& key)
    {
        sql.query(u"SET application_name = 'medusa'; BEGIN"_s);
        take(sql, key);
    }
    void select(int row) const
    {
        m_console->table->setCurrentIndex(m_console->table->model()->index(row, 0));
    }
    [[nodiscard]] QMessageBox* question() const
    {
        auto* asks = m_console->find<QMessageBox>("confirmation");
        return asks && asks->isVisible() ? asks : nullptr;
    }
    //! The row of a state.
    [[nodiscard]] int rowOf(const QString& state) const
    {
        const QAbstractItemModel* model = m_console->table->model();
        for (int row = 0; row < model->rowCount(); ++row) {
            if (model->index(row, int(LockColumn::State)).data().toString() == state)
                return row;
        }
        return -1;
    }

private Q_SLOTS:
    void initTestCase() { m_server.createTable(); }
    void cleanup()
    {
        m_console.reset();
        m_server.query(u"DELETE FROM locking"_s);
    }

    void leavesTheNextJobAlone_data()
    {
        QTest::addColumn<QByteArray>("next");
        QTest::addColumn<QString>("problem");
        QTest::newRow("another key") << QByteArray("k2") << u" no longer holds "_s;
        QTest::newRow("the same key") << QByteArray("k1") << u" is in another transaction "_s;
    }

    //! A pool gives a connection to one job after the other.
    void leavesTheNextJobAlone()
    {
        QFETCH(const QByteArray, next);
        QFETCH(const QString, problem);
        Sql pooled(m_server.url());
        execute(pooled, "k1");
        QTest::qWait(1500);
        open();
        QTRY_COMPARE(m_console->keys().size(), 1);
        select(0);
        m_console->trigger("actionEndSession");
        QTRY_VERIFY(question());
        pooled.query(u"COMMIT"_s);
        execute(pooled, next.toStdString());
        m_console->answer("confirmation", "confirmButton");
        QTRY_VERIFY(m_console->find<QMessageBox>("secondConfirmation"));
        m_console->answer("secondConfirmation", "confirmButton");
        QTRY_VERIFY2(m_console->lastOutcome().contains(problem),
                     qPrintable(m_console->lastOutcome()));
        QCOMPARE(pooled.value(u"SELECT 1"_s), u"1"_s);
    }

    //! In the result and in the audit, whatever the list knows by then.
    void namesTheKeyThatWasShown()
    {
        m_server.query(u"INSERT INTO locking VALUES ('cart 1', 'ann', NULL)"_s);
        Sql holder(m_server.url());
        execute(holder, "cart 1");
        open();
        QTRY_COMPARE(m_console->keys().size(), 2);
        select(rowOf(u"In a session"_s));
        m_console->trigger("actionEndSession");
        QTRY_VERIFY(question());
        QVERIFY2(question()->informativeText().contains(u"It holds “cart 1”"_s),
                 qPrintable(question()->informativeText()));
        m_console->answer("confirmation", "confirmButton");
        QTRY_VERIFY(m_console->find<QMessageBox>("secondConfirmation"));
        m_console->answer("secondConfirmation", "confirmButton");
        QTRY_VERIFY2(m_console->lastOutcome().contains(u"which held \"cart 1\""_s),
                     qPrintable(m_console->lastOutcome()));
        QFile audit(m_console->folder.filePath(u"audit.jsonl"_s));
        QVERIFY(audit.open(QIODevice::ReadOnly));
        const QByteArray last = audit.readAll().trimmed().split('\n').last();
        QVERIFY2(last.contains(R"(held \"cart 1\")") && last.contains("transactionMs="),
                 last.constData());
    }

    void countsOnlyWhatCanBeReleased()
    {
        m_server.query(u"INSERT INTO locking VALUES ('a', 'ann', NULL), ('b', NULL, NULL)"_s);
        Sql holder(m_server.url());
        execute(holder, "k");
        take(holder, "l");
        open();
        QTRY_COMPARE(m_console->keys().size(), 4);
        auto* owners = m_console->window->findChild<OwnersModel*>();
        QVERIFY(owners);
        const auto count = [owners](const QString& name) {
            for (int row = 0; row < owners->rowCount(); ++row) {
                if (owners->index(row).data().toString() == name)
                    return owners->index(row).data(SideDelegate::NoteRole).toString();
            }
            return QString();
        };
        QTRY_COMPARE(count(u"All locks"_s), u"4"_s); // what the list has
        QCOMPARE(count(u"No owner"_s), u"1"_s);
        QCOMPARE(count(u"ann"_s), u"1"_s);
        m_console->trigger("actionReleaseAll");
        QTRY_VERIFY(question());
        QVERIFY2(question()->text().contains(u"Release all 2 locks"_s),
                 qPrintable(question()->text()));
        QVERIFY(question()->informativeText().contains(u"what sessions hold"_s));
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->keys().size(), 2);
        QTRY_COMPARE(count(u"No owner"_s), QString());
        QTRY_VERIFY(!m_console->find<QAction>("actionReleaseAll")->isEnabled());
        QVERIFY(!m_console->find<QAction>("actionReleaseByOwner")->isEnabled());
        QCOMPARE(holder.value(u"SELECT 1"_s), u"1"_s);
    }

    void releasesNoSession()
    {
        m_server.query(u"INSERT INTO locking VALUES ('a', 'ann', NULL)"_s);
        Sql holder(m_server.url());
        execute(holder, "k");
        open();
        QTRY_COMPARE(m_console->keys().size(), 2);
        auto* release = m_console->find<QAction>("actionRelease");
        const QString usual = release->toolTip();
        select(rowOf(u"In a session"_s));
        QTRY_VERIFY(!release->isEnabled());
        QVERIFY2(release->toolTip().contains(u"End Session"_s), qPrintable(release->toolTip()));
        QVERIFY(release->statusTip().contains(u"End Session"_s));
        QVERIFY(m_console->find<QAction>("actionEndSession")->isEnabled());
        select(rowOf(u"Held"_s));
        QTRY_VERIFY(release->isEnabled());
        QCOMPARE(release->toolTip(), usual);
        // Both: what can be released is, and the rest is spoken of.
        m_console->table->selectAll();
        QTRY_VERIFY(release->isEnabled());
        release->trigger();
        QTRY_VERIFY(question());
        QVERIFY2(question()->text().contains(u"Release the lock “a”"_s),
                 qPrintable(question()->text()));
        QVERIFY2(question()->informativeText().contains(u"End Session"_s),
                 qPrintable(question()->informativeText()));
        m_console->answer("confirmation", "cancelButton");
    }

    void namesTheHolderAmongMany()
    {
        Sql holder(m_server.url());
        execute(holder, "k");
        std::vector<std::unique_ptr<Sql>> waiters;
        for (int i = 0; i < 4; ++i) {
            Sql& waiter = *waiters.emplace_back(std::make_unique<Sql>(m_server.url()));
            waiter.query(u"BEGIN"_s);
            waiter.send(u"SELECT pg_advisory_xact_lock(%1)"_s.arg(medusaHash("k")));
            QTRY_COMPARE(m_server.value(u"SELECT count(*) FROM pg_locks WHERE NOT granted"_s),
                         QString::number(i + 1));
        }
        open();
        QTRY_COMPARE(m_console->keys().size(), 5);
        const QString last = u"[%1]"_s.arg(waiters.back()->pid());
        const QAbstractItemModel* model = m_console->table->model();
        int row = 0;
        while (row < 5
               && !model->index(row, int(LockColumn::HeldBy)).data().toString().endsWith(last))
            ++row;
        QVERIFY(row < 5);
        const QString wanted = u"Blocked by process %1 (holder) and 3 more"_s.arg(holder.pid());
        const QString tip = model->index(row, 0).data(Qt::ToolTipRole).toString();
        QVERIFY2(tip.contains(wanted), qPrintable(tip));
        select(row);
        QTRY_VERIFY(m_console->find<QAction>("actionEndSession")->isEnabled());
        m_console->trigger("actionEndSession");
        QTRY_VERIFY(question());
        QVERIFY2(question()->informativeText().contains(wanted),
                 qPrintable(question()->informativeText()));
        m_console->answer("confirmation", "cancelButton");
        holder.query(u"COMMIT"_s);
        for (const auto& waiter : waiters) {
            waiter->finish();
            waiter->query(u"COMMIT"_s);
        }
    }
};

QTEST_MAIN(TestPostgresSessions)
#include "test_postgres_sessions.moc"
