// SPDX-License-Identifier: MIT
#pragma once

#include "app/lockboardctl/session.h"

#include <map>
#include <set>

namespace lockboard::ctl {

//! Keys that somebody names, to tell by them what the hashes of advisory locks stand for: --name
//! and --names-from. Needs no more memory for a long file than for a short one.
class KeyNames final {
public:
    //! By hash: all keys that have it.
    using Found = std::map<std::uint32_t, std::vector<std::string>>;

    //! Opens the file. \throws UsageError
    explicit KeyNames(const Arguments& arguments);
    ~KeyNames();
    KeyNames(const KeyNames&) = delete;
    KeyNames& operator=(const KeyNames&) = delete;

    [[nodiscard]] bool areGiven() const { return !m_names.empty() || m_file >= 0; }
    //! Those that have one of these hashes. Reads the file, so call it once.
    //! \throws Cancelled, UsageError
    [[nodiscard]] Task<Found> find(Session& session, std::set<std::uint32_t> hashes);

private:
    std::vector<std::string> m_names;
    std::string m_path;
    int m_file = -1;
};

} // namespace lockboard::ctl
