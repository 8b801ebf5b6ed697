// SPDX-License-Identifier: MIT
#include "ui/providers/providers_model.h"

#include "ui/locks/formatting.h"
#include "ui/theme/side_delegate.h"

#include <QPointer>

namespace lockboard {

using namespace Qt::StringLiterals;
using Mark = SideDelegate::Mark;

ProvidersModel::ProvidersModel(LockingModule& module, QObject* parent)
    : QAbstractListModel(parent)
    , m_module(module)
{
    for (const ProviderInfo& info : module.providers())
        m_entries.push_back(Entry{info, Health::Unknown, {}});
}

void ProvidersModel::setShown(const std::string& id, const SourceState& state)
{
    m_shown = rowOf(id);
    m_state = state;
    Q_EMIT dataChanged(index(0), index(rowCount() - 1));
}

void ProvidersModel::checkOthers()
{
    for (int row = 0; row < rowCount(); ++row) {
        if (row != m_shown)
            letRun(check(row));
    }
}

Task<> ProvidersModel::check(int row)
{
    const QPointer<ProvidersModel> self(this);
    CheckReport report;
    try {
        report = co_await m_module.check(idAt(row));
    } catch (const LockError& error) {
        report.reachable = false;
        report.findings.emplace_back(Finding::Problem, error.message());
    } catch (...) {
        report.reachable = false;
        report.findings.emplace_back(Finding::Problem, messageOf(std::current_exception()));
    }
    if (!self)
        co_return;
    Entry& entry = m_entries[std::size_t(row)];
    entry.health = report.reachable ? Health::Answers : Health::Silent;
    entry.why.clear();
    for (const Finding& finding : report.findings) {
        if (finding.level == Finding::Problem && entry.why.isEmpty())
            entry.why = sentenceText(finding.sentence);
    }
    Q_EMIT dataChanged(index(row), index(row));
}

int ProvidersModel::rowOf(const std::string& id) const
{
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
        if (m_entries[i].info.id == id)
            return static_cast<int>(i);
    }
    return -1;
}

int ProvidersModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

static Mark markOf(SourceState::Kind kind)
{
    switch (kind) {
    case SourceState::Live:
        return Mark::Good;
    case SourceState::Connecting:
    case SourceState::Stale:
        return Mark::Warning;
    case SourceState::Failed:
        break;
    }
    return Mark::Bad;
}

QString ProvidersModel::stateText(int row) const
{
    if (row == m_shown) {
        static const QString words[] = {tr("connecting"), tr("live"), tr("stale"), tr("failed")};
        return words[m_state.kind];
    }
    static const QString words[] = {tr("asking"), tr("answers"), tr("no answer")};
    return words[int(m_entries[std::size_t(row)].health)];
}

QVariant ProvidersModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const int row = index.row();
    const Entry& entry = m_entries[std::size_t(row)];
    switch (role) {
    case Qt::DisplayRole:
        return shownText(entry.info.id);
    case Qt::ToolTipRole: {
        QString text = u"%1: %2, %3"_s.arg(shownText(entry.info.id),
                                           shownText(entry.info.identifier), stateText(row));
        if (entry.info.isDefault)
            text += u", "_s + tr("the default");
        const QString why = row == m_shown ? m_state.why : entry.why;
        return tipText(why.isEmpty() ? text : text + u'\n' + why);
    }
    case Qt::AccessibleTextRole:
        return tr("%1, %2").arg(shownText(entry.info.id), stateText(row));
    case SideDelegate::NoteRole:
        return stateText(row);
    case SideDelegate::MarkRole:
        if (row == m_shown)
            return int(markOf(m_state.kind));
        return int(entry.health == Health::Silent ? Mark::Bad : Mark::Idle);
    default:
        return {};
    }
}

} // namespace lockboard
