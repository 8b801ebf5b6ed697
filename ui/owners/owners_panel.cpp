// SPDX-License-Identifier: MIT
#include "ui/owners/owners_panel.h"

#include "ui/locks/formatting.h"
#include "ui/owners/owners_model.h"
#include "ui/theme/side_list.h"

#include <QMenu>
#include <QVBoxLayout>

namespace lockboard {

OwnersPanel::OwnersPanel(OwnersModel& model, QWidget* parent)
    : QWidget(parent)
    , m_model(model)
    , m_side(new SideList(tr("Owners"), &model, QStringLiteral("ownersList"), this))
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
    connect(&model, &OwnersModel::updated, this, [this] { showFilter(m_filter); });
    showFilter({});
}

void OwnersPanel::showFilter(const QString& filter)
{
    m_filter = filter;
    const int row = m_model.rowOfFilter(filter);
    QItemSelectionModel* selection = m_side->list()->selectionModel();
    if (row < 0)
        selection->clearSelection();
    else
        selection->setCurrentIndex(m_model.index(row), QItemSelectionModel::ClearAndSelect);
}

void OwnersPanel::showMenu(const QPoint& at)
{
    const QModelIndex index = m_side->list()->indexAt(at);
    const auto owner = m_model.ownerAt(index.row());
    if (!owner)
        return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(tr("Copy Owner"), this, [owner] { copyLines({printableText(*owner)}); });
    menu->addAction(tr("Release All of This Owner…"), this,
                    [this, owner] { Q_EMIT releaseRequested(*owner); });
    menu->popup(m_side->list()->viewport()->mapToGlobal(at));
}

} // namespace lockboard
