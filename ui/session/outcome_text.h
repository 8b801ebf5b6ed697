// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/provider.h"
#include "ui/locks/seen_locks.h"

#include <QString>

namespace lockboard {

//! What went wrong as a sentence; a conflict names the key, its holder and what is left.
[[nodiscard]] QString problemText(const LockError& error);
//! What each key got, where they differ.
[[nodiscard]] QString grantText(const Grant& grant, const LockKeys& keys, TimePoint now);

//! What became of many releases, counted as they come so that a million cost no memory.
class ReleaseTally final {
public:
    //! Of a call for that many keys.
    void add(const ReleaseResult& result, std::uint64_t keys);
    void addProblem(const LockError& error, std::uint64_t locks);
    //! Of those that the list had seen go before they were to be released.
    void addGone(const SeenLocks::Page& page);
    //! The list has that many more by now, of which those that were taken anew are some.
    void addNewcomers(std::uint64_t locks);
    [[nodiscard]] std::uint64_t released() const { return m_released; }
    [[nodiscard]] bool isClean() const;
    //! `rest` of them were not tried.
    [[nodiscard]] QString text(std::uint64_t rest, bool cancelled) const;

private:
    std::uint64_t m_released = 0;
    std::uint64_t m_notHeld = 0;
    std::uint64_t m_cleared = 0;
    std::uint64_t m_unknown = 0;
    std::uint64_t m_heldByOther = 0;
    std::uint64_t m_retaken = 0;
    std::uint64_t m_newcomers = 0;
    std::uint64_t m_failed = 0;
    std::string m_example; // a key that somebody else holds now
    Owner m_exampleHolder;
    std::string m_retakenExample; // a key that was taken anew
    QString m_problem;
    QString m_unknownWhy; // empty: the answers named single keys
};

} // namespace lockboard
