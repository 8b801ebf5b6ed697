// SPDX-License-Identifier: MIT
#include "ui/theme/icons.h"

#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPainterPath>
#include <QPalette>

namespace lockboard {

namespace {

void addPadlock(QPainterPath& path, bool open)
{
    path.addRoundedRect(5, 11, 14, 10, 2, 2);
    path.moveTo(8, 11);
    path.lineTo(8, 7.5);
    path.arcTo(8, 3.5, 8, 8, 180, open ? -150 : -180);
    if (!open)
        path.lineTo(16, 11);
}

QPainterPath strokesOf(Glyph glyph)
{
    QPainterPath path; // on a grid of 24 by 24
    switch (glyph) {
    case Glyph::Acquire:
        addPadlock(path, false);
        path.moveTo(12, 13.5);
        path.lineTo(12, 18.5);
        path.moveTo(9.5, 16);
        path.lineTo(14.5, 16);
        break;
    case Glyph::Release:
        addPadlock(path, true);
        break;
    case Glyph::ReleaseOwner:
        path.addEllipse(QPointF(9, 8), 3.5, 3.5);
        path.moveTo(2.5, 20);
        path.arcTo(2.5, 13.5, 13, 13, 180, -180);
        path.moveTo(17, 9);
        path.lineTo(22, 14);
        path.moveTo(22, 9);
        path.lineTo(17, 14);
        break;
    case Glyph::ReleaseAll:
        path.addRoundedRect(3, 12, 12, 9, 2, 2);
        path.moveTo(6, 12);
        path.lineTo(6, 9);
        path.arcTo(6, 6, 6, 6, 180, -150);
        path.moveTo(9, 3);
        path.lineTo(18, 3);
        path.arcTo(15, 3, 6, 6, 90, -90);
        path.lineTo(21, 14);
        break;
    case Glyph::Refresh:
        path.arcMoveTo(4, 4, 16, 16, 40);
        path.arcTo(4, 4, 16, 16, 40, 280);
        path.moveTo(19, 3.5);
        path.lineTo(18.6, 7.4);
        path.lineTo(14.7, 7);
        break;
    case Glyph::Search:
        path.addEllipse(QPointF(10.5, 10.5), 6, 6);
        path.moveTo(15, 15);
        path.lineTo(20.5, 20.5);
        break;
    case Glyph::Warning:
        path.moveTo(12, 4);
        path.lineTo(21.5, 20);
        path.lineTo(2.5, 20);
        path.closeSubpath();
        path.moveTo(12, 10);
        path.lineTo(12, 14.5);
        path.moveTo(12, 17);
        path.lineTo(12, 17.2);
        break;
    }
    return path;
}

class StrokeEngine final : public QIconEngine {
public:
    explicit StrokeEngine(Glyph glyph)
        : m_glyph(glyph)
    {
    }
    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override
    {
        const auto group = mode == QIcon::Disabled ? QPalette::Disabled : QPalette::Active;
        const auto role =
            mode == QIcon::Selected ? QPalette::HighlightedText : QPalette::ButtonText;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->translate(rect.topLeft());
        painter->scale(rect.width() / 24.0, rect.height() / 24.0);
        painter->setPen(QPen(QGuiApplication::palette().color(group, role), 1.7, Qt::SolidLine,
                             Qt::RoundCap, Qt::RoundJoin));
        painter->drawPath(strokesOf(m_glyph));
        painter->restore();
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }
    [[nodiscard]] QIconEngine* clone() const override { return new StrokeEngine(m_glyph); }

private:
    Glyph m_glyph;
};

} // namespace

QIcon icon(Glyph glyph)
{
    return QIcon(new StrokeEngine(glyph));
}

QIcon applicationIcon()
{
    QIcon icon;
    for (const int size : {16, 32, 48, 64, 128, 256}) {
        QPixmap pixmap(size, size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.scale(size / 24.0, size / 24.0);
        painter.setPen(Qt::NoPen);
        painter.setBrush(QColor(0x2f, 0x6f, 0xd0));
        painter.drawRoundedRect(QRectF(1, 1, 22, 22), 5, 5);
        painter.translate(4.2, 3.6);
        painter.scale(0.65, 0.65);
        QPainterPath lock;
        addPadlock(lock, false);
        painter.setPen(QPen(Qt::white, 2.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter.drawPath(lock);
        painter.end();
        icon.addPixmap(pixmap);
    }
    return icon;
}

} // namespace lockboard
