// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/seen_locks.h"

#include <QDialog>

class QComboBox;
class QLabel;
class QPushButton;

namespace lockboard {

class OwnersModel;
class LockTableModel;

//! Asks whose locks to release. What it says of an owner, and what it is about, is what the list
//! had when that owner was chosen.
class OwnerDialog final : public QDialog {
    Q_OBJECT

public:
    //! `owner` is chosen to begin with.
    OwnerDialog(std::string provider, const LockTableModel& locks, const OwnersModel& owners,
                const Owner& owner, QWidget* parent);

Q_SIGNALS:
    void confirmed(const std::string& owner, const lockboard::SeenLocks& locks);

private:
    void fill(const OwnersModel& owners, const Owner& first);
    void choose();
    [[nodiscard]] Owner owner() const;

    std::string m_provider;
    const LockTableModel& m_model;
    std::shared_ptr<const LockStore> m_shown; // of the provider that this is about
    QComboBox* m_owner;
    QLabel* m_consequence;
    QPushButton* m_release;
    SeenLocks m_locks;
};

} // namespace lockboard
