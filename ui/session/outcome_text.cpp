// SPDX-License-Identifier: MIT
#include "ui/session/outcome_text.h"

#include "ui/locks/formatting.h"

#include <algorithm>

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

static QString leaseText(std::optional<TimePoint> end, TimePoint now)
{
    return end ? u" for "_s + durationText(std::chrono::round<Duration>(*end - now))
               : u", never expires"_s;
}

QString grantText(const Grant& grant, const LockKeys& keys, TimePoint now)
{
    const auto verb = [](bool extended) { return extended ? u"Extended"_s : u"Granted"_s; };
    const std::vector<KeyGrant> grants = grant.outcomes(keys);
    const bool alike = std::all_of(grants.begin(), grants.end(), [&](const KeyGrant& one) {
        return one.extended == grants.front().extended && one.leaseEnd == grants.front().leaseEnd;
    });
    QString text;
    if (alike) {
        text = verb(grant.isExtension()) + leaseText(grant.leaseEnd(), now);
    } else {
        QStringList each;
        for (const KeyGrant& one : grants)
            each << verb(one.extended) + u' ' + inQuotes(one.key) + leaseText(one.leaseEnd, now);
        text = each.join(u"; "_s);
    }
    if (grant.token())
        text += u", fencing token "_s + QString::number(*grant.token());
    return grant.isOver(now)
        ? text + u". Its lease ended before the answer came: somebody else may hold it."_s
        : text + u'.';
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
            if (m_retaken++ == 0)
                m_retakenExample = key.key;
            break;
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
    const bool isUnknown = error.code() == ErrorCode::OutcomeUnknown;
    (isUnknown ? m_unknown : m_failed) += locks;
    (isUnknown ? m_unknownWhy : m_problem) = problemText(error);
}

void ReleaseTally::addGone(const SeenLocks::Page& page)
{
    m_notHeld += page.gone - page.retaken;
    if (page.retaken > 0 && m_retaken == 0)
        m_retakenExample = page.retakenKey;
    m_retaken += page.retaken;
}

void ReleaseTally::addNewcomers(std::uint64_t locks)
{
    const std::uint64_t counted = m_retaken + m_heldByOther;
    m_newcomers = locks - std::min(locks, counted);
}

bool ReleaseTally::isClean() const
{
    return m_notHeld + m_unknown + m_heldByOther + m_retaken + m_failed == 0;
}

QString ReleaseTally::text(std::uint64_t rest, bool cancelled) const
{
    QString text = u"Released %1."_s.arg(countText(m_released, u"lock"_s));
    if (m_cleared > 0)
        text += u" Removed what was left of %1 that %2 over."_s.arg(
            countText(m_cleared, u"lock"_s), m_cleared == 1 ? u"was"_s : u"were"_s);
    if (m_notHeld > 0)
        text += m_notHeld == 1 ? u" 1 was no longer held."_s
                               : u" %1 were no longer held."_s.arg(numberText(m_notHeld));
    if (m_heldByOther > 0) {
        text += u" %1 left alone: %2 is %3 now."_s.arg(
            numberText(m_heldByOther), inQuotes(m_example), holderText(m_exampleHolder));
    }
    if (m_retaken > 0) {
        text += m_retaken == 1
            ? u" 1 left alone: %1 was let go and taken anew since the question."_s.arg(
                inQuotes(m_retakenExample))
            : u" %1 left alone: %2 and others were let go and taken anew since the question."_s.arg(
                numberText(m_retaken), inQuotes(m_retakenExample));
    }
    if (m_newcomers > 0)
        text += m_newcomers == 1
            ? u" 1 that came after the question is left."_s
            : u" %1 that came after the question are left."_s.arg(numberText(m_newcomers));
    if (m_unknown > 0) {
        text += m_unknownWhy.isEmpty()
            ? u" The outcome of %1 is unknown, because the connection was lost: look again before "
              "you try again."_s.arg(numberText(m_unknown))
            : u" The outcome of %1 is unknown, so look again before you try again: %2"_s.arg(
                numberText(m_unknown), m_unknownWhy);
    }
    if (m_failed > 0)
        text += u" %1 not released: %2"_s.arg(numberText(m_failed), m_problem);
    if (rest > 0 && !cancelled)
        text += u" The other %1 were not tried."_s.arg(numberText(rest));
    return cancelled ? text + u" Cancelled before the rest."_s : text;
}

} // namespace lockboard
