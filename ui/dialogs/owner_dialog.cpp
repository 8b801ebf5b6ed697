// SPDX-License-Identifier: MIT
#include "ui/dialogs/owner_dialog.h"

#include "ui/dialogs/question_text.h"
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

OwnerDialog::OwnerDialog(std::string provider, const LockTableModel& locks,
                         const OwnersModel& owners, const Owner& first, QWidget* parent)
    : QDialog(parent)
    , m_provider(std::move(provider))
    , m_model(locks)
    , m_shown(locks.keptStore())
    , m_owner(new QComboBox(this))
    , m_consequence(new PlainLabel(this))
{
    setObjectName(u"ownerDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Release by Owner"));
    m_owner->setObjectName(u"ownerChoice"_s);
    m_owner->setEditable(true);
    m_owner->setInsertPolicy(QComboBox::NoInsert); // a name has bytes, which what is typed has not
    m_owner->setMinimumContentsLength(36);
    fill(owners, first);
    auto* label = new PlainLabel(tr("&Owner:"), this);
    label->setBuddy(m_owner);
    m_consequence->setObjectName(u"ownerConsequence"_s);
    m_consequence->setWordWrap(true);
    m_consequence->setMinimumHeight(5 * fontMetrics().lineSpacing());
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
        if (const Owner name = owner(); name && !m_locks.isEmpty())
            Q_EMIT confirmed(*name, m_locks);
        accept();
    });
    connect(m_owner, &QComboBox::currentTextChanged, this, &OwnerDialog::choose);
    connect(m_owner, &QComboBox::currentIndexChanged, this, &OwnerDialog::choose);

    auto* layout = new QVBoxLayout(this);
    layout->addWidget(label);
    layout->addWidget(m_owner);
    layout->addSpacing(fontMetrics().height() / 2);
    layout->addWidget(m_consequence);
    layout->addWidget(buttons);
    choose();
}

void OwnerDialog::fill(const OwnersModel& owners, const Owner& first)
{
    int chosen = -1;
    for (int row = 0; row < owners.rowCount(); ++row) {
        const auto name = owners.ownerAt(row);
        if (!name || name->size() > longestName)
            continue;
        if (name == first)
            chosen = m_owner->count();
        m_owner->addItem(printableText(*name), QByteArray::fromStdString(*name));
    }
    if (first && chosen < 0 && first->size() <= longestName) {
        chosen = m_owner->count(); // one of the many that the list of owners has no room for
        m_owner->addItem(printableText(*first), QByteArray::fromStdString(*first));
    }
    if (chosen >= 0)
        m_owner->setCurrentIndex(chosen);
}

//! What is typed; a name picked from the list is meant byte by byte. None: several are written so.
Owner OwnerDialog::owner() const
{
    const QString text = m_owner->currentText();
    int found = m_owner->currentIndex();
    if (found < 0 || m_owner->itemText(found) != text) {
        found = -1;
        for (int row = 0; row < m_owner->count(); ++row) {
            if (m_owner->itemText(row) != text)
                continue;
            if (found >= 0)
                return {};
            found = row;
        }
    }
    return found < 0 ? text.toStdString() : m_owner->itemData(found).toByteArray().toStdString();
}

void OwnerDialog::choose()
{
    const Owner name = owner();
    m_locks = SeenLocks();
    // Of another provider that is shown by now, these owners are not.
    if (name && !name->empty() && m_shown == m_model.keptStore())
        m_locks = SeenLocks::allOf(m_provider, m_model, *name);
    const QString many = countText(m_locks.count(), u"lock"_s);
    m_release->setText(tr("Release %1").arg(many));
    m_release->setEnabled(!m_locks.isEmpty());
    if (!name) {
        m_consequence->setText(tr("Several owners are written so: pick one from the list."));
    } else if (m_locks.isEmpty()) {
        m_consequence->setText(tr("This owner holds no lock now."));
    } else {
        QStringList lines{tr("%1 loses %2. Work that relies on holding what it locked may run "
                             "twice at the same time.")
                              .arg(inQuotes(*name), many),
                          placeText(m_locks, m_locks.summary()), loadingText(m_locks)};
        lines.removeAll(QString());
        m_consequence->setText(lines.join(u'\n'));
    }
}

} // namespace lockboard
