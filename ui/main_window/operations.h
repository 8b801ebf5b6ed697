// SPDX-License-Identifier: MIT
#pragma once

#include "engine/lock.h"

#include <QObject>

class QWidget;

namespace lockboard {

class Commands;
class LockTableModel;
class OwnersModel;

//! From an action to a command: asks what needs to be asked, then gives the order.
class Operations final : public QObject {
    Q_OBJECT

public:
    Operations(Commands& commands, const LockTableModel& locks, const OwnersModel& owners,
               QWidget* window);

    void acquire();
    void release(std::vector<Lock> locks);
    void releaseByOwner(const Owner& first);
    void releaseOwner(const std::string& owner);
    void releaseAll(const QString& provider);
    //! Of the session that holds this advisory lock or waits for it.
    void endSession(const Lock& lock);

private:
    Commands& m_commands;
    const LockTableModel& m_locks;
    const OwnersModel& m_owners;
    QWidget* m_window;
};

} // namespace lockboard
