// SPDX-License-Identifier: MIT
#include "ui/theme/side_list.h"

#include "ui/text/plain_copy.h"
#include "ui/theme/heading.h"
#include "ui/theme/side_delegate.h"

#include <QVBoxLayout>

namespace lockboard {

SideList::SideList(const QString& heading, QAbstractItemModel* model, const QString& listName,
                   QWidget* parent)
    : QWidget(parent)
    , m_list(new QListView(this))
{
    auto* label = new Heading(heading, this);
    label->setBuddy(m_list);

    m_list->setObjectName(listName);
    m_list->setAccessibleName(heading);
    m_list->setModel(model);
    new PlainCopy(m_list);
    m_list->setItemDelegate(new SideDelegate(m_list));
    m_list->setUniformItemSizes(true);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    // Part of the window's frame rather than of what lies in it.
    m_list->viewport()->setBackgroundRole(QPalette::Window);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(label);
    layout->addWidget(m_list);
}

} // namespace lockboard
