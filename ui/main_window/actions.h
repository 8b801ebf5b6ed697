// SPDX-License-Identifier: MIT
#pragma once

#include "engine/lock.h"

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
    //! What can be done depends on what is selected, and on whose the current lock is.
    void update(std::size_t selected, const std::optional<Lock>& current, std::size_t total);

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

    QWidget* m_window;
    bool m_readOnly;
};

} // namespace lockboard
