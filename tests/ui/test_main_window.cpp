// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/support/console.h"
#include "ui/session/commands.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class TestMainWindow final : public QObject {
    Q_OBJECT

    std::unique_ptr<Console> m_console;

    void openShop()
    {
        m_console = std::make_unique<Console>();
        m_console->take("cart_1", "ann");
        m_console->take("cart_2", "ann", 30s);
        m_console->take("order_1", "bob");
        m_console->take("order_2", {});
        m_console->open();
    }
    [[nodiscard]] QString text(const char* label) const
    {
        return m_console->find<QLabel>(label)->text();
    }
    //! Fills in the dialog and presses Acquire. A null owner: what the dialog proposes.
    void acquire(const QString& keys, const QString& owner)
    {
        m_console->trigger("actionAcquire");
        QTRY_VERIFY(m_console->find<QDialog>("acquireDialog"));
        m_console->find<QPlainTextEdit>("acquireKeys")->setPlainText(keys);
        if (!owner.isNull())
            m_console->find<QLineEdit>("acquireOwner")->setText(owner);
        m_console->find<QPushButton>("acquireButton")->click();
    }

private Q_SLOTS:
    void cleanup() { m_console.reset(); }

    void listsAndFollows()
    {
        openShop();
        QTRY_COMPARE(m_console->keys(),
                     QStringList({u"cart_1"_s, u"cart_2"_s, u"order_1"_s, u"order_2"_s}));
        QTRY_COMPARE(text("countsLabel"), u"4 locks"_s);
        QTRY_COMPARE(text("stateLabel"), u"in-memory: live"_s);
        QVERIFY(!m_console->find<QWidget>("banner")->isVisible());
        m_console->take("a_new_one", "cy");
        QTRY_COMPARE(m_console->keys().value(0), u"a_new_one"_s);
        m_console->take("short", "cy", 50ms);
        QTRY_VERIFY(!m_console->keys().contains(u"short"_s));
    }

    void filtersByTextAndByOwner()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        auto* field = m_console->find<QLineEdit>("filterField");
        m_console->trigger("actionFind");
        QTRY_VERIFY(field->hasFocus());
        QTest::keyClicks(field, u"cart -2"_s);
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s}));
        QTRY_COMPARE(text("countsLabel"), u"4 locks  ·  1 shown"_s);
        QTest::keyClick(field, Qt::Key_Escape);
        QTRY_COMPARE(m_console->keys().size(), 4);

        auto* owners = m_console->find<QListView>("ownersList");
        const auto click = [&](const QString& name) {
            for (int row = 0; row < owners->model()->rowCount(); ++row) {
                const QModelIndex index = owners->model()->index(row, 0);
                if (index.data().toString() == name) {
                    QTest::mouseClick(owners->viewport(), Qt::LeftButton, {},
                                      owners->visualRect(index).center());
                    return;
                }
            }
            QFAIL(qPrintable(name));
        };
        QTRY_COMPARE(owners->model()->rowCount(), 4); // all, none, ann, bob
        click(u"ann"_s);
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_1"_s, u"cart_2"_s}));
        click(u"No owner"_s);
        QTRY_COMPARE(m_console->keys(), QStringList({u"order_2"_s}));
        click(u"All locks"_s);
        QTRY_COMPARE(m_console->keys().size(), 4);
    }

    void releasesTheSelection()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        QVERIFY(!m_console->find<QAction>("actionRelease")->isEnabled());
        m_console->select({u"cart_1"_s, u"order_1"_s, u"order_2"_s});
        QTest::keyClick(m_console->table, Qt::Key_Delete);
        QTRY_VERIFY(m_console->find<QDialog>("confirmation"));
        auto* asks = m_console->find<QDialog>("confirmation");
        const auto* confirm = asks->findChild<QPushButton*>(u"confirmButton"_s);
        QCOMPARE(confirm->text(), u"Release 3 locks"_s);
        QVERIFY(!confirm->isDefault());
        QVERIFY(asks->findChild<QPushButton*>(u"cancelButton"_s)->isDefault());
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->keys(), QStringList({u"cart_2"_s}));
        QTRY_COMPARE(m_console->lastOutcome(), u"Released 3 locks."_s);
    }

    void leavesAloneWhatChangedHands()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        m_console->select({u"order_1"_s});
        m_console->trigger("actionRelease");
        ReleaseOptions options;
        options.ownedBy("bob");
        await(m_console->module->release(LockKeys("order_1"), options));
        m_console->take("order_1", "cy");
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->lastOutcome(),
                     u"Released 0 locks. 1 left alone: “order_1” is held by “cy” now."_s);
        QVERIFY(m_console->keys().contains(u"order_1"_s));
    }

    void releasesByOwner()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        m_console->trigger("actionReleaseByOwner");
        QTRY_VERIFY(m_console->find<QDialog>("ownerDialog"));
        auto* choice = m_console->find<QComboBox>("ownerChoice");
        auto* confirm =
            m_console->find<QDialog>("ownerDialog")->findChild<QPushButton*>(u"confirmButton"_s);
        choice->setCurrentText(u"nobody at all"_s);
        QVERIFY(!confirm->isEnabled());
        choice->setCurrentText(u"ann"_s);
        QCOMPARE(confirm->text(), u"Release 2 locks"_s);
        m_console->answer("ownerDialog", "confirmButton");
        QTRY_COMPARE(m_console->keys(), QStringList({u"order_1"_s, u"order_2"_s}));
        QTRY_COMPARE(m_console->lastOutcome(), u"Released 2 locks."_s);
    }

    void releasesAllOnlyWhenConfirmed()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        m_console->trigger("actionReleaseAll");
        m_console->answer("confirmation", "cancelButton");
        QTest::qWait(100);
        QCOMPARE(m_console->keys().size(), 4);
        QCOMPARE(m_console->activity->rowCount(), 0);
        m_console->trigger("actionReleaseAll");
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->keys().size(), 0);
        QTRY_COMPARE(m_console->lastOutcome(), u"Released 4 locks."_s);
        QVERIFY(!m_console->find<QAction>("actionReleaseAll")->isEnabled());
    }

    void whatTakesLongCanBeCancelled()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        auto* commands = m_console->window->findChild<Commands*>();
        auto* cancel = m_console->find<QPushButton>("cancelOperation");
        QVERIFY(commands && cancel);
        const auto cancelAtOnce = [cancel](bool running) {
            if (running)
                cancel->click();
        };
        connect(commands, &Commands::runningChanged, cancel, cancelAtOnce);
        m_console->trigger("actionReleaseAll");
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->lastOutcome(), u"Released 0 locks. Cancelled before the rest."_s);
        QCOMPARE(m_console->keys().size(), 4);
    }

    void acquires()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        acquire(u"new_b\nnew_a\n\n"_s, u"me"_s);
        QTRY_VERIFY(m_console->keys().contains(u"new_a"_s));
        QVERIFY(m_console->keys().contains(u"new_b"_s));
        QTRY_VERIFY(!m_console->find<QDialog>("acquireDialog"));
        QVERIFY2(m_console->lastOutcome().startsWith(u"Granted for"_s),
                 qPrintable(m_console->lastOutcome()));
    }

    //! Two consoles of one user exclude each other as two jobs do, and one excludes itself.
    void excludesWhoeverNamesNoOwner()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        acquire(u"new"_s, QString());
        QTRY_VERIFY(m_console->keys().contains(u"new"_s));
        QTRY_VERIFY(!m_console->find<QDialog>("acquireDialog"));
        acquire(u"new"_s, QString());
        QTRY_VERIFY(m_console->find<QLabel>("acquireProblem")->isVisible());
        QVERIFY2(text("acquireProblem").startsWith(u"“new” is held by “"_s),
                 qPrintable(text("acquireProblem")));
    }

    void explainsAConflict()
    {
        openShop();
        acquire(u"cart_2"_s, u"me"_s);
        QTRY_VERIFY(m_console->find<QLabel>("acquireProblem")->isVisible());
        const QString said = text("acquireProblem");
        QVERIFY2(said.startsWith(u"“cart_2” is held by “ann”; its lease ends in 2"_s),
                 qPrintable(said));
        QCOMPARE(m_console->lastOutcome(), said);
        // Nor is an ownerless lock taken over, unless one says so.
        m_console->find<QPlainTextEdit>("acquireKeys")->setPlainText(u"order_2"_s);
        m_console->find<QPushButton>("acquireButton")->click();
        QTRY_VERIFY(text("acquireProblem").contains(u"held without an owner"_s));
        m_console->find<QCheckBox>("acquireClaims")->setChecked(true);
        m_console->find<QPushButton>("acquireButton")->click();
        QTRY_VERIFY(!m_console->find<QDialog>("acquireDialog"));
    }

    void refusesBadInputInASentence()
    {
        openShop();
        acquire(u"x"_s, u"*"_s);
        QTRY_VERIFY(m_console->find<QLabel>("acquireProblem")->isVisible());
        QVERIFY(!text("acquireProblem").isEmpty());
        QVERIFY(!m_console->keys().contains(u"x"_s));
        m_console->find<QPlainTextEdit>("acquireKeys")->clear();
        m_console->find<QPushButton>("acquireButton")->click();
        QTRY_COMPARE(m_console->activity->rowCount(), 2);
    }

    void whoClosesTheDialogNoLongerWaits()
    {
        openShop();
        m_console->trigger("actionAcquire");
        QTRY_VERIFY(m_console->find<QDialog>("acquireDialog"));
        m_console->find<QPlainTextEdit>("acquireKeys")->setPlainText(u"cart_1"_s);
        m_console->find<QCheckBox>("acquireWaits")->setChecked(true);
        m_console->find<QPushButton>("acquireButton")->click();
        QTRY_VERIFY(m_console->find<QWidget>("progressStrip")->isVisible());
        QCOMPARE(m_console->lastOutcome(), u"Running…"_s);
        m_console->find<QDialog>("acquireDialog")->reject();
        QTRY_COMPARE(m_console->lastOutcome(), u"The call was cancelled."_s);
        QTRY_VERIFY(!m_console->find<QWidget>("progressStrip")->isVisible());
    }

    void closingWithACallOnItsWayIsSafe()
    {
        openShop();
        m_console->trigger("actionAcquire");
        QTRY_VERIFY(m_console->find<QDialog>("acquireDialog"));
        m_console->find<QPlainTextEdit>("acquireKeys")->setPlainText(u"cart_1"_s);
        m_console->find<QCheckBox>("acquireWaits")->setChecked(true);
        m_console->find<QPushButton>("acquireButton")->click();
        m_console->window->close();
        m_console.reset();
    }

    void readOnlyLooksAndDoesNotTouch()
    {
        m_console = std::make_unique<Console>(true);
        m_console->open();
        QTRY_COMPARE(text("stateLabel"), u"in-memory: live"_s);
        QVERIFY(m_console->window->windowTitle().contains(u"read-only"_s));
        QVERIFY(m_console->find<QLabel>("readOnlyBadge")->isVisible());
        for (const char* name : {"actionAcquire", "actionRelease", "actionReleaseByOwner",
                                 "actionReleaseOwner", "actionReleaseAll"}) {
            auto* action = m_console->find<QAction>(name);
            QVERIFY2(!action->isEnabled(), name);
            QVERIFY(action->toolTip().contains(u"read-only"_s));
        }
        QVERIFY_THROWS_EXCEPTION(ReadOnly, m_console->take("x", "me"));
    }

    void copiesKeysAndSurvivesRefresh()
    {
        openShop();
        QTRY_COMPARE(m_console->keys().size(), 4);
        m_console->select({u"cart_1"_s, u"cart_2"_s});
        m_console->trigger("actionCopyKey");
        QCOMPARE(QGuiApplication::clipboard()->text(), u"cart_1\ncart_2"_s);
        m_console->trigger("actionRefresh");
        QTest::qWait(200);
        QCOMPARE(m_console->keys().size(), 4);
        QCOMPARE(m_console->table->selectedCount(), 2U);
    }

    void remembersItsLayout()
    {
        openShop();
        QVERIFY(m_console->table->columnState().isEmpty());
        m_console->window->resize(1000, 700);
        m_console->table->setColumnWidth(0, 333);
        m_console->window->close();
        m_console->open();
        QCOMPARE(m_console->window->size(), QSize(1000, 700));
        QCOMPARE(m_console->table->columnWidth(0), 333);
        m_console->window->resize(900, 600);
        QCOMPARE(m_console->table->columnWidth(0), 333);
    }

    void switchesProviders()
    {
        const Config config = Config::parse(
            R"({"providers": [{"resolve": "in-memory", "id": "one", "is_default": true},
                              {"resolve": "in-memory", "id": "two"}]})",
            "test", ".", builtInKinds());
        m_console = std::make_unique<Console>(false, config);
        m_console->take("of_one", "ann");
        AcquireOptions options;
        options.ownedBy("bob").at("two");
        await(m_console->module->acquire(LockKeys("of_two"), options));
        m_console->open();
        QTRY_COMPARE(m_console->keys(), QStringList({u"of_one"_s}));
        auto* list = m_console->find<QListView>("providersList");
        QCOMPARE(list->model()->rowCount(), 3); // and the in-memory one that is always there
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {},
                          list->visualRect(list->model()->index(1, 0)).center());
        QTRY_COMPARE(m_console->keys(), QStringList({u"of_two"_s}));
        QVERIFY(m_console->window->windowTitle().startsWith(u"two"_s));
    }
};

QTEST_MAIN(TestMainWindow)
#include "test_main_window.moc"
