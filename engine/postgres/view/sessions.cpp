// SPDX-License-Identifier: MIT
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/view/live_view.h"
#include "engine/postgres/wire/number.h"

#include <algorithm>

// How the live view shows the advisory locks of Medusa's executes.

namespace lockboard::postgres {

static constexpr std::size_t mostNames = 100'000;
static constexpr std::size_t longestName = 500;

//! What keys without a row hash to: a row that was here, or a call of this process.
void View::remember(std::string_view key, std::uint32_t hash)
{
    if (key.size() > longestName)
        return;
    if (m_names.size() >= mostNames)
        m_names.clear();
    m_names[hash] = key;
}

std::string View::nameOf(std::uint32_t hash) const
{
    const Id id = m_rows.firstOf(hash);
    if (id != Rows::none)
        return m_rows[id].key;
    const auto known = m_names.find(hash);
    return known != m_names.end() ? known->second : "advisory:" + std::to_string(hash);
}

View::Sessions View::sessionsIn(const Result& result, double serverNow, TimePoint now)
{
    Sessions sessions;
    if (result.isNull(0, SessionLock::firstColumn))
        return sessions;
    for (int row = 0; row < result.rows(); ++row) {
        SessionLock session(result, row, serverNow, now);
        const std::uint64_t which = std::uint64_t(session.hash) << 1 | (session.granted ? 1 : 0);
        const std::int64_t pid = session.note.fields().pid;
        sessions.try_emplace({which, pid}, Shown{std::move(session), {}});
    }
    return sessions;
}

//! The name is as good as it can be: a URL may give another one.
bool View::isLockboards(const SessionLock& session) const
{
    return session.note.fields().program.starts_with("lockboard")
        || m_provider->isOwnBackend(session.note.fields().pid);
}

//! An execute of a Lockboard's is listed as its row.
bool View::hasRow(const Shown& shown) const
{
    // A Lockboard holds one without a transaction.
    if (!shown.session.granted || (shown.isForeign && !isLockboards(shown.session)))
        return false;
    for (Id id = m_rows.firstOf(shown.session.hash); id != Rows::none; id = m_rows.nextOf(id)) {
        const Row& row = m_rows[id];
        if (row.state == Row::Held && row.seen == m_scan && row.owner.starts_with("execute:"))
            return true;
    }
    return false;
}

bool View::isOrphan(const Shown& shown) const
{
    return shown.session.granted && isLockboards(shown.session) && !hasRow(shown);
}

bool View::hasOrphans() const
{
    return std::ranges::any_of(m_looked, [this](const auto& one) { return isOrphan(one.second); });
}

//! Rows are read after locks: what had none may have been released in between.
void View::keepOrphansOf(const Result& result, TimePoint sentAt)
{
    const double server = serverTimeFrom(result.text(0, 0));
    const Sessions still = sessionsIn(result, server, noteTime(server, sentAt));
    std::erase_if(m_looked, [&](const auto& one) {
        return isOrphan(one.second) && !still.contains(one.first);
    });
}

bool View::isToBeShown(const Shown& shown) const
{
    if (hasRow(shown))
        return false;
    // It may have been released this moment, or its row not have been read yet.
    return !isOrphan(shown) || isSnapshotting() || (shown.looks > 1 && m_scan >= shown.tellingScan);
}

//! Brings what is said of advisory locks in line with what was read last.
void View::showSessions()
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
        if (before) {
            now.looks = before->looks + 1;
            now.tellingScan = before->tellingScan;
        }
        now.isForeign = (before && before->isForeign)
            || now.session.note.fields().activity.starts_with("idle in transaction");
        now.lock = before && !m_timeMoved && before->session.said == now.session.said
            ? before->lock
            : now.session.lock({});
        now.lock.key = nameOf(now.session.hash);
        now.isShown = isToBeShown(now);
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

} // namespace lockboard::postgres
