// SPDX-License-Identifier: MIT
// What the table of locks says of each row.
#include "ui/locks/formatting.h"
#include "ui/locks/lock_table_model.h"
#include "ui/locks/session_text.h"

namespace lockboard {

using namespace Qt::StringLiterals;

int LockTableModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_visible.size());
}

int LockTableModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : lockColumns;
}

QVariant LockTableModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const LockRow& row = m_store->row(idAt(index.row()));
    const auto column = static_cast<LockColumn>(index.column());
    switch (role) {
    case Qt::DisplayRole:
        return text(row, column);
    case Qt::ToolTipRole:
        return tip(row, column);
    case Qt::FontRole: {
        if (column == LockColumn::Key)
            return m_keyFont;
        if (column != LockColumn::Holder || row.owner != noOwner || row.isOfSession())
            return {};
        QFont font;
        font.setItalic(true);
        return font;
    }
    case Qt::AccessibleTextRole:
        return column == LockColumn::Key ? sentence(row) : text(row, column);
    case LeaseEndRole:
        return row.leaseEnd == LockRow::never || row.state == LockState::Residue
            ? QVariant()
            : QVariant::fromValue(row.leaseEnd);
    case StateRole:
        return static_cast<int>(shownState(row));
    default:
        return {};
    }
}

QVariant LockTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= lockColumns)
        return {};
    static const QString titles[] = {tr("Key"), tr("Owner"), tr("Held by"), tr("TTL"), tr("State")};
    static const QString hints[] = {
        tr("What is locked"),
        tr("Who holds the lock"),
        tr("The program that took the lock, as it says itself: its host, name and process"),
        tr("Time to live: when the lease ends unless it is renewed.\n"
           "All bars have the same logarithmic scale, which ends at one hour."),
        tr("Held, about to expire (10 seconds or less), over but not cleaned up, held or waited "
           "for by a database session, or something that is no lock"),
    };
    if (role == Qt::DisplayRole)
        return titles[section];
    if (role == Qt::ToolTipRole)
        return hints[section];
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::AlignLeft | Qt::AlignVCenter);
    return {};
}

QString LockTableModel::text(const LockRow& row, LockColumn column) const
{
    switch (column) {
    case LockColumn::Key:
        return shownText(row.key);
    case LockColumn::Holder:
        if (row.state == LockState::WrongType || row.isOfSession())
            return u"–"_s;
        return row.owner == noOwner ? tr("no owner") : shownText(m_store->ownerName(row.owner));
    case LockColumn::HeldBy: {
        // As the system's log has it.
        const HolderNote::Fields& note = row.note.fields();
        if (row.isOfSession())
            return sessionName(note);
        return row.note.isEmpty()
            ? QString()
            : u"%1 %2[%3]"_s.arg(isolated(shownText(note.host)), isolated(shownText(note.program)),
                                 QString::number(note.pid));
    }
    case LockColumn::Ttl:
        if (row.isOfSession())
            return u"–"_s;
        if (row.state == LockState::Residue)
            return tr("over");
        return row.end() ? durationText(remaining(*row.end())) : tr("never expires");
    case LockColumn::State:
        break;
    }
    switch (shownState(row)) {
    case ShownState::Expiring:
        return tr("Expiring");
    case ShownState::NotALock: {
        const std::string& what = m_store->table().details[row.detail];
        return what.empty() ? tr("Not a lock") : tr("Not a lock (%1)").arg(shownText(what));
    }
    case ShownState::Residue:
        return tr("Residue");
    case ShownState::Advisory:
        return tr("In a session");
    case ShownState::Waiting:
        return tr("Waiting");
    case ShownState::Held:
        break;
    }
    return tr("Held");
}

QString LockTableModel::sentence(const LockRow& row) const
{
    const QString key = isolated(shownText(row.key));
    if (row.state == LockState::WrongType)
        return tr("%1 is not a lock and is left alone").arg(key);
    if (row.state == LockState::Advisory)
        return tr("The advisory lock %1 is held by %2").arg(key, sessionName(row.note.fields()));
    if (row.state == LockState::Waiting)
        return tr("%2 waits for the advisory lock %1").arg(key, sessionName(row.note.fields()));
    if (row.state == LockState::Residue)
        return tr("The lease of %1 is over, and nobody has cleaned up: Medusa's own package can't "
                  "take it; release it to remove what is left")
            .arg(key);
    const QString holder = row.owner == noOwner
        ? tr("held without an owner")
        : tr("held by %1").arg(isolated(shownText(m_store->ownerName(row.owner))));
    const QString lease =
        row.end() ? tr("%1 left").arg(durationText(remaining(*row.end()))) : tr("never expires");
    return tr("Lock %1, %2, %3").arg(key, holder, lease);
}

//! What the cell says in full, and what there is no column for.
QString LockTableModel::tip(const LockRow& row, LockColumn column) const
{
    QStringList lines{column == LockColumn::Key || column == LockColumn::Holder ? text(row, column)
                                                                                : sentence(row)};
    if (row.isOfSession()) {
        lines << sessionLines(row.note.fields(), m_now(), m_store->holdersOf(row.key));
    } else if (!row.note.isEmpty()) {
        const HolderNote::Fields& note = row.note.fields();
        lines << tr("Held by %1, process %2 on %3")
                     .arg(isolated(shownText(note.program)), QString::number(note.pid),
                          isolated(shownText(note.host)));
        lines << tr("Acquired %1, by that host's clock").arg(isolated(shownText(note.acquiredAt)));
        if (!note.requestId.empty())
            lines << tr("Request %1").arg(shownText(note.requestId));
    }
    if (row.token > 0)
        lines << tr("Fencing token %1").arg(row.token);
    return tipText(lines.join(u'\n'));
}

LockTableModel::ShownState LockTableModel::shownState(const LockRow& row) const
{
    switch (row.state) {
    case LockState::WrongType:
        return ShownState::NotALock;
    case LockState::Residue:
        return ShownState::Residue;
    case LockState::Advisory:
        return ShownState::Advisory;
    case LockState::Waiting:
        return ShownState::Waiting;
    case LockState::Held:
        break;
    }
    return row.end() && remaining(*row.end()) <= expiringSoon ? ShownState::Expiring
                                                              : ShownState::Held;
}

} // namespace lockboard
