// SPDX-License-Identifier: MIT
#include "ui/owners/owners_panel.h"

#include "ui/locks/formatting.h"
#include "ui/owners/owners_model.h"
#include "ui/theme/side_list.h"

#include <QAction>
#include <QMenu>
#include <QVBoxLayout>

namespace lockboard {

OwnersPanel::OwnersPanel(OwnersModel& model, bool readOnly, QWidget* parent)
    : QWidget(parent)
    , m_model(model)
    , m_side(new SideList(tr("Owners"), &model, QStringLiteral("ownersList"), this))
    , m_release(new QAction(tr("Release All of This Owner…"), this))
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_side);
    QListView* list = m_side->list();
    list->setContextMenuPolicy(Qt::CustomContextMenu);
    const auto choose = [this](const QModelIndex& index) {
        Q_EMIT filterChosen(index.data(OwnersModel::FilterRole).toString());
    };
    connect(list, &QListView::clicked, this, choose);
    connect(list, &QListView::activated, this, choose);
    connect(list, &QListView::customContextMenuRequested, this, &OwnersPanel::showMenu);
    connect(&model, &OwnersModel::updated, this, &OwnersPanel::mark);
    m_release->setShortcut(QKeySequence::Delete);
    m_release->setShortcutContext(Qt::WidgetShortcut);
    m_release->setEnabled(!readOnly);
    list->addAction(m_release);
    connect(m_release, &QAction::triggered, this, [this] {
        if (const Owner owner = focusedOwner())
            Q_EMIT releaseRequested(*owner);
    });
    showFilter({});
}

void OwnersPanel::showFilter(const QString& filter)
{
    m_filter = filter;
    mark();
}

//! Leaves the keyboard where somebody has moved it.
void OwnersPanel::mark()
{
    const int row = m_model.rowOfFilter(m_filter);
    QItemSelectionModel* selection = m_side->list()->selectionModel();
    if (row < 0)
        selection->clearSelection();
    else if (m_side->list()->hasFocus())
        selection->select(m_model.index(row), QItemSelectionModel::ClearAndSelect);
    else
        selection->setCurrentIndex(m_model.index(row), QItemSelectionModel::ClearAndSelect);
}

Owner OwnersPanel::focusedOwner() const
{
    return m_side->list()->hasFocus() ? m_model.ownerAt(m_side->list()->currentIndex().row())
                                      : Owner();
}

void OwnersPanel::showMenu(const QPoint& at)
{
    const auto owner = m_model.ownerAt(m_side->list()->indexAt(at).row());
    if (!owner)
        return;
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("ownerMenu"));
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(tr("Copy Owner"), this, [owner] { copyLines({printableText(*owner)}); });
    QAction* release = menu->addAction(m_release->text(), this,
                                       [this, owner] { Q_EMIT releaseRequested(*owner); });
    release->setEnabled(m_release->isEnabled());
    menu->popup(m_side->list()->viewport()->mapToGlobal(at));
}

} // namespace lockboard
