// SPDX-License-Identifier: MIT
#pragma once

#include <QMessageBox>

namespace lockboard {

//! Asks before something is broken: what is about to happen, what it means, a button that is the
//! verb, and Cancel as the default. An empty verb: there is nothing to be done, and the button
//! says so. Opens without blocking and deletes itself. Named
//! "confirmation", its buttons "confirmButton" and "cancelButton".
class Confirmation final : public QMessageBox {
    Q_OBJECT

public:
    Confirmation(const QString& question, const QString& consequence, const QString& verb,
                 QWidget* parent);

Q_SIGNALS:
    void confirmed();
};

} // namespace lockboard
