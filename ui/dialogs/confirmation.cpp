// SPDX-License-Identifier: MIT
#include "ui/dialogs/confirmation.h"

#include "ui/text/plain_text.h"
#include "ui/theme/icons.h"

#include <QGridLayout>
#include <QPushButton>

namespace lockboard {

Confirmation::Confirmation(const QString& question, const QString& consequence, const QString& verb,
                           QWidget* parent)
    : QMessageBox(parent)
{
    setObjectName(QStringLiteral("confirmation"));
    setAttribute(Qt::WA_DeleteOnClose);
    setIconPixmap(lockboard::icon(Glyph::Warning).pixmap(2 * fontMetrics().height()));
    setWindowTitle(tr("Lockboard"));
    setText(question);
    setInformativeText(consequence);
    makePlain(this); // keys and owners are anybody's text
    QPushButton* confirm = addButton(verb.isEmpty() ? tr("Nothing to release") : verb, AcceptRole);
    confirm->setEnabled(!verb.isEmpty());
    confirm->setObjectName(QStringLiteral("confirmButton"));
    confirm->setAutoDefault(false);
    QPushButton* cancel = addButton(Cancel);
    cancel->setObjectName(QStringLiteral("cancelButton"));
    setDefaultButton(cancel);
    setEscapeButton(cancel);
    // Wide enough for sentences; a message box takes no width of its own.
    if (auto* grid = qobject_cast<QGridLayout*>(layout())) {
        auto* width = new QSpacerItem(52 * fontMetrics().averageCharWidth(), 0);
        grid->addItem(width, grid->rowCount(), 0, 1, grid->columnCount());
    }
    connect(this, &QMessageBox::buttonClicked, this, [this, confirm](QAbstractButton* button) {
        if (button == confirm)
            Q_EMIT confirmed();
    });
}

} // namespace lockboard
