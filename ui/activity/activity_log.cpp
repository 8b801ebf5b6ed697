// SPDX-License-Identifier: MIT
#include "ui/activity/activity_log.h"

#include "ui/text/plain_text.h"
#include "ui/theme/accents.h"

#include <QGuiApplication>

#include <algorithm>

namespace lockboard {

using namespace Qt::StringLiterals;

quint64 ActivityLog::begin(const QString& action, const QString& subject)
{
    if (rowCount() == mostEntries) {
        beginRemoveRows({}, mostEntries - 1, mostEntries - 1);
        m_entries.pop_back();
        endRemoveRows();
    }
    beginInsertRows({}, 0, 0);
    m_entries.push_front(
        Entry{++m_lastId, QTime::currentTime(), action, subject, tr("Running…"), {}});
    endInsertRows();
    return m_lastId;
}

void ActivityLog::finish(quint64 id, Outcome outcome, const QString& result)
{
    const auto it = std::find_if(m_entries.begin(), m_entries.end(),
                                 [id](const Entry& entry) { return entry.id == id; });
    if (it == m_entries.end())
        return;
    it->outcome = outcome;
    it->result = result;
    const int row = static_cast<int>(it - m_entries.begin());
    Q_EMIT dataChanged(index(row, 0), index(row, Result));
}

int ActivityLog::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

int ActivityLog::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : Result + 1;
}

QVariant ActivityLog::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const Entry& entry = m_entries[std::size_t(index.row())];
    if (role == OutcomeRole)
        return static_cast<int>(entry.outcome);
    if (role == Qt::ForegroundRole && index.column() == Result) {
        const Accents accents = Accents::of(QGuiApplication::palette());
        if (entry.outcome == Outcome::Failed)
            return accents.bad;
        if (entry.outcome == Outcome::Partly)
            return accents.warning;
        return {};
    }
    if (role == Qt::AccessibleTextRole && index.column() == Time)
        return u"%1, %2: %3"_s.arg(entry.action, entry.subject, entry.result);
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole)
        return {};
    const QString cells[] = {entry.time.toString(u"HH:mm:ss"_s), entry.action, entry.subject,
                             entry.result};
    const QString& text = cells[index.column()];
    return role == Qt::ToolTipRole ? tipText(text) : text;
}

QVariant ActivityLog::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section > Result)
        return {};
    static const QString titles[] = {tr("Time"), tr("Action"), tr("Locks"), tr("Outcome")};
    if (role == Qt::DisplayRole)
        return titles[section];
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::AlignLeft | Qt::AlignVCenter);
    return {};
}

} // namespace lockboard
