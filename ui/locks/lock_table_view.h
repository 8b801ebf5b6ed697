// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/lock_table_model.h"

#include <QTableView>

namespace lockboard {

//! The table of live locks. Keeps the selection, the current row and what one looks at in place
//! when the model swaps its order, and lets the countdowns run while it can be seen.
class LockTableView final : public QTableView {
    Q_OBJECT

public:
    explicit LockTableView(LockTableModel& model, QWidget* parent = nullptr);

    //! The rows selected, as they are shown now. Walks ranges: the many rows of a large selection
    //! are cheap, but not free.
    [[nodiscard]] std::vector<RowId> selectedRows() const;
    [[nodiscard]] std::vector<Lock> selectedLocks() const;
    [[nodiscard]] std::size_t selectedCount() const;
    //! Whether a release could let go of any of them.
    [[nodiscard]] bool canReleaseSelected() const;
    [[nodiscard]] std::optional<Lock> currentLock() const;
    //! The lock under a point of the viewport, where a menu is asked for.
    [[nodiscard]] std::optional<Lock> lockAt(const QPoint& point) const;
    //! The columns as somebody has arranged them; empty: nobody has.
    [[nodiscard]] QByteArray columnState() const;
    void restoreColumns(const QByteArray& state);
    //! What is said when there is nothing to show.
    void setEmptyText(const QString& title, const QString& hint);

    void keyboardSearch(const QString& text) override;

Q_SIGNALS:
    void selectedCountChanged();
    //! Someone types into the table: the filter field wants it.
    void typed(const QString& text);

protected:
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void fitFonts();
    void leaveColumnsAlone();
    void shareWidth();
    void showNotes();
    void remember();
    void restore();
    void tick();

    LockTableModel& m_model;
    QTimer m_countdown;
    std::vector<RowId> m_selected;
    std::optional<RowId> m_top;
    QString m_emptyTitle;
    QString m_emptyHint;
    bool m_ownWidths = true;
    bool m_fitting = false;
};

} // namespace lockboard
