// SPDX-License-Identifier: MIT
#pragma once

#include "engine/basic_provider.h"

#include <map>

namespace lockboard {

//! Frees, in the background and as soon as the server lets it, what calls of ours may have left
//! held: keys whose acquire or release was sent when the line died.
//!
//! Only under an owner that was one call's alone and whose call is over. A compare-and-delete by
//! such an owner can meet nothing but that call's own locks, however often it is sent and whenever
//! it arrives: so this is no blind repetition of something that others could feel.
class GiveBack final {
public:
    explicit GiveBack(BasicProvider& provider);
    GiveBack(const GiveBack&) = delete;
    GiveBack& operator=(const GiveBack&) = delete;

    //! `lease`: which they were asked for; none: for ever.
    void add(LockKeys keys, std::string owner, std::optional<Duration> lease);
    //! Ends it. What is not given back yet stays until its lease ends.
    void close();

private:
    class Item final {
    public:
        LockKeys keys;
        std::string owner;
        TimePoint end; //!< tried no longer
        bool leased = false;
        bool seenFree = false; //!< asked already, and nothing was held
        int refusals = 0;
    };

    Task<void> run();
    //! Asks once; gives whether anything was released. \throws OutcomeUnknown too
    Task<bool> release(LockKeys keys, std::string owner);
    //! What is to become of an item that failed, if it is not tried again: says so.
    void giveUp(const Item& item, const std::string& problem) const;

    BasicProvider& m_provider;
    Signal m_signal;
    std::multimap<TimePoint, Item> m_items; // by when they are due
    bool m_running = false;
};

} // namespace lockboard
