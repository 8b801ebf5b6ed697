// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/options.h"

#include <QDialog>

class QCheckBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;

namespace lockboard {

//! Asks what to acquire and how. Stays open until it is granted or given up; what goes wrong is
//! said in it.
class AcquireDialog final : public QDialog {
    Q_OBJECT

public:
    //! Asks for locks of this provider, whichever is shown meanwhile.
    AcquireDialog(std::string provider, const QString& owner, QWidget* parent);

    //! The answer to submitted().
    void finish(const QString& problem);

Q_SIGNALS:
    void submitted(const lockboard::LockKeys& keys, const lockboard::AcquireOptions& options);

private:
    void build();
    void submit();
    [[nodiscard]] LockKeys keys() const;
    [[nodiscard]] AcquireOptions options() const;

    std::string m_provider;
    QPlainTextEdit* m_keys;
    QLineEdit* m_owner;
    QCheckBox* m_noOwner;
    QDoubleSpinBox* m_lease;
    QCheckBox* m_noLease;
    QCheckBox* m_waits;
    QDoubleSpinBox* m_timeout;
    QCheckBox* m_claims;
    QLabel* m_problem;
    QPushButton* m_acquire;
};

} // namespace lockboard
