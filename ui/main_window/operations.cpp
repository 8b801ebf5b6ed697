// SPDX-License-Identifier: MIT
#include "ui/main_window/operations.h"

#include "engine/audit_log.h"
#include "ui/dialogs/acquire_dialog.h"
#include "ui/dialogs/confirmation.h"
#include "ui/dialogs/owner_dialog.h"
#include "ui/locks/formatting.h"
#include "ui/locks/lock_table_model.h"
#include "ui/locks/session_text.h"
#include "ui/session/commands.h"

#include <QPointer>

#include <set>

namespace lockboard {

using namespace Qt::StringLiterals;

Operations::Operations(Commands& commands, const LockTableModel& locks, const OwnersModel& owners,
                       QWidget* window)
    : QObject(window)
    , m_commands(commands)
    , m_locks(locks)
    , m_owners(owners)
    , m_window(window)
{
}

void Operations::acquire()
{
    const QString operatorName = QString::fromStdString(AuditLog::defaultOperator());
    auto* dialog = new AcquireDialog(operatorName, m_window);
    connect(dialog, &AcquireDialog::submitted, this,
            [this, dialog](const LockKeys& keys, const AcquireOptions& options) {
                const QPointer<AcquireDialog> asker(dialog);
                std::stop_source stop =
                    m_commands.acquire(keys, options, [asker](const QString& problem) {
                        if (asker)
                            asker->finish(problem);
                    });
                // Who closes the dialog no longer wants to wait.
                connect(dialog, &QDialog::rejected, this,
                        [stop]() mutable { stop.request_stop(); });
            });
    dialog->open();
}

//! Of those that are held.
static QString holdersText(const std::vector<Lock>& locks)
{
    std::set<Owner> owners;
    for (const Lock& lock : locks)
        owners.insert(lock.owner);
    const Owner& first = *owners.begin();
    if (owners.size() > 1)
        return Operations::tr("They have %1 different holders.").arg(numberText(owners.size()));
    if (locks.size() == 1)
        return first ? Operations::tr("It is held by %1.").arg(inQuotes(*first))
                     : Operations::tr("It is held without an owner.");
    return first ? Operations::tr("They are held by %1.").arg(inQuotes(*first))
                 : Operations::tr("They are held without an owner.");
}

static QString warningText()
{
    return Operations::tr("Holders are not told: work that relies on a lock may then run twice "
                          "at the same time.");
}

static QString residueText(const std::vector<Lock>& over)
{
    if (over.size() > 1)
        return Operations::tr("Their leases are over, and nobody has cleaned up: no work is "
                              "interrupted. One that somebody takes meanwhile is left alone.");
    const QString holder = over.front().owner
        ? Operations::tr("its holder %1 has not cleaned up").arg(inQuotes(*over.front().owner))
        : Operations::tr("nobody has cleaned up");
    return Operations::tr("Its lease is over, and %1: no work is interrupted. If somebody takes it "
                          "meanwhile, it is left alone.")
        .arg(holder);
}

static QString onlyKey(const std::vector<Lock>& locks)
{
    return inQuotes(locks.front().key);
}

void Operations::release(std::vector<Lock> locks)
{
    std::size_t sessions = 0;
    std::erase_if(locks, [&](const Lock& lock) {
        sessions += lock.isOfSession() ? 1 : 0;
        return lock.state != LockState::Held && lock.state != LockState::Residue;
    });
    if (locks.empty())
        return;
    std::vector<Lock> held, over;
    for (const Lock& lock : locks)
        (lock.state == LockState::Residue ? over : held).push_back(lock);

    const QString heldCount = countText(held.size(), u"lock"_s);
    const QString overCount = countText(over.size(), u"lock"_s);
    QString question;
    QString verb = tr("Release %1").arg(heldCount);
    QStringList lines;
    if (held.size() == 1)
        question = tr("Release the lock %1?").arg(onlyKey(held));
    else if (!held.empty())
        question = tr("Release %1?").arg(heldCount);
    if (!held.empty())
        lines << holdersText(held) + u' ' + warningText();
    if (held.empty()) {
        question = over.size() == 1 ? tr("Remove what is left of the lock %1?").arg(onlyKey(over))
                                    : tr("Remove what is left of %1?").arg(overCount);
        verb = tr("Remove");
        lines << residueText(over);
    } else if (!over.empty()) {
        lines << (over.size() == 1 ? tr("1 more is over: only what is left of it is removed.")
                                   : tr("%1 more are over: only what is left of them is removed.")
                                         .arg(numberText(over.size())));
    }
    if (sessions > 0) {
        lines << (sessions == 1
                      ? tr("1 advisory lock of a session stays: only End Session… frees it.")
                      : tr("%1 advisory locks of sessions stay: only End Session… frees "
                           "those.")
                            .arg(numberText(sessions)));
    }
    auto* asks = new Confirmation(question, lines.join(u"\n"_s), verb, m_window);
    connect(asks, &Confirmation::confirmed, this,
            [this, locks = std::move(locks)] { m_commands.release(locks); });
    asks->open();
}

void Operations::releaseOwner(const std::string& owner)
{
    const std::uint64_t count = m_locks.store().countOf(owner);
    const QString many = countText(count, u"lock"_s);
    auto* asks =
        new Confirmation(tr("Release %1 of %2?").arg(many, inQuotes(owner)),
                         tr("Every lock that this owner holds is released, also those that "
                            "the filter hides.")
                             + u' ' + warningText(),
                         tr("Release %1").arg(many), m_window);
    connect(asks, &Confirmation::confirmed, this,
            [this, owner, count] { m_commands.releaseAll(owner, count); });
    asks->open();
}

void Operations::releaseByOwner(const Owner& first)
{
    auto* dialog = new OwnerDialog(m_locks, m_owners, first, m_window);
    connect(dialog, &OwnerDialog::confirmed, this,
            [this](const std::string& owner, std::uint64_t count) {
                m_commands.releaseAll(owner, count);
            });
    dialog->open();
}

void Operations::releaseAll(const QString& provider)
{
    const std::uint64_t count = m_locks.store().releasable();
    const QString question = count == 1
        ? tr("Release the only lock of “%1”?").arg(provider)
        : tr("Release all %1 of “%2”?").arg(countText(count, u"lock"_s), provider);
    QString text =
        tr("Everybody loses what they hold, also what the filter hides.") + u' ' + warningText();
    if (m_locks.total() > count)
        text += u'\n' + tr("The rest of the list stays: what sessions hold, and what is no lock.");
    auto* asks = new Confirmation(question, text, tr("Release all"), m_window);
    connect(asks, &Confirmation::confirmed, this,
            [this, count] { m_commands.releaseAll({}, count); });
    asks->open();
}

static QString keysText(const std::vector<std::string>& names)
{
    static constexpr std::size_t most = 10;
    QStringList keys;
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
        keys << inQuotes(names[i]);
    QString text = keys.join(u", "_s);
    if (names.size() > most)
        text += Operations::tr(" and %1 more").arg(numberText(names.size() - most));
    return text;
}

void Operations::endSession(const Lock& lock)
{
    const LockStore& store = m_locks.store();
    std::vector<Lock> locks;
    for (const RowId id : store.sessionRows(lock.note.fields().pid)) {
        const LockRow& row = store.row(id);
        Lock& listed = locks.emplace_back(row.key, Owner(), std::nullopt, row.state);
        listed.note = row.note;
    }
    if (locks.empty()) // it has gone this moment
        return;
    const ListedSession session(std::move(locks));
    QStringList lines =
        sessionLines(session.note(), std::chrono::steady_clock::now(), store.holdersOf(lock.key));
    const std::vector<std::string> held = session.names(LockState::Advisory);
    const std::vector<std::string> awaited = session.names(LockState::Waiting);
    if (!held.empty())
        lines << tr("It holds %1").arg(keysText(held));
    if (!awaited.empty())
        lines << tr("It waits for %1").arg(keysText(awaited));
    lines << tr(
        "Its transaction is rolled back and its connection closed: what it was doing fails.");
    auto* asks = new Confirmation(tr("End the session %1?").arg(sessionName(session.note())),
                                  lines.join(u".\n"_s), tr("End session"), m_window);
    connect(asks, &Confirmation::confirmed, this,
            [this, session] { m_commands.endSession(session); });
    asks->open();
}

} // namespace lockboard
