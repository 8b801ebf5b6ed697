// SPDX-License-Identifier: MIT
#include "ui/main_window/actions.h"

#include "ui/theme/icons.h"

#include <QMenu>
#include <QMenuBar>
#include <QToolBar>

namespace lockboard {

using namespace Qt::StringLiterals;

Actions::Actions(QWidget* window, bool readOnly)
    : QObject(window)
    , m_window(window)
    , m_readOnly(readOnly)
{
    acquire = add(u"actionAcquire"_s, tr("&Acquire…"), tr("Take locks"), QKeySequence::New);
    release = add(u"actionRelease"_s, tr("&Release"), tr("Release the selected locks"),
                  QKeySequence::Delete);
    releaseOwner = add(u"actionReleaseOwner"_s, tr("Release All of This &Owner…"),
                       tr("Release every lock of the current lock's owner"));
    releaseByOwner =
        add(u"actionReleaseByOwner"_s, tr("Release by O&wner…"),
            tr("Release every lock of one owner"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O));
    releaseAll =
        add(u"actionReleaseAll"_s, tr("Release A&ll…"), tr("Release every lock of this provider"),
            QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Delete));
    endSession = add(u"actionEndSession"_s, tr("End &Session…"),
                     tr("End the database session that holds this advisory lock or waits for it"));
    refresh =
        add(u"actionRefresh"_s, tr("Re&fresh"), tr("List the locks anew"), QKeySequence::Refresh);
    copyKey = add(u"actionCopyKey"_s, tr("&Copy Key"), tr("Copy the keys of the selected locks"),
                  QKeySequence::Copy);
    copyOwner = add(u"actionCopyOwner"_s, tr("Copy &Owner"), tr("Copy the current lock's owner"),
                    QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C));
    find = add(u"actionFind"_s, tr("&Filter"), tr("Go to the filter field"), QKeySequence::Find);
    quit = add(u"actionQuit"_s, tr("&Quit"), tr("Close the window"),
               QKeySequence(Qt::CTRL | Qt::Key_Q));
    about = add(u"actionAbout"_s, tr("&About Lockboard"), tr("What this program is"));

    acquire->setIcon(icon(Glyph::Acquire));
    release->setIcon(icon(Glyph::Release));
    releaseByOwner->setIcon(icon(Glyph::ReleaseOwner));
    releaseAll->setIcon(icon(Glyph::ReleaseAll));
    refresh->setIcon(icon(Glyph::Refresh));
    // In the table only: elsewhere the same keys mean what has the focus there.
    release->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    copyKey->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    if (m_readOnly) {
        for (QAction* action :
             {acquire, release, releaseOwner, releaseByOwner, releaseAll, endSession}) {
            const QString hint =
                tr("Not in read-only mode: Lockboard was started with --read-only");
            setHint(action, hint);
        }
    }
    for (QAction* action : m_window->findChildren<QAction*>(Qt::FindDirectChildrenOnly)) {
        if (action->shortcutContext() == Qt::WindowShortcut)
            m_window->addAction(action);
    }
    update({});
}

QAction* Actions::add(const QString& name, const QString& text, const QString& hint,
                      const QKeySequence& shortcut)
{
    auto* action = new QAction(text, m_window);
    action->setObjectName(name);
    action->setShortcut(shortcut);
    setHint(action, hint);
    return action;
}

void Actions::setHint(QAction* action, const QString& hint)
{
    const QKeySequence shortcut = action->shortcut();
    action->setToolTip(shortcut.isEmpty()
                           ? hint
                           : u"%1 (%2)"_s.arg(hint, shortcut.toString(QKeySequence::NativeText)));
    action->setStatusTip(hint);
}

void Actions::fill(QMenuBar* bar)
{
    QMenu* file = bar->addMenu(tr("&File"));
    file->addAction(quit);
    QMenu* locks = bar->addMenu(tr("&Locks"));
    locks->setToolTipsVisible(true);
    locks->addActions({acquire, release, releaseOwner});
    locks->addSeparator();
    locks->addActions({releaseByOwner, releaseAll, endSession});
    locks->addSeparator();
    locks->addActions({copyKey, copyOwner});
    QMenu* view = bar->addMenu(tr("&View"));
    view->addActions({refresh, find});
    QMenu* help = bar->addMenu(tr("&Help"));
    help->addAction(about);
}

void Actions::fill(QToolBar* bar)
{
    bar->addAction(acquire);
    bar->addSeparator();
    bar->addActions({release, releaseByOwner, releaseAll});
    bar->addSeparator();
    bar->addAction(refresh);
}

void Actions::fillContextMenu(QMenu* menu)
{
    menu->setToolTipsVisible(true);
    menu->addActions({copyKey, copyOwner});
    menu->addSeparator();
    menu->addActions({release, releaseOwner});
    if (endSession->isEnabled())
        menu->addAction(endSession);
}

void Actions::update(const Subject& subject)
{
    const auto& current = subject.current;
    const bool writes = !m_readOnly;
    acquire->setEnabled(writes);
    release->setEnabled(writes && subject.canRelease);
    releaseOwner->setEnabled(writes && subject.owner);
    releaseByOwner->setEnabled(writes && subject.releasable > 0);
    releaseAll->setEnabled(writes && subject.releasable > 0);
    endSession->setEnabled(writes && current && current->isOfSession());
    copyKey->setEnabled(subject.selected > 0 || current);
    copyOwner->setEnabled(subject.owner.has_value());
    if (m_readOnly)
        return;
    const bool onlySessions =
        subject.selected > 0 && !subject.canRelease && current && current->isOfSession();
    setHint(release,
            onlySessions ? tr("A session lets go of its advisory lock only by itself: End "
                              "Session… in the menu Locks makes it")
                         : tr("Release the selected locks"));
}

} // namespace lockboard
