// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/await.h"
#include "ui/activity/activity_log.h"
#include "ui/locks/lock_table_view.h"
#include "ui/main_window/main_window.h"
#include "ui/session/engine_thread.h"

#include <QAbstractButton>
#include <QDialog>
#include <QTemporaryDir>
#include <QTest>

namespace lockboard::test {

//! The real window over the real engine in its own thread; nothing touches the home directory.
class Console final {
public:
    explicit Console(bool readOnly = false, const Config& config = {});

    void open();
    void take(const std::string& key, const Owner& owner, std::optional<Duration> lease = {});
    [[nodiscard]] QStringList keys() const;
    [[nodiscard]] QString lastOutcome() const;
    template <typename T> [[nodiscard]] T* find(const char* name) const
    {
        return window->findChild<T*>(QLatin1String(name));
    }
    void trigger(const char* action) const;
    //! Presses a button of a dialog once it is there.
    void answer(const char* dialog, const char* button) const;
    void select(const QStringList& wanted) const;

    QTemporaryDir folder;
    std::unique_ptr<EngineThread> engine;
    LockingModule* module = nullptr;
    std::unique_ptr<MainWindow> window; // goes before the engine
    LockTableView* table = nullptr;
    ActivityLog* activity = nullptr;
};

} // namespace lockboard::test
