// SPDX-License-Identifier: MIT
#pragma once

#include "app/lockboardctl/snapshot.h"

namespace lockboard::ctl {

//! The locks that somebody was asked about: what is released then is these grants and nothing that
//! came after them.
class ShownLocks final {
public:
    void add(const Lock& lock);
    [[nodiscard]] std::uint64_t count() const { return m_held.size() + m_residue.size(); }

    //! Releases them page by page. What was taken anew, or is new by now where `query` matches, is
    //! left and counted. What ends it early is in the result.
    [[nodiscard]] Task<ReleaseAllResult> release(Session& session, LockQuery query) const;

private:
    using Page = std::vector<SeenLock>;

    [[nodiscard]] Task<void> releasePage(Session& session, Page page, bool onlyIfOver,
                                         ReleaseAllResult* result) const;
    [[nodiscard]] Task<void> releaseAll(Session& session, const std::vector<SeenLock>* locks,
                                        bool onlyIfOver, ReleaseAllResult* result,
                                        std::uint64_t* done) const;
    [[nodiscard]] Task<std::uint64_t> countNew(Session& session, LockQuery query) const;

    std::vector<SeenLock> m_held;
    std::vector<SeenLock> m_residue;
};

//! How far it is, on the terminal; and that it is over.
void showProgress(std::uint64_t released, std::uint64_t seen);
void endProgress();

} // namespace lockboard::ctl
