// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lockboard {

//! What a provider can do, for a console to show.
class ProviderFeatures final {
public:
    bool leases = true; //!< locks with a time to live
    bool fencingTokens = false;
    bool waiters = true; //!< acquire can wait in a queue
    bool push = false; //!< the live view learns of changes without asking
    bool shared = false; //!< other processes see the same locks
    bool endsSessions = false; //!< it has a SessionControl
    bool changeNotices = false; //!< it has ChangeNotices
};

//! One line of a provider's check of itself.
class Finding final {
public:
    enum Level : std::uint8_t { Good, Note, Problem };

    Finding() = default;
    Finding(Level l, std::string s)
        : level(l)
        , sentence(std::move(s))
    {
    }

    Level level = Good;
    std::string sentence;
};

//! `reachable`: the provider answers. Every finding is one sentence, free of secrets.
class CheckReport final {
public:
    bool reachable = true;
    std::vector<Finding> findings;
};

} // namespace lockboard
