// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract.h"

#include <QString>

namespace lockboard {

//! What went wrong as a sentence; a conflict names the key, its holder and what is left.
[[nodiscard]] QString problemText(const LockError& error);
[[nodiscard]] QString grantText(const Grant& grant, TimePoint now);

//! What became of many releases, counted as they come so that a million cost no memory.
class ReleaseTally final {
public:
    //! Of a call for that many keys.
    void add(const ReleaseResult& result, std::uint64_t keys);
    void addProblem(const LockError& error, std::uint64_t locks);
    [[nodiscard]] std::uint64_t released() const { return m_released; }
    [[nodiscard]] bool isClean() const;
    [[nodiscard]] QString text(bool cancelled) const;

private:
    std::uint64_t m_released = 0;
    std::uint64_t m_notHeld = 0;
    std::uint64_t m_cleared = 0;
    std::uint64_t m_unknown = 0;
    std::uint64_t m_heldByOther = 0;
    std::uint64_t m_failed = 0;
    std::string m_example; // a key that somebody else holds now
    Owner m_exampleHolder;
    QString m_problem;
};

[[nodiscard]] QString releaseAllText(const ReleaseAllResult& result);

} // namespace lockboard
