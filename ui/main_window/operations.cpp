// SPDX-License-Identifier: MIT
#include "ui/main_window/operations.h"

#include "engine/module/default_owner.h"
#include "ui/dialogs/acquire_dialog.h"
#include "ui/dialogs/confirmation.h"
#include "ui/dialogs/owner_dialog.h"
#include "ui/dialogs/question_text.h"
#include "ui/locks/formatting.h"
#include "ui/locks/lock_table_model.h"
#include "ui/locks/session_text.h"
#include "ui/session/commands.h"

#include <QPointer>

#include <algorithm>

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

void Operations::acquire(const std::string& provider)
{
    auto* dialog = new AcquireDialog(provider, QString::fromStdString(uniqueOwner()), m_window);
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

void Operations::ask(const QString& question, const QStringList& lines, const QString& verb,
                     const QString& subject, const SeenLocks& locks)
{
    QStringList said = lines;
    said.removeAll(QString());
    auto* asks = new Confirmation(question, said.join(u"\n"_s), verb, m_window);
    connect(asks, &Confirmation::confirmed, this,
            [this, subject, locks] { m_commands.release(subject, locks); });
    asks->open();
}

void Operations::release(const SeenLocks& locks)
{
    if (locks.isEmpty())
        return;
    const SeenLocks::Summary summary = locks.summary();
    const QString heldCount = countText(summary.held, u"lock"_s);
    const QString overCount = countText(summary.over, u"lock"_s);
    const QString first = inQuotes(summary.firstKeys.front());
    QString question;
    QString verb = tr("Release %1").arg(heldCount);
    QStringList lines;
    if (summary.held == 1)
        question = tr("Release the lock %1?").arg(first);
    else if (summary.held > 1)
        question = tr("Release %1?").arg(heldCount);
    if (summary.held > 0)
        lines << holdersText(summary) + u' ' + warningText();
    if (summary.held == 0) {
        question = summary.over == 1 ? tr("Remove what is left of the lock %1?").arg(first)
                                     : tr("Remove what is left of %1?").arg(overCount);
        verb = tr("Remove");
        lines << residueText(summary);
    } else if (summary.over > 0) {
        lines << (summary.over == 1 ? tr("1 more is over: only what is left of it is removed.")
                                    : tr("%1 more are over: only what is left of them is removed.")
                                          .arg(numberText(summary.over)));
    }
    if (locks.sessions() > 0) {
        lines << (locks.sessions() == 1
                      ? tr("1 advisory lock of a session stays: only End Session… frees it.")
                      : tr("%1 advisory locks of sessions stay: only End Session… frees "
                           "those.")
                            .arg(numberText(locks.sessions())));
    }
    lines << placeText(locks, summary);
    const QString subject = locks.count() == 1 ? isolated(shownText(summary.firstKeys.front()))
                                               : countText(locks.count(), u"lock"_s);
    ask(question, lines, verb, subject, locks);
}

void Operations::releaseOwner(const std::string& provider, const std::string& owner)
{
    const SeenLocks locks = SeenLocks::allOf(provider, m_locks, owner);
    const QString name = inQuotes(owner);
    if (locks.isEmpty()) {
        auto* told = new Confirmation(tr("%1 holds no lock any more.").arg(name),
                                      tr("At %1 there is nothing of this owner's to release.")
                                          .arg(isolated(shownText(provider))),
                                      QString(), m_window);
        told->open();
        return;
    }
    const QString many = countText(locks.count(), u"lock"_s);
    const QString question = locks.isComplete()
        ? tr("Release %1 of %2?").arg(many, name)
        : tr("Release %1 of %2, all that are listed so far?").arg(many, name);
    ask(question,
        {tr("Every lock that this owner holds is released, also those that the filter hides.")
             + u' ' + warningText(),
         placeText(locks, locks.summary()), loadingText(locks)},
        tr("Release %1").arg(many), tr("all of %1").arg(name), locks);
}

void Operations::releaseByOwner(const std::string& provider, const Owner& first)
{
    auto* dialog = new OwnerDialog(provider, m_locks, m_owners, first, m_window);
    connect(dialog, &OwnerDialog::confirmed, this,
            [this](const std::string& owner, const SeenLocks& locks) {
                m_commands.release(tr("all of %1").arg(inQuotes(owner)), locks);
            });
    dialog->open();
}

void Operations::releaseAll(const std::string& provider)
{
    const SeenLocks locks = SeenLocks::everything(provider, m_locks);
    if (locks.isEmpty())
        return;
    const SeenLocks::Summary summary = locks.summary();
    const QString many = countText(locks.count(), u"lock"_s);
    const QString place = u'“' + isolated(shownText(provider)) + u'”';
    QString question;
    if (!locks.isComplete())
        question = tr("Release the %1 of %2 that are listed so far?").arg(many, place);
    else if (locks.count() == 1)
        question = tr("Release the only lock of %1?").arg(place);
    else
        question = tr("Release all %1 of %2?").arg(many, place);
    QStringList lines{tr("Everybody loses what they hold, also what the filter hides.") + u' '
                      + warningText()};
    if (summary.owners > 1)
        lines << holdersText(summary);
    lines << placeText(locks, summary) << loadingText(locks);
    if (m_locks.total() > locks.count())
        lines << tr("The rest of the list stays: what sessions hold, and what is no lock.");
    ask(question, lines, locks.isComplete() ? tr("Release all") : tr("Release %1").arg(many),
        tr("every lock"), locks);
}

static QString someNames(std::vector<std::string> names)
{
    constexpr std::size_t most = 10;
    const std::size_t count = names.size();
    names.resize(std::min(count, most));
    return namesText(names, count);
}

void Operations::endSession(const std::string& provider, const Lock& lock)
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
    const SeenSession session(std::move(locks));
    QStringList lines =
        sessionLines(session.note(), std::chrono::steady_clock::now(), store.holdersOf(lock.key));
    const std::vector<std::string> held = session.namesOf(true);
    const std::vector<std::string> awaited = session.namesOf(false);
    if (!held.empty())
        lines << tr("It holds %1").arg(someNames(held));
    if (!awaited.empty())
        lines << tr("It waits for %1").arg(someNames(awaited));
    lines << tr("Its transaction is rolled back and its connection closed");
    auto* asks = new Confirmation(tr("End the session %1?").arg(sessionName(session.note())),
                                  lines.join(u".\n"_s) + u'.', tr("End session"), m_window);
    connect(asks, &Confirmation::confirmed, this, [this, provider, session] {
        if (session.holdsForAJob())
            askWhetherItsJobMayRunOn(provider, session);
        else
            m_commands.endSession(provider, session);
    });
    asks->open();
}

void Operations::askWhetherItsJobMayRunOn(const std::string& provider, const SeenSession& session)
{
    auto* asks = new Confirmation(
        tr("Free the lock although its job may run on?"),
        tr("Medusa's execute holds its lock in a session of its own, and the job works on other "
           "connections: the lock is freed, but the job is not told. It may run on, and the next "
           "one beside it.\nTo be sure, stop the process that runs it first."),
        tr("End session"), m_window);
    asks->setObjectName(u"secondConfirmation"_s);
    connect(asks, &Confirmation::confirmed, this,
            [this, provider, session] { m_commands.endSession(provider, session); });
    asks->open();
}

} // namespace lockboard
