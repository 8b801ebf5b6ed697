// SPDX-License-Identifier: MIT
#include "ui/locks/state_delegate.h"

#include "ui/locks/lock_table_model.h"
#include "ui/theme/accents.h"

#include <QApplication>
#include <QPainter>

namespace lockboard {

void StateDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                          const QModelIndex& index) const
{
    QStyleOptionViewItem opt = option;
    initStyleOption(&opt, index);
    const int size = opt.fontMetrics.height() / 2;
    const QRect cell = opt.rect;
    const QStyle* style = opt.widget ? opt.widget->style() : QApplication::style();
    const QString text = std::exchange(opt.text, QString());
    style->drawControl(QStyle::CE_ItemViewItem, &opt, painter, opt.widget);

    const bool selected = opt.state & QStyle::State_Selected;
    const Accents accents = Accents::of(opt.palette);
    const QColor ink = opt.palette.color(selected ? QPalette::HighlightedText : QPalette::Text);
    const QRectF mark(cell.left() + size, cell.center().y() - size / 2.0 + 0.5, size, size);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    switch (
        static_cast<LockTableModel::ShownState>(index.data(LockTableModel::StateRole).toInt())) {
    case LockTableModel::ShownState::Held:
        painter->setBrush(selected ? ink : accents.good);
        painter->drawEllipse(mark);
        break;
    case LockTableModel::ShownState::Expiring:
        painter->setBrush(selected ? ink : accents.warning);
        painter->drawPolygon(QPolygonF(
            {mark.bottomLeft(), mark.bottomRight(), QPointF(mark.center().x(), mark.top())}));
        break;
    case LockTableModel::ShownState::Residue:
        painter->setBrush(Qt::NoBrush);
        painter->setPen(QPen(selected ? ink : accents.bad, 1.5));
        painter->drawEllipse(mark.adjusted(1, 1, -1, -1));
        break;
    case LockTableModel::ShownState::Advisory:
        painter->setBrush(selected ? ink : accents.good);
        painter->drawPolygon(QPolygonF(
            {QPointF(mark.center().x(), mark.top()), QPointF(mark.right(), mark.center().y()),
             QPointF(mark.center().x(), mark.bottom()), QPointF(mark.left(), mark.center().y())}));
        break;
    case LockTableModel::ShownState::Waiting:
        painter->setBrush(Qt::NoBrush);
        painter->setPen(QPen(selected ? ink : accents.warning, 1.5));
        painter->drawPolygon(QPolygonF(
            {QPointF(mark.center().x(), mark.top()), QPointF(mark.right(), mark.center().y()),
             QPointF(mark.center().x(), mark.bottom()), QPointF(mark.left(), mark.center().y())}));
        break;
    case LockTableModel::ShownState::NotALock:
        painter->setBrush(selected ? ink : accents.bad);
        painter->drawRect(mark);
        break;
    }
    painter->setPen(ink);
    painter->setFont(opt.font);
    const QRect words = cell.adjusted(2 * size + size * 3 / 4, 0, -4, 0);
    painter->drawText(words, Qt::AlignLeft | Qt::AlignVCenter,
                      opt.fontMetrics.elidedText(text, Qt::ElideRight, words.width()));
    painter->restore();
}

} // namespace lockboard
