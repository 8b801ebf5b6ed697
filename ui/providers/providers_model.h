// SPDX-License-Identifier: MIT
#pragma once

#include "engine/module/locking_module.h"

#include <QAbstractListModel>

namespace lockboard {

//! The module's providers and how each of them is. The one that is shown says so itself; the
//! others are asked now and then whether they answer.
class ProvidersModel final : public QAbstractListModel {
    Q_OBJECT

public:
    explicit ProvidersModel(LockingModule& module, QObject* parent = nullptr);

    //! This one is shown, and its live view says how it is.
    void setShown(const std::string& id, const SourceState& state);
    //! Asks the others.
    void checkOthers();
    [[nodiscard]] std::string idAt(int row) const { return m_entries[std::size_t(row)].info.id; }
    [[nodiscard]] int rowOf(const std::string& id) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;

private:
    enum class Health : std::uint8_t { Unknown, Answers, Silent };
    struct Entry {
        ProviderInfo info;
        Health health = Health::Unknown;
        QString why;
    };

    Task<> check(int row);
    [[nodiscard]] QString stateText(int row) const;

    LockingModule& m_module;
    std::vector<Entry> m_entries;
    int m_shown = -1;
    SourceState m_state;
};

} // namespace lockboard
