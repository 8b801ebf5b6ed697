// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/support/console.h"
#include "tests/support/medusa_session.h"

#include <QMessageBox>
#include <QPushButton>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

//! The real window over a real PostgreSQL: what is left of locks, and locks of sessions.
class TestPostgresConsole final : public QObject {
    Q_OBJECT

    PostgresServer m_server;
    std::unique_ptr<Console> m_console;

    void open(bool readOnly = false)
    {
        m_console = std::make_unique<Console>(
            readOnly, Config::connectTo(m_server.url().toStdString(), builtInKinds()));
        m_console->open();
    }
    [[nodiscard]] QString cell(const QString& key, LockColumn column) const
    {
        const int row = int(m_console->keys().indexOf(key));
        return m_console->table->model()->index(row, int(column)).data().toString();
    }
    //! Of the session of this process; -1: none is shown.
    [[nodiscard]] int rowOf(const MedusaSession& session) const
    {
        const QAbstractItemModel* model = m_console->table->model();
        const QString end = u"medusa[%1]"_s.arg(session.pid());
        for (int row = 0; row < model->rowCount(); ++row) {
            if (model->index(row, int(LockColumn::HeldBy)).data().toString().endsWith(end))
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

    void showsAndRemovesResidue()
    {
        m_server.query(u"INSERT INTO locking VALUES ('old', 'ann', now() - interval '1 hour')"_s);
        open();
        QTRY_COMPARE(m_console->keys(), QStringList({u"old"_s}));
        QCOMPARE(cell(u"old"_s, LockColumn::State), u"Residue"_s);
        QCOMPARE(cell(u"old"_s, LockColumn::Ttl), u"over"_s);
        m_console->select({u"old"_s});
        m_console->trigger("actionRelease");
        m_console->answer("confirmation", "confirmButton");
        QTRY_VERIFY(m_console->keys().isEmpty());
        QTRY_VERIFY2(m_console->lastOutcome().contains(u"Removed what was left"_s),
                     qPrintable(m_console->lastOutcome()));
    }

    void endsASession()
    {
        m_server.query(u"INSERT INTO locking VALUES ('k', 'ann', NULL)"_s);
        MedusaSession holder(m_server);
        holder.execute("k");
        open();
        QTRY_COMPARE(m_console->keys().size(), 2); // its row, and the session
        const QAbstractItemModel* model = m_console->table->model();
        const QString name = u"127.0.0.1 medusa[%1]"_s.arg(holder.pid());
        const int session = rowOf(holder);
        QVERIFY(session >= 0);
        QCOMPARE(model->index(session, int(LockColumn::HeldBy)).data().toString(), name);
        QCOMPARE(model->index(session, int(LockColumn::State)).data().toString(),
                 u"In a session"_s);
        m_console->table->setCurrentIndex(model->index(1 - session, 0));
        auto* action = m_console->find<QAction>("actionEndSession");
        QTRY_VERIFY(!action->isEnabled());
        m_console->table->setCurrentIndex(model->index(session, 0));
        QTRY_VERIFY(action->isEnabled());

        m_console->trigger("actionEndSession");
        auto* asks = m_console->find<QMessageBox>("confirmation");
        QTRY_VERIFY(asks && asks->isVisible());
        QVERIFY2(asks->text().contains(name), qPrintable(asks->text()));
        QVERIFY2(asks->informativeText().contains(u"It holds “k”"_s),
                 qPrintable(asks->informativeText()));
        QCOMPARE(asks->defaultButton()->objectName(), u"cancelButton"_s);
        m_console->answer("confirmation", "cancelButton");
        QVERIFY(!holder.isGone());
        m_console->trigger("actionEndSession");
        m_console->answer("confirmation", "confirmButton");
        QTRY_VERIFY(m_console->find<QMessageBox>("secondConfirmation")); // a job may run on
        m_console->answer("secondConfirmation", "confirmButton");
        QTRY_COMPARE(m_console->keys(), QStringList({u"k"_s})); // the row is another's
        QVERIFY(holder.isGone());
        QTRY_VERIFY2(m_console->lastOutcome().startsWith(u"Ended the session"_s),
                     qPrintable(m_console->lastOutcome()));
    }

    void showsWhoWaitsAndForWhom()
    {
        m_server.query(u"INSERT INTO locking VALUES ('k', 'ann', NULL)"_s);
        MedusaSession holder(m_server);
        MedusaSession waiter(m_server);
        holder.execute("k");
        waiter.waitFor("k");
        open();
        QTRY_COMPARE(m_console->keys(), QStringList({u"k"_s, u"k"_s, u"k"_s}));
        const QAbstractItemModel* model = m_console->table->model();
        const auto data = [&](const MedusaSession& session, LockColumn column,
                              int role = Qt::DisplayRole) {
            return model->index(rowOf(session), int(column)).data(role).toString();
        };
        QVERIFY(rowOf(holder) >= 0 && rowOf(waiter) >= 0);
        QCOMPARE(data(waiter, LockColumn::State), u"Waiting"_s);
        QCOMPARE(data(waiter, LockColumn::Ttl), u"–"_s);
        const QString name = u"127.0.0.1 medusa[%1]"_s.arg(waiter.pid());
        const QString tip = data(waiter, LockColumn::State, Qt::ToolTipRole);
        for (const QString& line :
             {u"%1 waits for the advisory lock k"_s.arg(name), u"User postgres"_s,
              u"The session is active"_s, u"Blocked by process %1 (holder)"_s.arg(holder.pid())})
            QVERIFY2(tip.split(u'\n').contains(line), qPrintable(tip));
        QVERIFY2(tip.contains(u"\nIts transaction began "_s)
                     && tip.contains(u"\nIts latest query began "_s),
                 qPrintable(tip));
        const QString held = data(holder, LockColumn::State, Qt::ToolTipRole);
        QVERIFY2(held.startsWith(u"The advisory lock k is held by 127.0.0.1 medusa["_s)
                     && held.contains(u"\nThe session is idle in transaction"_s)
                     && !held.contains(u"Blocked"_s),
                 qPrintable(held));
        holder.end();
        QTRY_COMPARE(m_console->keys().size(), 2);
        QTRY_COMPARE(data(waiter, LockColumn::State), u"In a session"_s);
    }

    void releaseMeansNoSession()
    {
        m_server.query(u"INSERT INTO locking VALUES ('k', NULL, NULL)"_s); // anyone may release it
        MedusaSession holder(m_server);
        holder.execute("k");
        open();
        QTRY_COMPARE(m_console->keys().size(), 2);
        const QAbstractItemModel* model = m_console->table->model();
        m_console->table->setCurrentIndex(model->index(rowOf(holder), 0));
        QVERIFY(!m_console->find<QAction>("actionRelease")->isEnabled());
        // With the row beside it, only that is meant.
        m_console->select({u"k"_s});
        m_console->trigger("actionRelease");
        auto* asks = m_console->find<QMessageBox>("confirmation");
        QTRY_VERIFY(asks && asks->isVisible());
        QCOMPARE(asks->text(), u"Release the lock “k”?"_s);
        QCOMPARE(m_server.value(u"SELECT count(*) FROM locking"_s), u"1"_s); // until now
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->keys().size(), 1);
        QVERIFY(rowOf(holder) == 0);
        QCOMPARE(m_server.value(u"SELECT count(*) FROM locking"_s), u"0"_s);
        QVERIFY(!holder.isGone());
    }

    void endsNoneInReadOnlyMode()
    {
        MedusaSession holder(m_server);
        holder.execute("k");
        open(true);
        QTRY_COMPARE(m_console->keys().size(), 1);
        m_console->table->setCurrentIndex(m_console->table->model()->index(0, 0));
        QTest::qWait(50);
        QVERIFY(!m_console->find<QAction>("actionEndSession")->isEnabled());
    }
};

QTEST_MAIN(TestPostgresConsole)
#include "test_postgres_console.moc"
