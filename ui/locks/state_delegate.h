// SPDX-License-Identifier: MIT
#pragma once

#include <QStyledItemDelegate>

namespace lockboard {

//! A lock's state in words, led by a mark that differs in shape as well as in colour.
class StateDelegate final : public QStyledItemDelegate {
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
};

} // namespace lockboard
