// SPDX-License-Identifier: MIT
#include "tests/support/console.h"

#include "tests/support/await.h"

#include <QAbstractButton>
#include <QDialog>
#include <QSettings>
#include <QStandardPaths>
#include <QTest>

namespace lockboard::test {

Console::Console(bool readOnly, const Config& config)
{
    QStandardPaths::setTestModeEnabled(true);
    QCoreApplication::setOrganizationName(QStringLiteral("Lockboard"));
    QCoreApplication::setApplicationName(QStringLiteral("tests"));
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, folder.path());
    LockingModule::Settings settings;
    settings.readOnly = readOnly;
    settings.audit =
        std::make_shared<AuditLog>(folder.filePath(QStringLiteral("audit.jsonl")), "tester@here");
    engine = std::make_unique<EngineThread>(config, settings);
    module = &engine->open();
}

void Console::open()
{
    window = std::make_unique<MainWindow>(*module, std::string(), MainWindow::Memory::Keep);
    window->show();
    QVERIFY(QTest::qWaitForWindowExposed(window.get()));
    table = window->findChild<LockTableView*>(QStringLiteral("lockTable"));
    activity = window->findChild<ActivityLog*>();
    QVERIFY(table && activity);
}

void Console::take(const std::string& key, const Owner& owner, std::optional<Duration> lease)
{
    AcquireOptions options;
    options.ownedBy(owner).expiringIn(lease);
    await(module->acquire(LockKeys(key), options));
}

QStringList Console::keys() const
{
    QStringList keys;
    for (int row = 0; row < table->model()->rowCount(); ++row)
        keys << table->model()->index(row, 0).data().toString();
    return keys;
}

QString Console::lastOutcome() const
{
    if (activity->rowCount() == 0)
        return {};
    return activity->index(0, ActivityLog::Result).data().toString();
}

void Console::trigger(const char* action) const
{
    auto* found = find<QAction>(action);
    QVERIFY(found);
    QVERIFY2(found->isEnabled(), action);
    found->trigger();
}

void Console::answer(const char* dialog, const char* button) const
{
    QTRY_VERIFY(find<QDialog>(dialog) && find<QDialog>(dialog)->isVisible());
    auto* found = find<QDialog>(dialog)->findChild<QAbstractButton*>(QLatin1String(button));
    QVERIFY(found);
    QTest::mouseClick(found, Qt::LeftButton);
    QTRY_VERIFY(!find<QDialog>(dialog) || !find<QDialog>(dialog)->isVisible());
}

void Console::select(const QStringList& wanted) const
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

} // namespace lockboard::test
