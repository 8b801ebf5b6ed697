// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/seen_locks.h"

#include <QObject>

class QWidget;

namespace lockboard {

class Commands;
class LockTableModel;
class OwnersModel;
class SeenSession;

//! From an action to a command: asks what needs to be asked, then gives the order. What a question
//! is about is fixed when it is asked: the provider, and the locks as they were seen then.
class Operations final : public QObject {
    Q_OBJECT

public:
    Operations(Commands& commands, const LockTableModel& locks, const OwnersModel& owners,
               QWidget* window);

    void acquire(const std::string& provider);
    void release(const SeenLocks& locks);
    void releaseByOwner(const std::string& provider, const Owner& first);
    void releaseOwner(const std::string& provider, const std::string& owner);
    void releaseAll(const std::string& provider);
    //! Of the session that holds this advisory lock or waits for it.
    void endSession(const std::string& provider, const Lock& lock);

private:
    void ask(const QString& question, const QStringList& lines, const QString& verb,
             const QString& subject, const SeenLocks& locks);
    void askWhetherItsJobMayRunOn(const std::string& provider, const SeenSession& session);

    Commands& m_commands;
    const LockTableModel& m_locks;
    const OwnersModel& m_owners;
    QWidget* m_window;
};

} // namespace lockboard
