// SPDX-License-Identifier: MIT
#include "ui/locks/ttl_delegate.h"

#include "ui/locks/formatting.h"
#include "ui/locks/lock_table_model.h"
#include "ui/theme/accents.h"

#include <QApplication>
#include <QPainter>

namespace lockboard {

TtlDelegate::TtlDelegate(const LockTableModel& model, QObject* parent)
    : QStyledItemDelegate(parent)
    , m_model(model)
{
}

void TtlDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const
{
    QStyleOptionViewItem opt = option;
    initStyleOption(&opt, index);
    const QString text = std::exchange(opt.text, QString());
    const QStyle* style = opt.widget ? opt.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &opt, painter, opt.widget);

    const bool selected = opt.state & QStyle::State_Selected;
    const int margin = style->pixelMetric(QStyle::PM_FocusFrameHMargin, &opt, opt.widget) + 4;
    const QRect area = opt.rect.adjusted(margin, 0, -margin, 0);
    const int textWidth = opt.fontMetrics.horizontalAdvance(QStringLiteral("00 min 00 s "));
    const QVariant end = index.data(LockTableModel::LeaseEndRole);
    const QPalette::ColorRole role = selected ? QPalette::HighlightedText : QPalette::Text;
    painter->save();
    painter->setPen(
        opt.palette.color(end.isValid() || selected ? role : QPalette::PlaceholderText));
    painter->setFont(opt.font);
    const int barWidth = std::min(area.width() - textWidth - margin, 260);
    if (!end.isValid() || barWidth < 24) {
        painter->drawText(area, Qt::AlignLeft | Qt::AlignVCenter,
                          opt.fontMetrics.elidedText(text, Qt::ElideRight, area.width()));
        painter->restore();
        return;
    }
    painter->drawText(area.adjusted(0, 0, textWidth - area.width(), 0),
                      Qt::AlignRight | Qt::AlignVCenter, text);

    const Duration left =
        m_model.remaining(TimePoint(TimePoint::duration(end.value<std::int64_t>())));
    const int height = std::max(6, opt.fontMetrics.height() * 2 / 5);
    const QRectF track(area.left() + textWidth + margin, area.center().y() - height / 2.0 + 0.5,
                       barWidth, height);
    QRectF bar = track;
    bar.setWidth(std::max<qreal>(height, track.width() * leaseShare(left)));
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    const Accents accents = Accents::of(opt.palette);
    painter->setBrush(selected ? accents.trackOnSelection : accents.track);
    painter->drawRoundedRect(track, height / 2.0, height / 2.0);
    painter->setBrush(selected                   ? opt.palette.color(QPalette::HighlightedText)
                          : left <= expiringSoon ? accents.warning
                                                 : accents.good);
    painter->drawRoundedRect(bar, height / 2.0, height / 2.0);
    painter->restore();
}

} // namespace lockboard
