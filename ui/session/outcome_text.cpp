// SPDX-License-Identifier: MIT
#include "ui/session/outcome_text.h"

#include "ui/locks/formatting.h"

#include <QCoreApplication>

namespace lockboard {

using namespace Qt::StringLiterals;

static QString holderText(const Owner& holder)
{
    return holder ? u"held by "_s + inQuotes(*holder) : u"held without an owner"_s;
}

QString problemText(const LockError& error)
{
    const auto* conflict = dynamic_cast<const Conflict*>(&error);
    if (!conflict)
        return sentenceText(error.message());
    const QString lease = conflict->remaining()
        ? u"its lease ends in %1 unless it is renewed"_s.arg(durationText(*conflict->remaining()))
        : u"its lease never ends"_s;
    return u"%1 is %2; %3."_s.arg(inQuotes(conflict->key()), holderText(conflict->holder()), lease);
}

QString grantText(const Grant& grant, TimePoint now)
{
    QString text = grant.isExtension() ? u"Extended"_s : u"Granted"_s;
    if (grant.leaseEnd())
        text += u" for "_s + durationText(std::chrono::round<Duration>(*grant.leaseEnd() - now));
    else
        text += u", never expires"_s;
    if (grant.token())
        text += u", fencing token "_s + QString::number(*grant.token());
    return text + u'.';
}

void ReleaseTally::add(const ReleaseResult& result, std::uint64_t keys)
{
    m_released += keys - result.left().size();
    for (const KeyRelease& key : result.left()) {
        switch (key.outcome) {
        case ReleaseOutcome::Released:
            break;
        case ReleaseOutcome::NotHeld:
            ++(key.cleared ? m_cleared : m_notHeld);
            break;
        case ReleaseOutcome::Unknown:
            ++m_unknown;
            break;
        case ReleaseOutcome::Changed:
        case ReleaseOutcome::HeldByOther:
            if (m_heldByOther++ == 0) {
                m_example = key.key;
                m_exampleHolder = key.holder;
            }
            break;
        }
    }
}

void ReleaseTally::addProblem(const LockError& error, std::uint64_t locks)
{
    m_failed += locks;
    m_problem = problemText(error);
}

bool ReleaseTally::isClean() const
{
    return m_notHeld + m_unknown + m_heldByOther + m_failed == 0;
}

QString ReleaseTally::text(bool cancelled) const
{
    QString text = u"Released %1."_s.arg(countText(m_released, u"lock"_s));
    if (m_cleared > 0)
        text += u" Removed what was left of %1 that %2 over."_s.arg(
            countText(m_cleared, u"lock"_s), m_cleared == 1 ? u"was"_s : u"were"_s);
    if (m_notHeld > 0)
        text += m_notHeld == 1 ? u" 1 was no longer held."_s
                               : u" %1 were no longer held."_s.arg(numberText(m_notHeld));
    if (m_heldByOther > 0) {
        text += u" %1 left alone: %2 is %3 now."_s.arg(numberText(m_heldByOther), inQuotes(m_example),
                                                       holderText(m_exampleHolder));
    }
    if (m_unknown > 0) {
        text += u" The outcome of %1 is unknown, because the connection was lost: look again "
                "before you try again."_s.arg(numberText(m_unknown));
    }
    if (m_failed > 0)
        text += u" %1 not released: %2"_s.arg(numberText(m_failed), m_problem);
    return cancelled ? text + u" Cancelled before the rest."_s : text;
}

QString releaseAllText(const ReleaseAllResult& result)
{
    QString text = u"Released %1."_s.arg(countText(result.released, u"lock"_s));
    if (result.cleared > 0)
        text += u" Removed what was left of %1 that %2 over."_s.arg(
            countText(result.cleared, u"lock"_s), result.cleared == 1 ? u"was"_s : u"were"_s);
    for (const auto& [reason, count] : result.reasons)
        text += u" %1 left: %2."_s.arg(numberText(count), shownText(reason));
    if (result.interruption) {
        text +=
            u" The rest was not looked at: %1"_s.arg(sentenceText(messageOf(result.interruption)));
    }
    return result.cancelled ? text + u" Cancelled before the rest."_s : text;
}

} // namespace lockboard
