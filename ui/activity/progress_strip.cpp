// SPDX-License-Identifier: MIT
#include "ui/activity/progress_strip.h"

#include "ui/locks/formatting.h"
#include "ui/session/commands.h"
#include "ui/text/plain_label.h"

#include <QHBoxLayout>
#include <QProgressBar>
#include <QPushButton>

namespace lockboard {

ProgressStrip::ProgressStrip(Commands& commands, QWidget* parent)
    : QWidget(parent)
    , m_text(new PlainLabel(this))
    , m_bar(new QProgressBar(this))
{
    setObjectName(QStringLiteral("progressStrip"));
    auto* cancel = new QPushButton(tr("Cancel"), this);
    cancel->setObjectName(QStringLiteral("cancelOperation"));
    m_bar->setTextVisible(false);
    m_bar->setAccessibleName(tr("Progress"));
    auto* layout = new QHBoxLayout(this);
    const int gap = fontMetrics().height() / 2;
    layout->setContentsMargins(gap, gap / 2, gap, gap / 2);
    layout->addWidget(m_text);
    layout->addWidget(m_bar, 1);
    layout->addWidget(cancel);
    hide();
    connect(cancel, &QPushButton::clicked, &commands, &Commands::cancelAll);
    // The first report comes after a moment, so that what is quick shows nothing at all.
    connect(&commands, &Commands::progressed, this, &ProgressStrip::report);
    connect(&commands, &Commands::runningChanged, this, [this](bool running) {
        if (!running)
            hide();
    });
}

void ProgressStrip::report(quint64 done, quint64 total)
{
    constexpr int steps = 1000;
    if (total == 0) {
        m_text->setText(tr("Waiting for the lock"));
        m_bar->setRange(0, 0);
    } else {
        m_text->setText(
            tr("%1 of %2")
                .arg(numberText(std::min(done, total)), countText(total, QStringLiteral("lock"))));
        m_bar->setRange(0, steps);
        m_bar->setValue(static_cast<int>(std::min(done, total) * steps / total));
    }
    setVisible(true);
}

} // namespace lockboard
