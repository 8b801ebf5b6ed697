// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <QAction>

class QMenu;
class QMenuBar;
class QToolBar;

namespace lockboard {

//! Everything one can do in the window, by name. They are found by their object names too.
class Actions final : public QObject {
    Q_OBJECT

public:
    explicit Actions(QWidget* window, bool readOnly);

    void fill(QMenuBar* bar);
    void fill(QToolBar* bar);
    void fillContextMenu(QMenu* menu);
    //! What is there to be done something with.
    class Subject final {
    public:
        std::size_t selected = 0; //!< locks
        bool canRelease = false; //!< one of those, at least
        std::optional<Lock> current;
        Owner owner; //!< that "this owner" means
        std::size_t releasable = 0; //!< of all locks
    };
    //! What can be done depends on what is selected, and on whose the current lock is.
    void update(const Subject& subject);

    QAction* acquire;
    QAction* release;
    QAction* releaseOwner;
    QAction* releaseByOwner;
    QAction* releaseAll;
    QAction* endSession;
    QAction* refresh;
    QAction* copyKey;
    QAction* copyOwner;
    QAction* find;
    QAction* quit;
    QAction* about;

private:
    QAction* add(const QString& name, const QString& text, const QString& hint,
                 const QKeySequence& shortcut = {});

    static void setHint(QAction* action, const QString& hint);

    QWidget* m_window;
    bool m_readOnly;
};

} // namespace lockboard
