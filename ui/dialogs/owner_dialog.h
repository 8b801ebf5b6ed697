// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/lock_store.h"

#include <QDialog>

class QComboBox;
class QLabel;
class QPushButton;

namespace lockboard {

class OwnersModel;
class LockTableModel;

//! Asks whose locks to release. The button says how many that are now.
class OwnerDialog final : public QDialog {
    Q_OBJECT

public:
    //! `owner` is chosen to begin with.
    OwnerDialog(const LockTableModel& locks, const OwnersModel& owners, const Owner& owner,
                QWidget* parent);

Q_SIGNALS:
    void confirmed(const std::string& owner, std::uint64_t count);

private:
    void update();
    [[nodiscard]] std::string owner() const;

    const LockTableModel& m_locks;
    QComboBox* m_owner;
    QLabel* m_consequence;
    QPushButton* m_release;
};

} // namespace lockboard
