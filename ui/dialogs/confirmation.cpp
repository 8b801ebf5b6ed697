// SPDX-License-Identifier: MIT
#include "ui/dialogs/confirmation.h"

#include <QPushButton>

namespace lockboard {

Confirmation::Confirmation(const QString& question, const QString& consequence, const QString& verb,
                           QWidget* parent)
    : QMessageBox(parent)
{
    setObjectName(QStringLiteral("confirmation"));
    setAttribute(Qt::WA_DeleteOnClose);
    setIcon(Warning);
    setWindowTitle(tr("Lockboard"));
    setTextFormat(Qt::PlainText); // keys and owners are anybody's text
    setText(question);
    setInformativeText(consequence);
    QPushButton* confirm = addButton(verb, AcceptRole);
    confirm->setObjectName(QStringLiteral("confirmButton"));
    confirm->setAutoDefault(false);
    QPushButton* cancel = addButton(Cancel);
    cancel->setObjectName(QStringLiteral("cancelButton"));
    setDefaultButton(cancel);
    setEscapeButton(cancel);
    connect(this, &QMessageBox::buttonClicked, this, [this, confirm](QAbstractButton* button) {
        if (button == confirm)
            Q_EMIT confirmed();
    });
}

} // namespace lockboard
