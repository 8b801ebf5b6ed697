// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/lock_table_model.h"

#include <QAbstractListModel>

namespace lockboard {

//! Who holds how many: everybody, nobody, the jobs of execute taken together (each has an owner
//! of its own), then the owners with the most locks. Follows the table of locks, at leisure.
class OwnersModel final : public QAbstractListModel {
    Q_OBJECT

public:
    enum Role { FilterRole = Qt::UserRole + 1 };
    static constexpr std::size_t mostOwners = 1000;

    explicit OwnersModel(const LockTableModel& locks, QObject* parent = nullptr);

    //! The owner of an entry that stands for exactly one.
    [[nodiscard]] std::optional<std::string> ownerAt(int row) const;
    [[nodiscard]] int rowOfFilter(const QString& filter) const;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;

Q_SIGNALS:
    void updated();

private:
    enum class Kind : std::uint8_t { All, NoOwner, Jobs, OneOwner };
    struct Entry {
        Kind kind;
        std::uint64_t count;
        std::string name;
        bool operator==(const Entry&) const = default;
    };

    void update();
    [[nodiscard]] std::vector<Entry> count() const;
    [[nodiscard]] static QString filterOf(const Entry& entry);

    const LockTableModel& m_locks;
    std::vector<Entry> m_entries;
    QTimer m_timer;
};

} // namespace lockboard
