// SPDX-License-Identifier: MIT
#pragma once

#include "engine/module/locking_module.h"

#include <QMainWindow>

class QMenu;

namespace lockboard {

class Actions;
class ActivityLog;
class Banner;
class Commands;
class LiveSource;
class LockFeed;
class LocksPanel;
class LockTableModel;
class Offer;
class Operations;
class OwnersModel;
class OwnersPanel;
class ProvidersModel;
class SideList;
class StatusLine;
class WindowMemory;

//! The console's window: puts the parts together and connects them. The module outlives it.
class MainWindow final : public QMainWindow {
    Q_OBJECT

public:
    enum class Memory { Keep, None };

    //! Shows this provider first; empty: the default one. Throws nothing: a provider that can't
    //! be reached says so in the window.
    MainWindow(LockingModule& module, const std::string& provider, Memory memory);
    ~MainWindow() override;

Q_SIGNALS:
    //! The provider's locks have been listed, or can't be.
    void firstDataShown();

protected:
    void closeEvent(QCloseEvent* event) override;

private:
    void build();
    [[nodiscard]] QWidget* buildSide();
    void connectActions();
    void showProvider(const std::string& id);
    void showState(const SourceState& state);
    void updateCounts();
    void showContextMenu(const QPoint& at);
    //! What actions act on at this moment, or in the menu that is open.
    [[nodiscard]] Offer offer() const;
    //! What is offered in a menu is about what there was when it opened.
    void pin(QMenu* menu, const Offer& offered);
    void unpinAfter(QMenu* menu);
    //! The audit log lacks what came of a change.
    void showNotRecorded(const QString& why);
    void copyKeys();
    void copy(const QStringList& lines);
    void showAbout();

    LockingModule& m_module;
    std::string m_provider;
    LockTableModel* m_locks;
    LockFeed* m_feed;
    OwnersModel* m_owners;
    ProvidersModel* m_providers;
    ActivityLog* m_activity;
    Commands* m_commands;
    Operations* m_operations;
    Actions* m_actions;
    Banner* m_banner = nullptr;
    LocksPanel* m_panel = nullptr;
    OwnersPanel* m_ownersPanel = nullptr;
    SideList* m_providersList = nullptr;
    StatusLine* m_status = nullptr;
    std::unique_ptr<LiveSource> m_source;
    std::unique_ptr<WindowMemory> m_memory;
    std::unique_ptr<const Offer> m_pinned;
    const QMenu* m_pinnedBy = nullptr; // may be gone
};

} // namespace lockboard
