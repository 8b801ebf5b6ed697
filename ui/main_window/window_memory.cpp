// SPDX-License-Identifier: MIT
#include "ui/main_window/window_memory.h"

#include "ui/locks/lock_table_view.h"

#include <QMainWindow>
#include <QSettings>
#include <QSplitter>

namespace lockboard {

using namespace Qt::StringLiterals;

// Counted up when a layout changes so that the old one no longer fits.
static const QString group = u"window/2/"_s;

WindowMemory::WindowMemory(QMainWindow& window, QSplitter& sides, QSplitter& rows,
                           LockTableView& table)
    : m_window(window)
    , m_sides(sides)
    , m_rows(rows)
    , m_table(table)
{
}

void WindowMemory::restore()
{
    const QSettings settings;
    m_window.restoreGeometry(settings.value(group + u"geometry"_s).toByteArray());
    m_sides.restoreState(settings.value(group + u"sides"_s).toByteArray());
    m_rows.restoreState(settings.value(group + u"rows"_s).toByteArray());
    m_table.restoreColumns(settings.value(group + u"columns"_s).toByteArray());
}

void WindowMemory::save() const
{
    QSettings settings;
    settings.setValue(group + u"geometry"_s, m_window.saveGeometry());
    settings.setValue(group + u"sides"_s, m_sides.saveState());
    settings.setValue(group + u"rows"_s, m_rows.saveState());
    settings.setValue(group + u"columns"_s, m_table.columnState());
}

} // namespace lockboard
