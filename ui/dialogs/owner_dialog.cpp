// SPDX-License-Identifier: MIT
#include "ui/dialogs/owner_dialog.h"

#include "ui/locks/formatting.h"
#include "ui/locks/lock_table_model.h"
#include "ui/owners/owners_model.h"
#include "ui/text/plain_label.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QPushButton>
#include <QVBoxLayout>

namespace lockboard {

using namespace Qt::StringLiterals;

//! In bytes. A name that is shown cut can't be chosen by what is shown of it.
static constexpr std::size_t longestName = 1000;

OwnerDialog::OwnerDialog(const LockTableModel& locks, const OwnersModel& owners, const Owner& first,
                         QWidget* parent)
    : QDialog(parent)
    , m_locks(locks)
    , m_owner(new QComboBox(this))
    , m_consequence(new PlainLabel(this))
{
    setObjectName(u"ownerDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Release by Owner"));
    m_owner->setObjectName(u"ownerChoice"_s);
    m_owner->setEditable(true);
    m_owner->setMinimumContentsLength(36);
    for (int row = 0; row < owners.rowCount(); ++row) {
        const auto name = owners.ownerAt(row);
        if (name && name->size() <= longestName)
            m_owner->addItem(printableText(*name), QByteArray::fromStdString(*name));
    }
    if (first && first->size() <= longestName)
        m_owner->setCurrentText(printableText(*first));
    auto* label = new PlainLabel(tr("&Owner:"), this);
    label->setBuddy(m_owner);
    m_consequence->setWordWrap(true);
    m_consequence->setMinimumHeight(3 * fontMetrics().lineSpacing());
    m_consequence->setAlignment(Qt::AlignTop | Qt::AlignLeft);

    auto* buttons = new QDialogButtonBox(this);
    m_release = buttons->addButton(QString(), QDialogButtonBox::AcceptRole);
    m_release->setObjectName(u"confirmButton"_s);
    m_release->setAutoDefault(false);
    QPushButton* cancel = buttons->addButton(QDialogButtonBox::Cancel);
    cancel->setObjectName(u"cancelButton"_s);
    cancel->setDefault(true);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        Q_EMIT confirmed(owner(), m_locks.store().countOf(owner()));
        accept();
    });
    connect(m_owner, &QComboBox::currentTextChanged, this, &OwnerDialog::update);
    connect(&locks, &LockTableModel::countsChanged, this, &OwnerDialog::update);

    auto* layout = new QVBoxLayout(this);
    layout->addWidget(label);
    layout->addWidget(m_owner);
    layout->addSpacing(fontMetrics().height() / 2);
    layout->addWidget(m_consequence);
    layout->addWidget(buttons);
    update();
}

//! What is typed; a name picked from the list is meant byte by byte.
std::string OwnerDialog::owner() const
{
    const int row =
        m_owner->findText(m_owner->currentText(), Qt::MatchExactly | Qt::MatchCaseSensitive);
    return row < 0 ? m_owner->currentText().toStdString()
                   : m_owner->itemData(row).toByteArray().toStdString();
}

void OwnerDialog::update()
{
    const std::string name = owner();
    const std::uint64_t count = name.empty() ? 0 : m_locks.store().countOf(name);
    m_release->setText(tr("Release %1").arg(countText(count, u"lock"_s)));
    m_release->setEnabled(count > 0);
    if (count > 0) {
        m_consequence->setText(
            tr("“%1” loses %2. Work that relies on holding what it locked may run twice at the "
               "same time.")
                .arg(printableText(name), countText(count, u"lock"_s)));
    } else {
        m_consequence->setText(tr("This owner holds no lock now."));
    }
}

} // namespace lockboard
