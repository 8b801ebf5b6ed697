// SPDX-License-Identifier: MIT
#include "engine/postgres/postgres_live_view.h"

#include <algorithm>

// How the live view shows the advisory locks of Medusa's executes.

namespace lockboard {

static constexpr std::size_t mostNames = 100'000;
static constexpr std::size_t longestName = 500;

//! What keys without a row hash to: a row that was here, or a call of this process.
void PostgresLiveView::remember(std::string_view key, std::uint32_t hash)
{
    if (key.size() > longestName)
        return;
    if (m_names.size() >= mostNames)
        m_names.clear();
    m_names[hash] = key;
}

std::string PostgresLiveView::nameOf(std::uint32_t hash) const
{
    const Id id = m_rows.firstOf(hash);
    if (id != PostgresRows::none)
        return m_rows[id].key;
    const auto known = m_names.find(hash);
    return known != m_names.end() ? known->second : "advisory:" + std::to_string(hash);
}

//! Then its row shows already.
bool PostgresLiveView::isExecuteOfOurs(const Shown& shown) const
{
    if (!shown.session.isLockboards())
        return false;
    for (Id id = m_rows.firstOf(shown.session.hash); id != PostgresRows::none;
         id = m_rows.nextOf(id)) {
        if (m_rows[id].state == PostgresRow::Held && m_rows[id].owner.starts_with("execute:"))
            return true;
    }
    return shown.looks < 2; // it may have been released this moment
}

//! Brings what is said of advisory locks in line with what was read last.
void PostgresLiveView::showSessions()
{
    const auto change = [this](ChangeKind kind, const Lock& lock) {
        m_changed = true;
        if (isSnapshotting() && kind == ChangeKind::Acquired)
            m_batch.push_back(lock);
        else if (!isSnapshotting())
            note(kind, lock);
    };
    for (auto& [which, now] : m_looked) {
        const auto known = m_sessions.find(which);
        Shown* const before = known == m_sessions.end() ? nullptr : &known->second;
        if (before)
            now.looks = before->looks + 1;
        now.lock = before && !m_timeMoved && before->session.said == now.session.said
            ? before->lock
            : now.session.lock({});
        now.lock.key = nameOf(now.session.hash);
        now.isShown = !isExecuteOfOurs(now);
        const bool wasShown = before && before->isShown && !isSnapshotting();
        if (wasShown && (!now.isShown || before->lock.key != now.lock.key))
            change(ChangeKind::Released, before->lock);
        if (!now.isShown)
            continue;
        if (!wasShown || before->lock.key != now.lock.key)
            change(ChangeKind::Acquired, now.lock);
        else if (before->lock != now.lock)
            change(ChangeKind::Extended, now.lock);
    }
    for (const auto& [which, before] : m_sessions) {
        if (before.isShown && !m_looked.contains(which))
            change(ChangeKind::Released, before.lock);
    }
    m_sessions = std::exchange(m_looked, {});
}

} // namespace lockboard
