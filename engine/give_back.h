// SPDX-License-Identifier: MIT
#pragma once

#include "engine/basic_provider.h"

#include <deque>

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

    void add(LockKeys keys, std::string owner);
    //! Ends it. What is not given back yet stays until its lease ends.
    void close();

private:
    class Item final {
    public:
        LockKeys keys;
        std::string owner;
        TimePoint due;
        bool seenFree = false; //!< asked already, and nothing was held
    };

    Task<void> run();
    //! Asks once; gives whether anything was released. \throws OutcomeUnknown too
    Task<bool> release(LockKeys keys, std::string owner);

    BasicProvider& m_provider;
    Signal m_signal;
    std::deque<Item> m_items;
    bool m_running = false;
};

} // namespace lockboard
