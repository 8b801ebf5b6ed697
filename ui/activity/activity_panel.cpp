// SPDX-License-Identifier: MIT
#include "ui/activity/activity_panel.h"

#include "ui/activity/activity_log.h"
#include "ui/activity/progress_strip.h"
#include "ui/text/plain_copy.h"
#include "ui/theme/heading.h"

#include <QHeaderView>
#include <QTableView>
#include <QVBoxLayout>

namespace lockboard {

ActivityPanel::ActivityPanel(ActivityLog& log, Commands& commands, QWidget* parent)
    : QWidget(parent)
{
    auto* table = new QTableView(this);
    table->setObjectName(QStringLiteral("activityTable"));
    table->setAccessibleName(tr("Activity"));
    table->setModel(&log);
    new PlainCopy(table);
    table->setFrameShape(QFrame::NoFrame);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->setTabKeyNavigation(false);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->verticalHeader()->hide();
    table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() * 3 / 2);
    table->horizontalHeader()->setStretchLastSection(true);
    table->horizontalHeader()->setHighlightSections(false);
    const int letter = fontMetrics().averageCharWidth();
    table->setColumnWidth(ActivityLog::Time, 12 * letter);
    table->setColumnWidth(ActivityLog::Action, 16 * letter);
    table->setColumnWidth(ActivityLog::Subject, 36 * letter);

    auto* heading = new Heading(tr("Activity"), this);
    heading->setBuddy(table);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(new ProgressStrip(commands, this));
    layout->addWidget(heading);
    layout->addWidget(table);
}

} // namespace lockboard
