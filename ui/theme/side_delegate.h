// SPDX-License-Identifier: MIT
#pragma once

#include <QStyledItemDelegate>

namespace lockboard {

//! An entry of a side list: a name, perhaps a mark before it, and a short note at the right.
class SideDelegate final : public QStyledItemDelegate {
    Q_OBJECT

public:
    enum Role { NoteRole = Qt::UserRole + 100, MarkRole };
    enum class Mark { None, Good, Warning, Bad, Idle };

    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option,
                                 const QModelIndex& index) const override;
};

} // namespace lockboard
