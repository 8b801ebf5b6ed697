// SPDX-License-Identifier: MIT
#include "ui/dialogs/acquire_dialog.h"

#include "ui/text/plain_label.h"
#include "ui/text/plain_text.h"
#include "ui/theme/accents.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QFontDatabase>
#include <QFormLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace lockboard {

using namespace Qt::StringLiterals;

static QDoubleSpinBox* secondsBox(const QString& name, double value, QWidget* parent)
{
    auto* box = new QDoubleSpinBox(parent);
    box->setObjectName(name);
    box->setRange(0.1, 315'360'000.0); // ten years
    box->setDecimals(1);
    box->setSuffix(u" s"_s);
    box->setGroupSeparatorShown(true);
    box->setValue(value);
    return box;
}

static QCheckBox* checkBox(const QString& name, const QString& text, QWidget* parent)
{
    auto* box = new QCheckBox(text, parent);
    box->setObjectName(name);
    return box;
}

AcquireDialog::AcquireDialog(std::string provider, const QString& owner, QWidget* parent)
    : QDialog(parent)
    , m_provider(std::move(provider))
    , m_keys(new QPlainTextEdit(this))
    , m_owner(new QLineEdit(owner, this))
    , m_noOwner(checkBox(u"acquireNoOwner"_s, tr("&No owner: anyone may release it"), this))
    , m_lease(secondsBox(u"acquireLease"_s, 60, this))
    , m_noLease(checkBox(u"acquireNoLease"_s, tr("Never e&xpires"), this))
    , m_waits(checkBox(u"acquireWaits"_s, tr("&Wait in line, at most"), this))
    , m_timeout(secondsBox(u"acquireTimeout"_s, 10, this))
    , m_claims(
          checkBox(u"acquireClaims"_s, tr("&Claim a lock that is held without an owner"), this))
    , m_problem(new PlainLabel(this))
{
    setObjectName(u"acquireDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Acquire Locks"));
    m_keys->setObjectName(u"acquireKeys"_s);
    m_keys->setTabChangesFocus(true);
    m_keys->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_keys->setPlaceholderText(tr("One key per line; all are taken, or none"));
    m_keys->setFixedHeight(6 * fontMetrics().lineSpacing());
    m_owner->setObjectName(u"acquireOwner"_s);
    m_problem->setObjectName(u"acquireProblem"_s);
    build();
    connect(m_noOwner, &QCheckBox::toggled, m_owner, &QWidget::setDisabled);
    connect(m_noLease, &QCheckBox::toggled, m_lease, &QWidget::setDisabled);
    connect(m_waits, &QCheckBox::toggled, m_timeout, &QWidget::setEnabled);
    m_timeout->setEnabled(false);
}

void AcquireDialog::build()
{
    m_problem->setWordWrap(true);
    m_problem->hide();
    QPalette alarm = m_problem->palette();
    alarm.setColor(QPalette::WindowText, Accents::of(alarm).bad);
    m_problem->setPalette(alarm);
    m_timeout->setAccessibleName(tr("How long to wait, in seconds"));

    auto* wait = new QHBoxLayout;
    wait->addWidget(m_waits);
    wait->addWidget(m_timeout);
    wait->addStretch();
    auto* lease = new QHBoxLayout;
    lease->addWidget(m_lease);
    lease->addWidget(m_noLease);
    lease->addStretch();
    const auto label = [this](const QString& text, QWidget* buddy) {
        auto* made = new PlainLabel(text, this);
        made->setBuddy(buddy);
        return made;
    };

    auto* place = new PlainLabel(shownText(m_provider), this);
    place->setObjectName(u"acquireProvider"_s);
    place->setWordWrap(true);
    auto* form = new QFormLayout;
    form->addRow(label(tr("Provider:"), nullptr), place);
    form->addRow(label(tr("&Keys:"), m_keys), m_keys);
    form->addRow(label(tr("&Owner:"), m_owner), m_owner);
    form->addRow(nullptr, m_noOwner);
    form->addRow(label(tr("&Lease:"), m_lease), lease);
    form->addRow(nullptr, wait);
    form->addRow(nullptr, m_claims);

    auto* buttons = new QDialogButtonBox(this);
    m_acquire = buttons->addButton(tr("&Acquire"), QDialogButtonBox::AcceptRole);
    m_acquire->setObjectName(u"acquireButton"_s);
    m_acquire->setDefault(true);
    buttons->addButton(QDialogButtonBox::Cancel)->setObjectName(u"cancelButton"_s);
    connect(buttons, &QDialogButtonBox::accepted, this, &AcquireDialog::submit);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);

    auto* layout = new QVBoxLayout(this);
    layout->addLayout(form);
    layout->addWidget(m_problem);
    layout->addWidget(buttons);
    setMinimumWidth(60 * fontMetrics().averageCharWidth());
}

LockKeys AcquireDialog::keys() const
{
    std::vector<std::string> keys;
    for (const QString& line : m_keys->toPlainText().split(u'\n')) {
        if (!line.trimmed().isEmpty())
            keys.push_back(line.toStdString());
    }
    return LockKeys(std::move(keys));
}

static Duration milliseconds(const QDoubleSpinBox* box)
{
    return Duration(qRound64(box->value() * 1000));
}

AcquireOptions AcquireDialog::options() const
{
    AcquireOptions options;
    options.at(m_provider);
    if (!m_noOwner->isChecked())
        options.ownedBy(m_owner->text().toStdString());
    if (!m_noLease->isChecked())
        options.expiringIn(milliseconds(m_lease));
    if (m_waits->isChecked())
        options.waiting(milliseconds(m_timeout));
    // Unless the operator says so, nothing that somebody else took is taken over.
    return options.exclusively(!m_claims->isChecked());
}

void AcquireDialog::submit()
{
    m_acquire->setEnabled(false);
    m_acquire->setText(m_waits->isChecked() ? tr("Waiting…") : tr("Acquiring…"));
    m_problem->hide();
    Q_EMIT submitted(keys(), options());
}

void AcquireDialog::finish(const QString& problem)
{
    if (problem.isEmpty()) {
        accept();
        return;
    }
    m_acquire->setEnabled(true);
    m_acquire->setText(tr("&Acquire"));
    m_problem->setText(problem);
    m_problem->show();
    adjustSize();
}

} // namespace lockboard
