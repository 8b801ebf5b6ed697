// SPDX-License-Identifier: MIT
#include "app/lockboardctl/session_target.h"

#include "app/lockboardctl/exit_code.h"

#include "engine/contract/credentials.h"

#include <QDateTime>

#include <charconv>

namespace lockboard::ctl {

template <typename Number> static bool read(std::string_view text, Number& number)
{
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && rest == text.data() + text.size();
}

//! The text up to the separator, which is taken away with it.
static std::string_view takeUpTo(char separator, std::string_view& text)
{
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

SessionTarget SessionTarget::parse(const std::string& text)
{
    SessionTarget target;
    std::string_view rest = text;
    int pid = 0; // what the server has for it
    bool good = read(takeUpTo('@', rest), pid) && pid > 0;
    target.m_pid = pid;
    target.m_session = takeUpTo(',', rest);
    if (const std::string_view lock = takeUpTo(',', rest); !lock.empty()) {
        std::uint32_t hash = 0;
        good = good && (lock.front() == 'h' || lock.front() == 'w') && read(lock.substr(1), hash);
        target.m_lock = SeenSession::Key(hash, lock.front() == 'h');
    }
    if (!rest.empty()) {
        std::int64_t began = 0;
        good = good && read(rest, began);
        target.m_began = began;
    }
    if (!good || target.m_session.find('=') != std::string::npos)
        throw UsageError('"' + shownWord(text)
                         + "\" is neither the number of a process nor a session's target as list "
                           "--json has it.");
    return target;
}

std::string SessionTarget::textFor(const HolderNote::Fields& session, std::uint32_t hash,
                                   LockState state, TimePoint now)
{
    std::string text = std::to_string(session.pid) + '@' + session.session
        + (state == LockState::Advisory ? ",h" : ",w") + std::to_string(hash);
    if (session.transactionBegan) {
        const auto age =
            std::chrono::floor<std::chrono::milliseconds>(now - *session.transactionBegan);
        text += ',' + std::to_string(QDateTime::currentMSecsSinceEpoch() - age.count());
    }
    return text;
}

void SessionTarget::narrow(SeenSession& seen, TimePoint now) const
{
    if (!m_session.empty())
        seen.expectSession(m_session);
    if (m_lock)
        seen.expectKey(*m_lock);
    if (m_began)
        seen.expectTransactionBegan(now - Duration(QDateTime::currentMSecsSinceEpoch() - *m_began));
}

} // namespace lockboard::ctl
