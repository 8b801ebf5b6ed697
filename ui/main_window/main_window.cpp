// SPDX-License-Identifier: MIT
#include "ui/main_window/main_window.h"

#include "engine/async/mailbox.h"
#include "ui/activity/activity_log.h"
#include "ui/activity/activity_panel.h"
#include "ui/locks/formatting.h"
#include "ui/locks/lock_feed.h"
#include "ui/locks/lock_table_view.h"
#include "ui/locks/locks_panel.h"
#include "ui/main_window/actions.h"
#include "ui/main_window/banner.h"
#include "ui/main_window/offer.h"
#include "ui/main_window/operations.h"
#include "ui/main_window/status_line.h"
#include "ui/main_window/window_memory.h"
#include "ui/owners/owners_model.h"
#include "ui/owners/owners_panel.h"
#include "ui/providers/providers_model.h"
#include "ui/session/commands.h"
#include "ui/session/live_source.h"
#include "ui/theme/icons.h"
#include "ui/theme/side_list.h"

#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QPointer>
#include <QSplitter>
#include <QStatusBar>
#include <QToolBar>
#include <QVBoxLayout>

namespace lockboard {

using namespace Qt::StringLiterals;

MainWindow::MainWindow(LockingModule& module, const std::string& provider, Memory memory)
    : m_module(module)
    , m_locks(new LockTableModel(this))
    , m_feed(new LockFeed(*m_locks, this))
    , m_owners(new OwnersModel(*m_locks, this))
    , m_providers(new ProvidersModel(module, this))
    , m_activity(new ActivityLog(this))
    , m_commands(new Commands(module, *m_activity, this))
    , m_operations(new Operations(*m_commands, *m_locks, *m_owners, this))
    , m_actions(new Actions(this, module.isReadOnly()))
{
    setObjectName(u"mainWindow"_s);
    setWindowIcon(applicationIcon());
    resize(1280, 800);
    build();
    connectActions();
    if (memory == Memory::Keep)
        m_memory->restore();
    else
        m_memory.reset();
    showProvider(provider.empty() ? module.defaultProviderId() : provider);
    m_providers->checkOthers();
    m_panel->setFocus();
}

MainWindow::~MainWindow() = default;

void MainWindow::build()
{
    m_actions->fill(menuBar());
    for (QMenu* menu : menuBar()->findChildren<QMenu*>(Qt::FindDirectChildrenOnly)) {
        connect(menu, &QMenu::aboutToShow, this, [this, menu] { pin(menu, offer()); });
        unpinAfter(menu);
    }
    auto* tools = addToolBar(tr("Tools"));
    tools->setObjectName(u"tools"_s);
    tools->setMovable(false);
    tools->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_actions->fill(tools);
    setContextMenuPolicy(Qt::NoContextMenu); // the tool bar can't be hidden by mistake
    m_status = new StatusLine(statusBar(), m_module.isReadOnly());

    m_banner = new Banner(this);
    m_panel = new LocksPanel(*m_locks, m_banner, this);
    auto* rows = new QSplitter(Qt::Vertical, this);
    rows->addWidget(m_panel);
    rows->addWidget(new ActivityPanel(*m_activity, *m_commands, this));
    rows->setStretchFactor(0, 1);
    rows->setSizes({620, 130});
    rows->setCollapsible(0, false);
    auto* sides = new QSplitter(this);
    sides->addWidget(buildSide());
    sides->addWidget(rows);
    sides->setStretchFactor(1, 1);
    sides->setSizes({240, 1040});
    sides->setCollapsible(1, false);
    for (QSplitter* splitter : {sides, rows})
        splitter->setHandleWidth(1);
    setCentralWidget(sides);
    m_memory = std::make_unique<WindowMemory>(*this, *sides, *rows, m_panel->table());
}

QWidget* MainWindow::buildSide()
{
    auto* side = new QWidget(this);
    m_providersList = new SideList(tr("Providers"), m_providers, u"providersList"_s, side);
    m_ownersPanel = new OwnersPanel(*m_owners, m_module.isReadOnly(), side);
    auto* layout = new QVBoxLayout(side);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_providersList);
    layout->addWidget(m_ownersPanel, 1);
    const int line = fontMetrics().height();
    const int shown = std::clamp(m_providers->rowCount(), 1, 6);
    m_providersList->setFixedHeight(line * 5 / 2 + shown * (line * 8 / 5));

    const auto choose = [this](const QModelIndex& index) {
        showProvider(m_providers->idAt(index.row()));
    };
    connect(m_providersList->list(), &QListView::clicked, this, choose);
    connect(m_providersList->list(), &QListView::activated, this, choose);
    connect(m_ownersPanel, &OwnersPanel::filterChosen, m_panel, &LocksPanel::setFilter);
    connect(m_panel, &LocksPanel::filterChanged, m_ownersPanel, &OwnersPanel::showFilter);
    if (!m_module.isReadOnly())
        connect(
            m_ownersPanel, &OwnersPanel::releaseRequested, this,
            [this](const std::string& owner) { m_operations->releaseOwner(m_provider, owner); });
    return side;
}

void MainWindow::connectActions()
{
    LockTableView& table = m_panel->table();
    table.addActions({m_actions->release, m_actions->copyKey});
    connect(&table, &QWidget::customContextMenuRequested, this, &MainWindow::showContextMenu);
    connect(&table, &LockTableView::selectedCountChanged, this, &MainWindow::updateCounts);
    connect(table.selectionModel(), &QItemSelectionModel::currentChanged, this,
            &MainWindow::updateCounts);
    connect(m_locks, &LockTableModel::countsChanged, this, &MainWindow::updateCounts);
    connect(m_feed, &LockFeed::snapshotShown, this, &MainWindow::firstDataShown);
    connect(
        &m_module, &LockingModule::outcomeNotRecorded,
        [window = QPointer<MainWindow>(this), home = Mailbox::ofThisThread()](const QString& why) {
            (void)home->post([window, why] {
                if (window)
                    window->showNotRecorded(why);
            });
        });

    connect(m_actions->acquire, &QAction::triggered, this,
            [this] { m_operations->acquire(m_provider); });
    connect(m_actions->release, &QAction::triggered, this,
            [this] { m_operations->release(offer().selected); });
    connect(m_actions->releaseOwner, &QAction::triggered, this, [this] {
        const Offer offered = offer();
        if (offered.owner)
            m_operations->releaseOwner(offered.provider, *offered.owner);
    });
    connect(m_actions->releaseByOwner, &QAction::triggered, this, [this] {
        const Offer offered = offer();
        m_operations->releaseByOwner(offered.provider, offered.owner);
    });
    connect(m_actions->endSession, &QAction::triggered, this, [this] {
        const Offer offered = offer();
        if (offered.current && offered.current->isOfSession())
            m_operations->endSession(offered.provider, *offered.current);
    });
    connect(m_actions->releaseAll, &QAction::triggered, this,
            [this] { m_operations->releaseAll(offer().provider); });
    connect(m_actions->refresh, &QAction::triggered, this, [this] {
        m_source->refresh();
        m_providers->checkOthers();
    });
    connect(m_actions->find, &QAction::triggered, m_panel, &LocksPanel::focusFilter);
    connect(m_actions->copyKey, &QAction::triggered, this, &MainWindow::copyKeys);
    connect(m_actions->copyOwner, &QAction::triggered, this, [this] {
        if (const Owner owner = offer().owner)
            copy({printableText(*owner)});
    });
    connect(m_actions->quit, &QAction::triggered, this, &QWidget::close);
    connect(m_actions->about, &QAction::triggered, this, &MainWindow::showAbout);
}

void MainWindow::showProvider(const std::string& id)
{
    if (m_source && m_provider == id)
        return;
    m_source.reset();
    m_feed->clear();
    m_locks->clear();
    m_provider = id;
    const QString name = titleText(shownText(id));
    setWindowTitle(m_module.isReadOnly() ? tr("%1 (read-only) – Lockboard").arg(name)
                                         : tr("%1 – Lockboard").arg(name));
    m_source = std::make_unique<LiveSource>(m_module, id, *m_feed);
    connect(m_source.get(), &LiveSource::stateChanged, this, &MainWindow::showState);
    showState(m_source->state());
    const int row = m_providers->rowOf(id);
    m_providersList->list()->setCurrentIndex(m_providers->index(row));
    m_source->open();
}

void MainWindow::showState(const SourceState& state)
{
    const QString name = isolated(shownText(m_provider));
    m_providers->setShown(m_provider, state);
    m_banner->showState(state, name);
    m_panel->setState(state);
    m_status->showState(name, state);
    if (state.kind == SourceState::Failed)
        Q_EMIT firstDataShown();
}

void MainWindow::updateCounts()
{
    const LockTableView& table = m_panel->table();
    const std::size_t selected = table.selectedCount();
    m_status->showCounts(m_locks->total(), std::size_t(m_locks->rowCount()), selected,
                         m_locks->isComplete());
    if (m_pinned)
        return; // a menu goes on offering what it was opened with
    const auto current = table.currentLock();
    m_actions->update({selected, table.canReleaseSelected(), current,
                       current ? current->owner : Owner(), m_locks->store().releasable()});
}

Offer MainWindow::offer() const
{
    if (m_pinned)
        return *m_pinned;
    const LockTableView& table = m_panel->table();
    Offer offered;
    offered.provider = m_provider;
    const std::vector<RowId> rows = table.selectedRows();
    offered.selected = SeenLocks(m_provider, *m_locks, rows);
    offered.rows = rows;
    offered.table = m_locks->store().table();
    offered.current = table.currentLock();
    if (const Owner focused = m_ownersPanel->focusedOwner())
        offered.owner = focused;
    else if (offered.current)
        offered.owner = offered.current->owner;
    return offered;
}

void MainWindow::pin(QMenu* menu, const Offer& offered)
{
    m_pinnedBy = menu;
    m_pinned = std::make_unique<const Offer>(offered);
    m_actions->update({offered.rows.size(), !offered.selected.isEmpty(), offered.current,
                       offered.owner, m_locks->store().releasable()});
}

void MainWindow::unpinAfter(QMenu* menu)
{
    connect(menu, &QMenu::aboutToHide, this, [this, menu = QPointer<QMenu>(menu), id = menu] {
        // What is chosen is triggered when the menu has hidden itself.
        QMetaObject::invokeMethod(
            this,
            [this, menu, id] {
                if (m_pinnedBy != id || (menu && menu->isVisible()))
                    return; // another one is open by now
                m_pinnedBy = nullptr;
                m_pinned.reset();
                updateCounts();
            },
            Qt::QueuedConnection);
    });
}

void MainWindow::showContextMenu(const QPoint& at)
{
    Offer offered = offer();
    // On a lock it is about that one; on the ground below them, about none of them. From the
    // keyboard it may be asked for on a current one that is scrolled away.
    const LockTableView& table = m_panel->table();
    if (table.viewport()->rect().contains(at))
        offered.current = table.lockAt(at);
    offered.owner = offered.current ? offered.current->owner : Owner();
    auto* menu = new QMenu(this);
    menu->setObjectName(u"lockMenu"_s);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    pin(menu, offered);
    m_actions->fillContextMenu(menu);
    unpinAfter(menu);
    menu->popup(table.viewport()->mapToGlobal(at));
}

void MainWindow::showNotRecorded(const QString& why)
{
    const QString said = sentenceText(why);
    m_activity->finish(m_activity->begin(tr("Audit"), tr("what came of a change")),
                       ActivityLog::Outcome::Failed, said);
    m_banner->showNotice(tr("The audit log is not complete: %1").arg(said));
}

void MainWindow::copyKeys()
{
    const Offer offered = offer();
    QStringList keys;
    for (const RowId id : offered.rows)
        keys << printableText(offered.table.rows[id].key);
    if (keys.isEmpty() && offered.current)
        keys << printableText(offered.current->key);
    copy(keys);
}

void MainWindow::copy(const QStringList& lines)
{
    if (copyLines(lines))
        statusBar()->showMessage(tr("Copied, with an apostrophe before what a spreadsheet would "
                                    "take for a formula"),
                                 8000);
}

void MainWindow::showAbout()
{
    auto* box = new QMessageBox(this);
    box->setObjectName(u"about"_s);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setIconPixmap(applicationIcon().pixmap(64));
    box->setWindowTitle(tr("About Lockboard"));
    box->setText(u"Lockboard %1"_s.arg(QStringLiteral(LOCKBOARD_VERSION)));
    box->setInformativeText(tr("Shows who holds your locks, and lets go of the stuck ones."));
    makePlain(box);
    box->open();
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (m_memory)
        m_memory->save();
    QMainWindow::closeEvent(event);
}

} // namespace lockboard
