// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/order_worker.h"

#include <QAbstractTableModel>
#include <QFont>
#include <QTimer>

namespace lockboard {

//! The live locks of one provider as a flat table. Keeps its own rows and, apart from them, which
//! of them are shown in which order; small tables are arranged at once, large ones by a worker,
//! and the result swapped in. Changes are gathered with upsert and remove and become visible with
//! commit, so that a thousand of them cost one swap.
class LockTableModel final : public QAbstractTableModel {
    Q_OBJECT

public:
    using Now = std::function<TimePoint()>;
    enum Role { LeaseEndRole = Qt::UserRole + 1, StateRole };
    enum class ShownState { Held, Expiring, NotALock, Residue, Advisory, Waiting };

    explicit LockTableModel(QObject* parent = nullptr, Now now = std::chrono::steady_clock::now);

    // What the feed calls.
    void beginSnapshot();
    //! `anew`: it is known to be another grant than the one that is listed.
    void upsert(const Lock& lock, bool anew = false);
    void remove(const Lock& lock);
    void remove(const std::string& key) { remove(Lock(key, {})); }
    //! Removes rows that the snapshot did not mention; false: call again, there are more.
    [[nodiscard]] bool sweep(int atMost);
    //! All that there is has been listed once.
    void setComplete() { m_complete = true; }
    void commit();
    void clear();

    void setFilter(const LockFilter& filter);
    [[nodiscard]] const LockFilter& filter() const { return m_order.filter; }
    //! Looks again where what is shown depends on the time.
    void tick();

    [[nodiscard]] std::size_t total() const { return m_store->size(); }
    [[nodiscard]] const LockStore& store() const { return *m_store; }
    //! The same, to keep: when another provider is shown, this one stays as it was then.
    [[nodiscard]] std::shared_ptr<const LockStore> keptStore() const { return m_store; }
    //! Whether the provider's locks have all been listed, or the list is still loading.
    [[nodiscard]] bool isComplete() const { return m_complete; }
    [[nodiscard]] Lock lockAt(int row) const;
    [[nodiscard]] RowId idAt(int row) const { return m_visible[std::size_t(row)]; }
    //! Whether any lock of this provider had a note of its holder yet.
    [[nodiscard]] bool hasNotes() const { return m_store->hasNotes(); }
    //! Where these are shown now, in ascending order; those that are not are left out.
    [[nodiscard]] std::vector<int> rowsOf(const std::vector<RowId>& ids) const;
    [[nodiscard]] Duration remaining(TimePoint end) const;
    void setKeyFont(const QFont& font) { m_keyFont = font; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                      int role) const override;
    void sort(int column, Qt::SortOrder order) override;

Q_SIGNALS:
    //! Around a swap: whoever keeps row numbers keeps ids meanwhile.
    void aboutToRearrange();
    void rearranged();
    //! After every commit and every swap.
    void countsChanged();

private:
    void arrangeAgain(bool urgently);
    void startWorker();
    void take(const std::vector<RowId>& order);
    void swapIn(std::vector<RowId> order);
    [[nodiscard]] std::vector<RowId> aliveOf(const std::vector<RowId>& ids) const;
    [[nodiscard]] QString text(const LockRow& row, LockColumn column) const;
    [[nodiscard]] QString sentence(const LockRow& row) const;
    [[nodiscard]] QString tip(const LockRow& row, LockColumn column) const;
    [[nodiscard]] ShownState shownState(const LockRow& row) const;

    Now m_now;
    std::shared_ptr<LockStore> m_store;
    std::vector<RowId> m_visible;
    LockOrder m_order;
    OrderWorker m_worker;
    QTimer m_rest;
    TimePoint m_workStarted;
    QFont m_keyFont;
    std::uint32_t m_epoch = 0;
    std::size_t m_sweepAt = 0;
    bool m_touched = false;
    bool m_added = false;
    bool m_removed = false;
    bool m_arrangeLater = false;
    bool m_complete = false;
};

} // namespace lockboard
