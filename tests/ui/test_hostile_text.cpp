// SPDX-License-Identifier: MIT
#include "tests/support/console.h"
#include "tests/ui/scripted_store.h"
#include "ui/locks/formatting.h"
#include "ui/owners/owners_model.h"

#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStatusBar>
#include <QTableView>
#include <QTextDocument>
#include <QToolTip>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

//! Whatever others wrote is shown as what it is, in every widget, dialog, tip, title and copy.
class TestHostileText final : public QObject {
    Q_OBJECT

    std::unique_ptr<Console> m_console;
    QStringList m_problems;

    //! What somebody may call a key, an owner or a host.
    static std::vector<std::string> names()
    {
        return {"<b>nobody</b> since 3 h; safe to release",
                "<img src='file:///etc/hostname'>",
                "<p>a</p><br>&lt;b&gt; &amp; <a href='file:///etc/passwd'>here</a>",
                "&Quit &&Both &",
                "%1 %2 %3 %n %s %%",
                "[*] and [*][*]",
                "right\u202eot\u2066left\u200b\u2028end",
                "line\nfeed\ttab\rback\b",
                "\x1b[31mred\x1b]0;title\x07\x9b"
                "0m",
                "\xc2\x9b"
                "31m c1",
                "=cmd|' /C calc'!A0",
                "+1+1",
                "-1+1",
                "@SUM(A1)",
                "\xef\xbc\x9d"
                "1+1",
                "**bold** `code` [link](file:///etc/passwd)"};
    }
    //! Characters that would turn the text around, hide in it, or be obeyed.
    static bool isDevious(QChar c)
    {
        return c.category() == QChar::Other_Control || c.category() == QChar::Other_Format
            || c.category() == QChar::Separator_Line || c.category() == QChar::Separator_Paragraph;
    }
    void judge(bool good, const QString& where, const QString& text)
    {
        if (!good)
            m_problems << where + u": "_s + text.left(160);
    }
    void judgePlain(const QString& text, const QString& where, bool isOneLine = true)
    {
        const bool devious = std::any_of(text.begin(), text.end(), [&](QChar c) {
            // A direction of its own, opened and closed around a name, keeps it to itself.
            const bool isolates = c == QChar(0x2068) || c == QChar(0x2069);
            return isDevious(c) && !isolates && (isOneLine || c != u'\n');
        });
        judge(!devious, where, text);
    }
    //! What a tip comes to be read as must be what was written.
    void judgeTip(const QString& tip, const QString& where)
    {
        QString read = tip;
        if (Qt::mightBeRichText(tip)) {
            QTextDocument document;
            document.setHtml(tip);
            read = document.toPlainText();
            for (const auto& format : document.allFormats())
                judge(!format.isImageFormat() && !format.hasProperty(QTextFormat::IsAnchor)
                          && format.property(QTextFormat::FontWeight).toInt() != QFont::Bold,
                      where + u" is formatted"_s, tip);
        }
        judgePlain(read, where, false);
        judge(read.contains(u"<b>nobody</b> since"_s) || !read.contains(u"nobody since"_s),
              where + u" lost its markup"_s, tip);
    }
    void judgeWidget(QWidget* widget)
    {
        const QString where =
            QLatin1String(widget->metaObject()->className()) + u' ' + widget->objectName();
        if (auto* label = qobject_cast<QLabel*>(widget)) {
            judge(label->text().isEmpty() || label->textFormat() == Qt::PlainText,
                  where + u" is not plain"_s, label->text());
            judgePlain(label->text(), where, false);
        }
        if (auto* button = qobject_cast<QAbstractButton*>(widget))
            judgePlain(button->text(), where);
        if (auto* line = qobject_cast<QLineEdit*>(widget))
            judgePlain(line->text(), where);
        judgeTip(widget->toolTip(), where + u" tool tip"_s);
        judgeTip(widget->whatsThis(), where + u" what's this"_s);
        judgePlain(widget->statusTip(), where + u" status tip"_s);
        judgePlain(widget->windowTitle(), where + u" title"_s);
        judgePlain(widget->accessibleName(), where + u" accessible name"_s);
        judgePlain(widget->accessibleDescription(), where + u" accessible description"_s, false);
        for (const QAction* action : widget->actions()) {
            judgePlain(action->text(), where + u" action"_s);
            judgeTip(action->toolTip(), where + u" action's tip"_s);
            judgePlain(action->statusTip(), where + u" action's status tip"_s);
        }
        if (auto* view = qobject_cast<QAbstractItemView*>(widget); view && view->model())
            judgeModel(*view->model(), where);
    }
    void judgeModel(const QAbstractItemModel& model, const QString& where)
    {
        for (int column = 0; column < model.columnCount(); ++column) {
            judgeTip(model.headerData(column, Qt::Horizontal, Qt::ToolTipRole).toString(), where);
            for (int row = 0; row < model.rowCount(); ++row) {
                const QModelIndex index = model.index(row, column);
                for (const int role : {Qt::DisplayRole, Qt::StatusTipRole, Qt::AccessibleTextRole,
                                       Qt::AccessibleDescriptionRole})
                    judgePlain(index.data(role).toString(), where);
                for (const int role : {Qt::ToolTipRole, Qt::WhatsThisRole})
                    judgeTip(index.data(role).toString(), where + u" cell's tip"_s);
            }
        }
    }
    //! All that there is on the screen now.
    QString judgeAll()
    {
        m_problems.clear();
        for (QWidget* widget : QApplication::allWidgets())
            judgeWidget(widget);
        m_problems.removeDuplicates();
        return m_problems.join(u'\n');
    }
    void judgeCopy(const QString& where)
    {
        const QString copy = QGuiApplication::clipboard()->text();
        m_problems.clear();
        judge(!copy.isEmpty(), where + u" copied nothing"_s, copy);
        for (const QString& line : copy.split(u'\n')) {
            for (const QString& cell : line.split(u'\t')) {
                judge(cell.isEmpty() || !u"=+-@\uff1d\uff0b\uff0d\uff20"_s.contains(cell.front()),
                      where + u" copied a formula"_s, cell);
                judgePlain(cell, where);
            }
        }
        const QMimeData* mime = QGuiApplication::clipboard()->mimeData();
        judge(!mime->hasHtml(), where + u" copied HTML"_s, copy);
        QVERIFY2(m_problems.isEmpty(), qPrintable(m_problems.join(u'\n')));
    }
    [[nodiscard]] QMessageBox* question() const
    {
        auto* asks = m_console->find<QMessageBox>("confirmation");
        return asks && asks->isVisible() ? asks : nullptr;
    }

    static LockBatch hostileLocks()
    {
        LockBatch locks;
        for (const std::string& name : names()) {
            locks << Lock("key " + name, name);
            locks.back().note.edit().host = name;
            locks.back().note.edit().program = name;
            locks.back().note.edit().acquiredAt = name;
            locks.back().note.edit().requestId = name;
            locks << Lock(name, "of " + name, std::nullopt, LockState::Residue);
            locks << Lock("type " + name, {}, std::nullopt, LockState::WrongType);
            locks.back().detail = name;
            locks << Lock("session " + name, {}, std::nullopt, LockState::Advisory);
            HolderNote::Fields& fields = locks.back().note.edit();
            fields.pid = locks.size();
            fields.host = fields.program = fields.user = fields.activity = name;
        }
        return locks;
    }
    void open(const ScriptedStore::Script& script, const std::string& jsonId = "shop")
    {
        ScriptedStore::begin(script);
        m_console = std::make_unique<Console>(false, ScriptedStore::config(jsonId));
        m_console->open();
    }
    void openHostile()
    {
        ScriptedStore::Script script;
        script.locks = hostileLocks();
        open(script);
        QTRY_COMPARE(m_console->keys().size(), script.locks.size());
    }

private Q_SLOTS:
    void cleanup() { m_console.reset(); }

    void theListAndTheOwners()
    {
        openHostile();
        auto* owners = m_console->find<QListView>("ownersList");
        QTRY_VERIFY(owners->model()->rowCount() > int(names().size()));
        QCOMPARE(judgeAll(), QString());
    }

    //! As Qt shows it, and not only as the model gives it.
    void theTipsAsTheyAreShown()
    {
        openHostile();
        auto* owners = m_console->find<QListView>("ownersList");
        QTRY_VERIFY(owners->model()->rowCount() > int(names().size()));
        for (const QAbstractItemModel* model : {m_console->table->model(), owners->model()}) {
            for (int row = 0; row < model->rowCount(); ++row) {
                QToolTip::showText({10, 10}, model->index(row, 0).data(Qt::ToolTipRole).toString(),
                                   m_console->window.get());
                QCOMPARE(judgeShownTip(), QString());
            }
        }
        QToolTip::hideText();
    }
    QString judgeShownTip()
    {
        m_problems.clear();
        judgeTip(QToolTip::text(), u"the tip that is shown"_s);
        return m_problems.join(u'\n');
    }

    void everyQuestionToRelease()
    {
        openHostile();
        const QAbstractItemModel* model = m_console->table->model();
        for (int row = 0; row < model->rowCount(); ++row) {
            m_console->table->selectRow(row);
            const QString key = model->index(row, 0).data().toString();
            const QString owner = model->index(row, 1).data().toString();
            for (const auto& name :
                 {u"actionRelease"_s, u"actionReleaseOwner"_s, u"actionEndSession"_s}) {
                auto* action = m_console->window->findChild<QAction*>(name);
                if (!action->isEnabled())
                    continue;
                action->trigger();
                QTRY_VERIFY(question());
                QCOMPARE(judgeAll(), QString());
                const QString said = question()->text() + question()->informativeText();
                QVERIFY2(said.contains(name == u"actionReleaseOwner"_s ? owner : key),
                         qPrintable(said));
                m_console->answer("confirmation", "cancelButton");
                QTRY_VERIFY(!m_console->find<QMessageBox>("confirmation"));
            }
        }
        m_console->table->selectAll();
        m_console->trigger("actionRelease");
        QTRY_VERIFY(question());
        QCOMPARE(judgeAll(), QString());
    }

    void theOtherDialogs()
    {
        openHostile();
        m_console->trigger("actionReleaseByOwner");
        QTRY_VERIFY(m_console->find<QDialog>("ownerDialog"));
        auto* choice = m_console->find<QComboBox>("ownerChoice");
        for (int i = 0; i < choice->count(); ++i) {
            choice->setCurrentIndex(i);
            QCOMPARE(judgeAll(), QString());
        }
        m_console->find<QDialog>("ownerDialog")->reject();
        m_console->trigger("actionReleaseAll");
        QTRY_VERIFY(question());
        QCOMPARE(judgeAll(), QString());
        m_console->answer("confirmation", "cancelButton");
        m_console->trigger("actionAcquire");
        QTRY_VERIFY(m_console->find<QDialog>("acquireDialog"));
        QCOMPARE(judgeAll(), QString());
        m_console->find<QDialog>("acquireDialog")->reject();
        m_console->trigger("actionAbout");
        QTRY_VERIFY(m_console->find<QMessageBox>("about"));
        QCOMPARE(judgeAll(), QString());
    }

    void theMenus()
    {
        openHostile();
        for (int row = 0; row < 8; ++row) {
            const QPoint at =
                m_console->table->visualRect(m_console->table->model()->index(row, 0)).center();
            Q_EMIT m_console->table->customContextMenuRequested(at);
            QTRY_VERIFY(m_console->find<QMenu>("lockMenu"));
            QCOMPARE(judgeAll(), QString());
            m_console->find<QMenu>("lockMenu")->close();
            QTRY_VERIFY(!m_console->find<QMenu>("lockMenu"));
        }
    }

    void whatAServerSays_data()
    {
        QTest::addColumn<QByteArray>("words");
        int number = 0;
        for (const std::string& name : names())
            QTest::addRow("%d", ++number) << QByteArray::fromStdString(name);
    }
    //! In the state, its mode and warnings, errors, findings and what became of a command.
    void whatAServerSays()
    {
        QFETCH(const QByteArray, words);
        const QString said = QString::fromUtf8(words);
        const QString shown = printableText(said.toStdString());
        ScriptedStore::Script script;
        script.locks << Lock("a", "ann");
        script.problem = words.toStdString();
        script.report.findings.emplace_back(Finding::Problem, words.toStdString());
        open(script);
        QTRY_COMPARE(m_console->keys().size(), 1);
        for (const auto kind : {SourceState::Live, SourceState::Stale, SourceState::Connecting,
                                SourceState::Failed}) {
            SourceState state(kind, said);
            state.mode = said;
            state.warnings = QStringList{said, said};
            ScriptedStore::say(state);
            QTRY_VERIFY(m_console->find<QLabel>("bannerText")->text().contains(shown));
            QVERIFY(m_console->find<QWidget>("banner")->isVisible());
            QCOMPARE(judgeAll(), QString());
        }
        ScriptedStore::say(SourceState(SourceState::Live));
        m_console->select({u"a"_s});
        m_console->trigger("actionRelease");
        m_console->answer("confirmation", "confirmButton");
        QTRY_VERIFY(m_console->lastOutcome().contains(printableText(words.toStdString())));
        QCOMPARE(judgeAll(), QString());
        m_console->trigger("actionAcquire");
        QTRY_VERIFY(m_console->find<QDialog>("acquireDialog"));
        m_console->find<QPlainTextEdit>("acquireKeys")->setPlainText(u"b"_s);
        m_console->find<QPushButton>("acquireButton")->click();
        QTRY_VERIFY(m_console->find<QLabel>("acquireProblem")->isVisible());
        QCOMPARE(judgeAll(), QString());
    }

    //! A config is written by somebody too.
    void theIdOfAProvider()
    {
        ScriptedStore::Script script;
        script.locks << Lock("a", "ann");
        open(script, R"(<b>x</b> [*] &y %1 \u202e\u001b[31m <img src='/etc/hostname'>)");
        QTRY_COMPARE(m_console->keys().size(), 1);
        QCOMPARE(judgeAll(), QString());
        // Qt takes [*] for the mark of a document that has changed, unless it is there twice.
        QVERIFY2(m_console->window->windowTitle().contains(u"<b>x</b> [*][*] &y %1 \\x"_s),
                 qPrintable(m_console->window->windowTitle()));
        for (const char* name : {"actionReleaseAll", "actionReleaseByOwner", "actionAcquire"}) {
            m_console->trigger(name);
            QTest::qWait(50);
            QCOMPARE(judgeAll(), QString());
            for (auto* dialog : m_console->window->findChildren<QDialog*>())
                dialog->reject();
        }
    }

    void nothingCopiedIsAFormula()
    {
        openHostile();
        m_console->table->selectAll();
        m_console->trigger("actionCopyKey");
        judgeCopy(u"the keys"_s);
        for (int row = 0; row < m_console->table->model()->rowCount(); ++row) {
            m_console->table->selectRow(row);
            if (!m_console->find<QAction>("actionCopyOwner")->isEnabled())
                continue;
            m_console->trigger("actionCopyOwner");
            judgeCopy(u"an owner"_s);
        }
        // By the keyboard, whatever list has the focus.
        auto* owners = m_console->find<QListView>("ownersList");
        QTRY_VERIFY(owners->model()->rowCount() > int(names().size()));
        for (int row = 0; row < owners->model()->rowCount(); ++row) {
            QGuiApplication::clipboard()->clear();
            owners->setFocus();
            owners->setCurrentIndex(owners->model()->index(row, 0));
            QTest::keyClick(owners, Qt::Key_C, Qt::ControlModifier);
            judgeCopy(u"the list of owners"_s);
        }
    }

    void nothingCopiedFromTheActivityIsAFormula()
    {
        ScriptedStore::Script script;
        script.locks << Lock("=1+1", "ann");
        script.problem = "@SUM(A1) is what the server said";
        open(script);
        QTRY_COMPARE(m_console->keys().size(), 1);
        m_console->select({u"=1+1"_s});
        m_console->trigger("actionRelease");
        m_console->answer("confirmation", "confirmButton");
        QTRY_VERIFY(m_console->lastOutcome().contains(u"@SUM"_s));
        auto* activity = m_console->find<QTableView>("activityTable");
        for (int column = 0; column < activity->model()->columnCount(); ++column) {
            QGuiApplication::clipboard()->clear();
            activity->setFocus();
            activity->setCurrentIndex(activity->model()->index(0, column));
            QTest::keyClick(activity, Qt::Key_C, Qt::ControlModifier);
            judgeCopy(u"the activity"_s);
        }
    }

    //! Choosing an owner shows that owner's locks, however it is written.
    void anOwnerIsNoFilterLanguage()
    {
        ScriptedStore::Script script;
        const std::vector<std::string> owners = {"a\"b",  "\"",        "-x",         "=x",
                                                 "key:a", "a \"b\" c", "state:held", "  two  "};
        for (const std::string& owner : owners)
            script.locks << Lock("of " + owner, owner);
        open(script);
        QTRY_COMPARE(m_console->keys().size(), qsizetype(owners.size()));
        auto* list = m_console->find<QListView>("ownersList");
        QTRY_COMPARE(list->model()->rowCount(), int(owners.size()) + 1);
        for (int row = 1; row < list->model()->rowCount(); ++row) {
            const QModelIndex index = list->model()->index(row, 0);
            const QString name = index.data().toString();
            QTest::mouseClick(list->viewport(), Qt::LeftButton, {},
                              list->visualRect(index).center());
            QTRY_COMPARE(m_console->keys(), QStringList{u"of "_s + name});
        }
    }
};

QTEST_MAIN(TestHostileText)
#include "test_hostile_text.moc"
