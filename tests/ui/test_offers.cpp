// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/support/console.h"
#include "tests/ui/scripted_store.h"

#include <QComboBox>
#include <QLabel>
#include <QListView>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTableView>

#include <csignal>
#include <sys/resource.h>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

//! As long as it lives, this process can write to no file.
class FullDisk final {
public:
    FullDisk()
    {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &m_before);
        const rlimit none{0, m_before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &none);
    }
    ~FullDisk() { setrlimit(RLIMIT_FSIZE, &m_before); }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

private:
    rlimit m_before{};
};

} // namespace

//! What an action acts on is what it was offered for, whatever has happened in between.
class TestOffers final : public QObject {
    Q_OBJECT

    std::unique_ptr<Console> m_console;

    void open(const Config& config = {})
    {
        m_console = std::make_unique<Console>(false, config);
        m_console->open();
    }
    void openScript(ScriptedStore::Script script)
    {
        const qsizetype count = script.locks.size();
        ScriptedStore::begin(std::move(script));
        open(ScriptedStore::config());
        QTRY_COMPARE(m_console->keys().size(), count);
    }
    [[nodiscard]] QMessageBox* question() const
    {
        auto* asks = m_console->find<QMessageBox>("confirmation");
        return asks && asks->isVisible() ? asks : nullptr;
    }
    [[nodiscard]] QString asked() const
    {
        return question() ? question()->text() + u'\n' + question()->informativeText() : QString();
    }
    [[nodiscard]] QPoint placeOf(const QString& key) const
    {
        const int row = int(m_console->keys().indexOf(key));
        return m_console->table->visualRect(m_console->table->model()->index(row, 0)).center();
    }
    QMenu* openMenuOn(const QString& key) const
    {
        m_console->table->selectRow(int(m_console->keys().indexOf(key)));
        Q_EMIT m_console->table->customContextMenuRequested(placeOf(key));
        return m_console->find<QMenu>("lockMenu");
    }
    static QAction* actionOf(const QMenu* menu, const QString& words)
    {
        for (QAction* action : menu->actions()) {
            if (QString(action->text()).remove(u'&').startsWith(words))
                return action;
        }
        return nullptr;
    }
    void release(const std::string& key, const Owner& owner, const std::string& provider = {}) const
    {
        ReleaseOptions options;
        options.ownedBy(owner).at(provider);
        await(m_console->module->release(LockKeys(key), options));
    }
    void take(const std::string& key, const Owner& owner, const std::string& provider) const
    {
        AcquireOptions options;
        options.ownedBy(owner).at(provider);
        await(m_console->module->acquire(LockKeys(key), options));
    }
    //! Who holds it; none: nobody.
    [[nodiscard]] Owner holderOf(const std::string& key, const std::string& provider = {}) const
    {
        AcquireOptions options;
        options.ownedBy("a stranger").exclusively().at(provider);
        try {
            await(m_console->module->acquire(LockKeys(key), options));
        } catch (const Conflict& conflict) {
            return conflict.holder() ? conflict.holder() : Owner("nobody by name");
        }
        release(key, "a stranger", provider);
        return {};
    }
    //! After a dialog, offscreen, no window is the active one by itself.
    void focus(QWidget* widget) const
    {
        m_console->window->activateWindow();
        widget->setFocus();
        QTRY_VERIFY(widget->hasFocus());
    }
    void moveToOwner(const QString& name) const
    {
        auto* list = m_console->find<QListView>("ownersList");
        const auto row = [&] {
            for (int i = 0; i < list->model()->rowCount(); ++i) {
                if (list->model()->index(i, 0).data().toString() == name)
                    return i;
            }
            return -1;
        };
        QTRY_VERIFY(row() >= 0);
        focus(list);
        list->setCurrentIndex(list->model()->index(row(), 0));
    }
    static Config twoStores()
    {
        return Config::parse(
            R"({"providers": [{"resolve": "in-memory", "id": "one", "is_default": true},
                              {"resolve": "in-memory", "id": "two"}]})",
            "test", ".", builtInKinds());
    }
    void showProvider(int row) const
    {
        auto* list = m_console->find<QListView>("providersList");
        Q_EMIT list->activated(list->model()->index(row, 0));
    }

private Q_SLOTS:
    void cleanup()
    {
        if (m_console && m_console->window) {
            for (auto* menu : m_console->window->findChildren<QMenu*>())
                menu->close();
        }
        m_console.reset();
    }

    void theMenuIsAboutTheLockThatItWasOpenedOn_data()
    {
        QTest::addColumn<bool>("fromTheBar");
        QTest::newRow("context menu") << false;
        QTest::newRow("menu bar") << true;
    }
    void theMenuIsAboutTheLockThatItWasOpenedOn()
    {
        QFETCH(const bool, fromTheBar);
        open();
        m_console->take("a_1", "ann");
        for (int i = 0; i < 10; ++i)
            m_console->take("b_" + std::to_string(i), "bob");
        QTRY_COMPARE(m_console->keys().size(), 11);
        m_console->table->selectRow(0);
        QMenu* menu = nullptr;
        if (fromTheBar) {
            for (QAction* entry : m_console->window->menuBar()->actions()) {
                if (entry->text() == u"&Locks"_s)
                    menu = entry->menu();
            }
            QVERIFY(menu);
            menu->popup(QPoint(5, 5));
        } else {
            menu = openMenuOn(u"a_1"_s);
        }
        QVERIFY(menu);
        release("a_1", "ann");
        QTRY_COMPARE(m_console->keys().size(), 10);
        QTest::qWait(50);
        m_console->table->selectRow(3); // somebody's, whoever's
        QAction* const owners = actionOf(menu, u"Release All of This Owner"_s);
        QVERIFY(owners);
        owners->trigger();
        QTest::qWait(50);
        QVERIFY2(!asked().contains(u"bob"_s), qPrintable(asked()));
        QTRY_VERIFY(asked().contains(u"“ann”"_s));
        m_console->answer("confirmation", "cancelButton");
        for (int i = 0; i < 10; ++i)
            QCOMPARE(holderOf("b_" + std::to_string(i)), Owner("bob"));
    }

    void theMenuReleasesWhatWasSelectedWhenItOpened()
    {
        open();
        m_console->take("a", "ann");
        m_console->take("b", "bob");
        QTRY_COMPARE(m_console->keys().size(), 2);
        QMenu* const menu = openMenuOn(u"a"_s);
        QVERIFY(menu);
        m_console->table->selectRow(1);
        actionOf(menu, u"Release"_s)->trigger();
        QTRY_VERIFY(asked().contains(u"“a”"_s));
        QVERIFY2(!asked().contains(u"“b”"_s), qPrintable(asked()));
        menu->close();
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->lastOutcome(), u"Released 1 lock."_s);
        QCOMPARE(holderOf("a"), Owner());
        QCOMPARE(holderOf("b"), Owner("bob"));
        QTRY_COMPARE(m_console->keys(), QStringList({u"b"_s}));
        // And then the window's own actions are about what is selected again.
        m_console->table->selectRow(0);
        QTRY_VERIFY(m_console->find<QAction>("actionRelease")->isEnabled());
        m_console->trigger("actionRelease");
        QTRY_VERIFY(asked().contains(u"“b”"_s));
    }

    void aMenuOnTheGroundIsAboutNoLock()
    {
        open();
        m_console->take("a", "ann");
        QTRY_COMPARE(m_console->keys().size(), 1);
        m_console->table->setCurrentIndex(m_console->table->model()->index(0, 0));
        m_console->table->clearSelection();
        Q_EMIT m_console->table->customContextMenuRequested({20, 300});
        auto* menu = m_console->find<QMenu>("lockMenu");
        QVERIFY(menu);
        QVERIFY(!actionOf(menu, u"Release All of This Owner"_s)->isEnabled());
        QVERIFY(!actionOf(menu, u"Copy Owner"_s)->isEnabled());
    }

    void deleteIsAboutWhatHasTheFocus()
    {
        open();
        m_console->take("a", "ann");
        m_console->take("b", "bob");
        QTRY_COMPARE(m_console->keys().size(), 2);
        m_console->select({u"a"_s});
        moveToOwner(u"bob"_s);
        QTest::keyClick(m_console->find<QListView>("ownersList"), Qt::Key_Delete);
        QTRY_VERIFY(question());
        QVERIFY2(asked().contains(u"“bob”"_s) && !asked().contains(u"“a”"_s), qPrintable(asked()));
        m_console->answer("confirmation", "cancelButton");
        QTRY_VERIFY(!m_console->find<QMessageBox>("confirmation"));
        moveToOwner(u"All locks"_s);
        QTest::keyClick(m_console->find<QListView>("ownersList"), Qt::Key_Delete);
        for (const char* list : {"providersList", "activityTable"}) {
            auto* view = m_console->find<QAbstractItemView>(list);
            focus(view);
            QTest::keyClick(view, Qt::Key_Delete);
        }
        QTest::qWait(100);
        QVERIFY2(!question(), qPrintable(asked()));
        focus(m_console->table);
        m_console->select({u"a"_s});
        QTest::keyClick(m_console->table, Qt::Key_Delete);
        QTRY_VERIFY(asked().contains(u"“a”"_s));
    }

    //! The list of owners is put in another order while the keyboard is on one of them.
    void theKeyboardStaysOnItsOwner()
    {
        open();
        m_console->take("a", "ann");
        m_console->take("b_1", "bob");
        m_console->take("b_2", "bob");
        QTRY_COMPARE(m_console->keys().size(), 3);
        moveToOwner(u"ann"_s);
        for (int i = 2; i < 6; ++i)
            m_console->take("a_" + std::to_string(i), "ann");
        auto* list = m_console->find<QListView>("ownersList");
        QTRY_COMPARE(list->model()->index(1, 0).data().toString(), u"ann"_s);
        QTRY_COMPARE(list->currentIndex().data().toString(), u"ann"_s);
        QTest::keyClick(list, Qt::Key_Delete);
        QTRY_VERIFY(asked().contains(u"Release 5 locks of “ann”"_s));
    }

    void aLockWithoutOwnerThatIsTakenAnewIsLeftAlone_data()
    {
        QTest::addColumn<QByteArray>("action");
        QTest::newRow("release") << QByteArray("actionRelease");
        QTest::newRow("release all") << QByteArray("actionReleaseAll");
    }
    void aLockWithoutOwnerThatIsTakenAnewIsLeftAlone()
    {
        QFETCH(const QByteArray, action);
        open();
        m_console->take("k", {});
        m_console->take("other", {});
        QTRY_COMPARE(m_console->keys().size(), 2);
        m_console->select({u"k"_s, u"other"_s});
        m_console->trigger(action.constData());
        QTRY_VERIFY(question());
        release("k", {});
        m_console->take("k", {});
        QTest::qWait(150);
        m_console->answer("confirmation", "confirmButton");
        QTRY_VERIFY2(m_console->lastOutcome().startsWith(
                         u"Released 1 lock. 1 left alone: “k” was let go and taken anew"_s),
                     qPrintable(m_console->lastOutcome()));
        QCOMPARE(holderOf("k"), Owner("nobody by name"));
        QCOMPARE(holderOf("other"), Owner());
    }

    //! Where a server keeps nothing that tells one grant from another, the list may have seen it.
    void whatTheListHasSeenGoIsNotReleased()
    {
        ScriptedStore::Script script;
        script.locks << Lock("k", {}) << Lock("gone", {}) << Lock("same", {}) << Lock("there", {});
        openScript(script);
        m_console->table->selectAll();
        m_console->trigger("actionRelease");
        QTRY_VERIFY(question());
        ScriptedStore::say(ChangeBatch{LockChange(ChangeKind::Released, Lock("k", {})),
                                       LockChange(ChangeKind::Released, Lock("gone", {})),
                                       LockChange(ChangeKind::Extended, Lock("same", {}))});
        QTRY_COMPARE(m_console->keys().size(), 2);
        ScriptedStore::say(ChangeBatch{LockChange(ChangeKind::Acquired, Lock("k", {}))});
        QTRY_COMPARE(m_console->keys().size(), 3);
        m_console->answer("confirmation", "confirmButton");
        QTRY_VERIFY2(m_console->lastOutcome().startsWith(u"Released 1 lock."_s),
                     qPrintable(m_console->lastOutcome()));
        const auto calls = ScriptedStore::script().released;
        QCOMPARE(calls.size(), 1U);
        QCOMPARE(calls.front().first.size(), 1U);
        QCOMPARE(calls.front().first.front(), std::string("there"));
        QVERIFY2(m_console->lastOutcome().contains(u"1 was no longer held"_s)
                     && m_console->lastOutcome().contains(u"2 left alone"_s),
                 qPrintable(m_console->lastOutcome()));
    }

    void saysToTheServerWhatWasSeen()
    {
        ScriptedStore::Script script;
        script.locks << Lock("a", "ann", std::chrono::steady_clock::now() + 60s) << Lock("b", {});
        script.locks.front().token = 7;
        openScript(script);
        m_console->trigger("actionReleaseAll");
        QTRY_VERIFY(asked().contains(u"“a”"_s) && asked().contains(u"“b”"_s));
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->lastOutcome(), u"Released 2 locks."_s);
        const auto calls = ScriptedStore::script().released;
        QCOMPARE(calls.size(), 1U);
        const SeenLock* const seen = calls.front().second.expected("a");
        QVERIFY(seen && seen->owner == Owner("ann") && seen->token == 7U
                && seen->leaseEnd == script.locks.front().leaseEnd);
        QVERIFY(calls.front().second.expected("b"));
    }

    void aQuestionKeepsItsProvider_data()
    {
        QTest::addColumn<QByteArray>("action");
        QTest::addColumn<QByteArray>("dialog");
        QTest::newRow("release") << QByteArray("actionRelease") << QByteArray("confirmation");
        QTest::newRow("owner") << QByteArray("actionReleaseOwner") << QByteArray("confirmation");
        QTest::newRow("by owner") << QByteArray("actionReleaseByOwner")
                                  << QByteArray("ownerDialog");
        QTest::newRow("all") << QByteArray("actionReleaseAll") << QByteArray("confirmation");
    }
    void aQuestionKeepsItsProvider()
    {
        QFETCH(const QByteArray, action);
        QFETCH(const QByteArray, dialog);
        open(twoStores());
        take("k", "ann", "one");
        take("k", "ann", "two");
        QTRY_COMPARE(m_console->keys().size(), 1);
        m_console->table->selectRow(0);
        m_console->trigger(action.constData());
        QTRY_VERIFY(m_console->find<QDialog>(dialog.constData()));
        showProvider(1);
        QTRY_VERIFY(m_console->window->windowTitle().startsWith(u"two"_s));
        QTRY_COMPARE(m_console->keys().size(), 1);
        m_console->answer(dialog.constData(), "confirmButton");
        QTRY_COMPARE(m_console->lastOutcome(), u"Released 1 lock."_s);
        QCOMPARE(holderOf("k", "one"), Owner());
        QCOMPARE(holderOf("k", "two"), Owner("ann"));
    }

    void anAcquireKeepsItsProvider()
    {
        open(twoStores());
        m_console->trigger("actionAcquire");
        QTRY_VERIFY(m_console->find<QDialog>("acquireDialog"));
        QCOMPARE(m_console->find<QLabel>("acquireProvider")->text(), u"one"_s);
        showProvider(1);
        m_console->find<QPlainTextEdit>("acquireKeys")->setPlainText(u"k"_s);
        m_console->find<QPushButton>("acquireButton")->click();
        QTRY_VERIFY(m_console->lastOutcome().startsWith(u"Granted"_s));
        QVERIFY(holderOf("k", "one"));
        QVERIFY(!holderOf("k", "two"));
    }

    void whatCameAfterTheQuestionStays_data() { aQuestionKeepsItsProvider_data(); }
    void whatCameAfterTheQuestionStays()
    {
        QFETCH(const QByteArray, action);
        QFETCH(const QByteArray, dialog);
        open();
        m_console->take("k", "ann");
        QTRY_COMPARE(m_console->keys().size(), 1);
        m_console->table->selectRow(0);
        m_console->trigger(action.constData());
        QTRY_VERIFY(m_console->find<QDialog>(dialog.constData()));
        m_console->take("new", "ann");
        QTRY_COMPARE(m_console->keys().size(), 2);
        const auto* confirm = m_console->find<QDialog>(dialog.constData())
                                  ->findChild<QPushButton*>(u"confirmButton"_s);
        QVERIFY2(!confirm->text().contains(u'2'), qPrintable(confirm->text()));
        m_console->answer(dialog.constData(), "confirmButton");
        const QString outcome = action == "actionRelease"
            ? u"Released 1 lock."_s
            : u"Released 1 lock. 1 that came after the question is left."_s;
        QTRY_COMPARE(m_console->lastOutcome(), outcome);
        QCOMPARE(holderOf("new"), Owner("ann"));
    }

    //! The bytes 0xff, and the text \xff: they are shown alike.
    void ownersThatAreWrittenAlike()
    {
        open();
        m_console->take("a", "\xff");
        m_console->take("b", "\\xff");
        QTRY_COMPARE(m_console->keys().size(), 2);
        for (int row = 0; row < 2; ++row) {
            m_console->table->setCurrentIndex(m_console->table->model()->index(row, 0));
            QTRY_VERIFY(m_console->find<QAction>("actionReleaseByOwner")->isEnabled());
            m_console->trigger("actionReleaseByOwner");
            QTRY_VERIFY(m_console->find<QDialog>("ownerDialog"));
            const QString said = m_console->find<QLabel>("ownerConsequence")->text();
            QVERIFY2(said.contains(row == 0 ? u"“a”"_s : u"“b”"_s), qPrintable(said));
            m_console->find<QDialog>("ownerDialog")->reject();
            QTRY_VERIFY(!m_console->find<QDialog>("ownerDialog"));
        }
    }

    void aListThatIsStillLoadingHasNoAll()
    {
        ScriptedStore::Script script;
        script.locks << Lock("a", "ann") << Lock("b", "bob");
        script.completes = false;
        openScript(script);
        QTRY_COMPARE(m_console->find<QLabel>("countsLabel")->text(), u"2 locks so far"_s);
        for (const char* action : {"actionReleaseAll", "actionReleaseOwner"}) {
            m_console->table->setCurrentIndex(m_console->table->model()->index(0, 0));
            m_console->trigger(action);
            QTRY_VERIFY(question());
            QVERIFY2(asked().contains(u"so far"_s) && asked().contains(u"still loading"_s),
                     qPrintable(asked()));
            QVERIFY2(!question()->text().contains(u"Release all"_s), qPrintable(asked()));
            m_console->answer("confirmation", "cancelButton");
            QTRY_VERIFY(!m_console->find<QMessageBox>("confirmation"));
        }
        ScriptedStore::complete();
        QTRY_VERIFY(!m_console->find<QLabel>("countsLabel")->text().contains(u"so far"_s));
        m_console->trigger("actionReleaseAll");
        QTRY_VERIFY(asked().contains(u"Release all 2 locks of “shop”?"_s));
    }

    void countsWhatFailed()
    {
        ScriptedStore::Script script;
        for (int i = 0; i < 5002; ++i)
            script.locks << Lock("k_" + std::to_string(i), "ann");
        script.problem = "The server went away.";
        openScript(script);
        m_console->trigger("actionReleaseAll");
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(m_console->lastOutcome(),
                     u"Released 0 locks. 5,000 not released: The server went away. "
                     "The other 2 were not tried."_s);
        QCOMPARE(ScriptedStore::script().released.size(), 1U);
    }

    void whatIsNotRecordedIsNotDone()
    {
        ScriptedStore::Script script;
        script.locks << Lock("k", "ann");
        openScript(script);
        m_console->select({u"k"_s});
        m_console->trigger("actionRelease");
        QTRY_VERIFY(question());
        {
            const FullDisk full;
            m_console->answer("confirmation", "confirmButton");
            QTRY_VERIFY(m_console->lastOutcome().startsWith(u"Released 0 locks. 1 not released"_s));
        }
        QVERIFY(ScriptedStore::script().released.empty());
    }

    void saysThatWhatCameOfItIsNotRecorded()
    {
        std::unique_ptr<FullDisk> full;
        ScriptedStore::Script script;
        script.locks << Lock("k", "ann");
        script.onRelease = [&full] { full = std::make_unique<FullDisk>(); };
        openScript(script);
        m_console->select({u"k"_s});
        m_console->trigger("actionRelease");
        m_console->answer("confirmation", "confirmButton");
        const auto* banner = m_console->find<QLabel>("bannerText");
        QTRY_VERIFY(banner->text().startsWith(u"The audit log is not complete: "_s));
        QVERIFY(banner->isVisible());
        full.reset();
        QCOMPARE(ScriptedStore::script().released.size(), 1U);
        QTRY_COMPARE(m_console->activity->index(1, ActivityLog::Result).data().toString(),
                     u"Released 1 lock."_s);
        QVERIFY(m_console->lastOutcome() != u"Released 1 lock."_s);
        ScriptedStore::say(SourceState(SourceState::Stale)); // which has a sentence of its own
        QTRY_VERIFY(banner->text().contains(u"out of date"_s));
        QVERIFY(banner->text().contains(u"The audit log is not complete"_s));
        ScriptedStore::begin({});
    }

    void ownersOffersNothingInReadOnlyMode()
    {
        m_console = std::make_unique<Console>(true);
        m_console->open();
        auto* list = m_console->find<QListView>("ownersList");
        QVERIFY(!list->actions().isEmpty());
        for (const QAction* action : list->actions())
            QVERIFY2(!action->isEnabled(), qPrintable(action->text()));
    }
};

QTEST_MAIN(TestOffers)
#include "test_offers.moc"
