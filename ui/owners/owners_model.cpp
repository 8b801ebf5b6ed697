// SPDX-License-Identifier: MIT
#include "ui/owners/owners_model.h"

#include "ui/locks/formatting.h"
#include "ui/theme/side_delegate.h"

#include <algorithm>

namespace lockboard {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

static std::chrono::milliseconds restFor(std::size_t owners)
{
    if (owners < 1000)
        return 0ms;
    return owners < 50'000 ? 250ms : 2s;
}

OwnersModel::OwnersModel(const LockTableModel& locks, QObject* parent)
    : QAbstractListModel(parent)
    , m_locks(locks)
    , m_entries(count())
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &OwnersModel::update);
    connect(&locks, &LockTableModel::countsChanged, this, [this] {
        // Counting goes over all owners: the more there are, the rarer.
        if (!m_timer.isActive())
            m_timer.start(restFor(m_locks.store().ownerSlots()));
    });
}

std::vector<OwnersModel::Entry> OwnersModel::count() const
{
    const LockStore& store = m_locks.store();
    std::vector<OwnerId> owners;
    std::uint64_t jobs = 0;
    for (std::size_t id = noOwner + 1; id < store.ownerSlots(); ++id) {
        const std::uint64_t held = store.ownerCount(OwnerId(id));
        if (held == 0)
            continue;
        if (store.ownerName(OwnerId(id)).starts_with("execute:"))
            jobs += held;
        else
            owners.push_back(OwnerId(id));
    }
    const auto comesFirst = [&](OwnerId a, OwnerId b) {
        const auto countA = store.ownerCount(a);
        const auto countB = store.ownerCount(b);
        return countA != countB ? countA > countB : store.ownerName(a) < store.ownerName(b);
    };
    const std::size_t shown = std::min(owners.size(), mostOwners);
    std::partial_sort(owners.begin(), owners.begin() + std::ptrdiff_t(shown), owners.end(),
                      comesFirst);

    std::vector<Entry> entries;
    entries.push_back({Kind::All, store.size(), {}});
    if (store.countOf({}) > 0)
        entries.push_back({Kind::NoOwner, store.countOf({}), {}});
    if (jobs > 0)
        entries.push_back({Kind::Jobs, jobs, {}});
    for (std::size_t i = 0; i < shown; ++i)
        entries.push_back(
            {Kind::OneOwner, store.ownerCount(owners[i]), store.ownerName(owners[i])});
    return entries;
}

void OwnersModel::update()
{
    std::vector<Entry> entries = count();
    if (entries == m_entries)
        return;
    // Whoever is on an entry stays on it, wherever it goes: what is done there must be about it.
    Q_EMIT layoutAboutToBeChanged();
    const QModelIndexList before = persistentIndexList();
    std::vector<Entry> kept;
    for (const QModelIndex& index : before)
        kept.push_back(m_entries[std::size_t(index.row())]);
    m_entries = std::move(entries);
    QModelIndexList after;
    for (const Entry& one : kept) {
        const auto it = std::find_if(m_entries.begin(), m_entries.end(), [&](const Entry& entry) {
            return entry.kind == one.kind && entry.name == one.name;
        });
        after << (it == m_entries.end() ? QModelIndex() : index(int(it - m_entries.begin())));
    }
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged();
    Q_EMIT dataChanged(index(0), index(rowCount() - 1));
    Q_EMIT updated();
}

QString OwnersModel::filterOf(const Entry& entry)
{
    switch (entry.kind) {
    case Kind::All:
        return {};
    case Kind::NoOwner:
        return LockFilter::textFor({});
    case Kind::Jobs:
        return u"owner:execute:"_s;
    case Kind::OneOwner:
        break;
    }
    return LockFilter::textFor(entry.name);
}

std::optional<std::string> OwnersModel::ownerAt(int row) const
{
    if (row < 0 || row >= rowCount() || m_entries[std::size_t(row)].kind != Kind::OneOwner)
        return {};
    return m_entries[std::size_t(row)].name;
}

int OwnersModel::rowOfFilter(const QString& filter) const
{
    const auto it = std::find_if(m_entries.begin(), m_entries.end(),
                                 [&](const Entry& entry) { return filterOf(entry) == filter; });
    return it == m_entries.end() ? -1 : static_cast<int>(it - m_entries.begin());
}

int OwnersModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

QVariant OwnersModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const Entry& entry = m_entries[std::size_t(index.row())];
    const auto name = [&] {
        switch (entry.kind) {
        case Kind::All:
            return tr("All locks");
        case Kind::NoOwner:
            return tr("No owner");
        case Kind::Jobs:
            return tr("Jobs (execute)");
        case Kind::OneOwner:
            break;
        }
        return shownText(entry.name);
    };
    switch (role) {
    case Qt::DisplayRole:
        return name();
    case Qt::ToolTipRole:
        return tipText(name());
    case Qt::AccessibleTextRole:
        return tr("%1, %2").arg(name(), countText(entry.count, u"lock"_s));
    case SideDelegate::NoteRole:
        return numberText(entry.count);
    case FilterRole:
        return filterOf(entry);
    default:
        return {};
    }
}

} // namespace lockboard
