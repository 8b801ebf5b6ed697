// SPDX-License-Identifier: MIT
#pragma once

#include <QStyledItemDelegate>

namespace lockboard {

class LockTableModel;

//! What is left of a lease: a bar, and the time in words beside it.
class TtlDelegate final : public QStyledItemDelegate {
    Q_OBJECT

public:
    explicit TtlDelegate(const LockTableModel& model, QObject* parent = nullptr);
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;

private:
    const LockTableModel& m_model;
};

} // namespace lockboard
