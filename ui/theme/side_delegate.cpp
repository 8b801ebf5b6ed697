// SPDX-License-Identifier: MIT
#include "ui/theme/side_delegate.h"

#include "ui/theme/accents.h"

#include <QPainter>

namespace lockboard {

static void drawMark(QPainter* painter, SideDelegate::Mark mark, const QRectF& box,
                     const Accents& accents)
{
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    switch (mark) {
    case SideDelegate::Mark::None:
        break;
    case SideDelegate::Mark::Good:
        painter->setBrush(accents.good);
        painter->drawEllipse(box);
        break;
    case SideDelegate::Mark::Warning:
        painter->setBrush(accents.warning);
        painter->drawPolygon(
            QPolygonF({box.bottomLeft(), box.bottomRight(), QPointF(box.center().x(), box.top())}));
        break;
    case SideDelegate::Mark::Bad:
        painter->setBrush(accents.bad);
        painter->drawRect(box);
        break;
    case SideDelegate::Mark::Idle:
        painter->setBrush(Qt::NoBrush);
        painter->setPen(QPen(accents.idle, 1.5));
        painter->drawEllipse(box.adjusted(0.75, 0.75, -0.75, -0.75));
        break;
    }
}

void SideDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                         const QModelIndex& index) const
{
    QStyleOptionViewItem opt = option;
    initStyleOption(&opt, index);
    const QString text = std::exchange(opt.text, QString());
    // Softer than a selection in the table: it says what one looks at, not what one acts on.
    QColor ground = opt.palette.color(QPalette::Highlight);
    ground.setAlphaF(opt.state & QStyle::State_Selected ? 0.22F : 0.07F);
    if (opt.state & (QStyle::State_Selected | QStyle::State_MouseOver))
        painter->fillRect(opt.rect, ground);
    if (opt.state & QStyle::State_HasFocus) {
        painter->setPen(opt.palette.color(QPalette::Highlight));
        painter->drawRect(opt.rect.adjusted(0, 0, -1, -1));
    }
    const QColor ink = opt.palette.color(QPalette::Text);
    const int gap = opt.fontMetrics.height() / 2;
    QRect area = opt.rect.adjusted(gap, 0, -gap, 0);
    const auto mark = static_cast<Mark>(index.data(MarkRole).toInt());
    painter->save();
    if (mark != Mark::None) {
        const QRectF box(area.left(), area.center().y() - gap / 2.0 + 0.5, gap, gap);
        drawMark(painter, mark, box, Accents::of(opt.palette));
        area.setLeft(area.left() + 2 * gap);
    }
    painter->setFont(opt.font);
    const QString note = index.data(NoteRole).toString();
    const int noteWidth = opt.fontMetrics.horizontalAdvance(note);
    painter->setPen(opt.palette.color(QPalette::PlaceholderText));
    painter->drawText(area, Qt::AlignRight | Qt::AlignVCenter, note);
    if (!note.isEmpty())
        area.setRight(area.right() - noteWidth - gap);
    painter->setPen(ink);
    painter->drawText(area, Qt::AlignLeft | Qt::AlignVCenter,
                      opt.fontMetrics.elidedText(text, Qt::ElideMiddle, area.width()));
    painter->restore();
}

QSize SideDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const
{
    const int height = option.fontMetrics.height();
    return {12 * height, height * 8 / 5};
}

} // namespace lockboard
