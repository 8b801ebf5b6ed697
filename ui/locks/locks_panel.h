// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/live_view.h"

#include <QTimer>
#include <QWidget>

class QLineEdit;

namespace lockboard {

class LockTableModel;
class LockTableView;

//! The filter field and the table under it.
class LocksPanel final : public QWidget {
    Q_OBJECT

public:
    //! `banner` goes between the two.
    LocksPanel(LockTableModel& model, QWidget* banner, QWidget* parent = nullptr);

    [[nodiscard]] LockTableView& table() const { return *m_table; }
    void setFilter(const QString& text);
    void focusFilter();
    //! Decides what an empty table says.
    void setState(const SourceState& state);

Q_SIGNALS:
    void filterChanged(const QString& text);

private:
    void applyFilter();
    void explainEmptiness();

    LockTableModel& m_model;
    LockTableView* m_table;
    QLineEdit* m_filter;
    QTimer m_debounce;
    SourceState m_state;
};

} // namespace lockboard
