// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/await.h"
#include "ui/activity/activity_log.h"
#include "ui/locks/lock_table_view.h"
#include "ui/main_window/main_window.h"
#include "ui/session/engine_thread.h"

#include <QAbstractButton>
#include <QDialog>
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

namespace lockboard::test {

//! The real window over the real engine in its own thread; nothing touches the home directory.
class Console final {
public:
    explicit Console(bool readOnly = false, const Config& config = {})
    {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName(QStringLiteral("Lockboard"));
        QCoreApplication::setApplicationName(QStringLiteral("tests"));
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, folder.path());
        LockingModule::Settings settings;
        settings.readOnly = readOnly;
        settings.audit = std::make_shared<AuditLog>(folder.filePath(QStringLiteral("audit.jsonl")),
                                                    "tester@here");
        engine = std::make_unique<EngineThread>(config, settings);
        module = &engine->open();
    }

    void open()
    {
        window = std::make_unique<MainWindow>(*module, std::string(), MainWindow::Memory::Keep);
        window->show();
        QVERIFY(QTest::qWaitForWindowExposed(window.get()));
        table = window->findChild<LockTableView*>(QStringLiteral("lockTable"));
        activity = window->findChild<ActivityLog*>();
        QVERIFY(table && activity);
    }

    void take(const std::string& key, const Owner& owner, std::optional<Duration> lease = {})
    {
        AcquireOptions options;
        options.ownedBy(owner).expiringIn(lease);
        await(module->acquire(LockKeys(key), options));
    }

    [[nodiscard]] QStringList keys() const
    {
        QStringList keys;
        for (int row = 0; row < table->model()->rowCount(); ++row)
            keys << table->model()->index(row, 0).data().toString();
        return keys;
    }
    [[nodiscard]] QString lastOutcome() const
    {
        return activity->rowCount() == 0
            ? QString()
            : activity->index(0, ActivityLog::Result).data().toString();
    }
    template <typename T> [[nodiscard]] T* find(const char* name) const
    {
        return window->findChild<T*>(QLatin1String(name));
    }
    void trigger(const char* action) const
    {
        auto* found = find<QAction>(action);
        QVERIFY(found);
        QVERIFY2(found->isEnabled(), action);
        found->trigger();
    }
    //! Presses a button of a dialog once it is there.
    void answer(const char* dialog, const char* button) const
    {
        QTRY_VERIFY(find<QDialog>(dialog) && find<QDialog>(dialog)->isVisible());
        auto* found = find<QDialog>(dialog)->findChild<QAbstractButton*>(QLatin1String(button));
        QVERIFY(found);
        QTest::mouseClick(found, Qt::LeftButton);
        QTRY_VERIFY(!find<QDialog>(dialog) || !find<QDialog>(dialog)->isVisible());
    }
    void select(const QStringList& wanted) const
    {
        table->clearSelection();
        for (int row = 0; row < table->model()->rowCount(); ++row) {
            if (wanted.contains(table->model()->index(row, 0).data().toString())) {
                table->selectionModel()->select(table->model()->index(row, 0),
                                                QItemSelectionModel::Select
                                                    | QItemSelectionModel::Rows);
            }
        }
    }

    QTemporaryDir folder;
    std::unique_ptr<EngineThread> engine;
    LockingModule* module = nullptr;
    std::unique_ptr<MainWindow> window; // goes before the engine
    LockTableView* table = nullptr;
    ActivityLog* activity = nullptr;
};

} // namespace lockboard::test
