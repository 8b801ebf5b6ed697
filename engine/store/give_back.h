// SPDX-License-Identifier: MIT
#pragma once

#include "engine/store/basic_provider.h"

#include <map>

namespace lockboard {

//! Frees, in the background and as soon as the server lets it, what calls of ours may have left
//! held: keys whose acquire or release was sent when the line died.
//!
//! Only under an owner that was one call's alone and whose call is over, or one that did not hold
//! the key before and whose other calls have not been granted it since (Doubt). A
//! compare-and-delete by such an owner meets nothing but that call's own locks, however often it is
//! sent and whenever it arrives: so this is no blind repetition of something that others could
//! feel.
class GiveBack final {
public:
    explicit GiveBack(BasicProvider& provider);
    GiveBack(const GiveBack&) = delete;
    GiveBack& operator=(const GiveBack&) = delete;

    //! `lease`: which they were asked for; none: for ever. `doubt`: of an owner whom other calls
    //! may use too; null: it was this call's alone.
    void add(LockKeys keys, std::string owner, std::optional<Duration> lease,
             std::shared_ptr<Doubt> doubt);
    //! Nothing is left to be given back.
    [[nodiscard]] bool isIdle() const;
    //! Ends it. What is not given back yet stays until its lease ends.
    void close();

private:
    class Item final {
    public:
        LockKeys keys;
        std::string owner;
        std::shared_ptr<Doubt> doubt;
        TimePoint end; //!< tried no longer
        bool leased = false;
        std::size_t looks = 0; //!< that have found nothing held
        int refusals = 0;
    };

    //! What a release that was sent came to.
    enum class Answer : std::uint8_t {
        Freed,
        NothingHeld, //!< yet: the acquire may still be on its way
        None, //!< the server is silent or gone, or what it did is not known
        Refused, //!< it will not do it
    };
    static constexpr Duration shortestReleasePause = std::chrono::milliseconds(50);

    [[nodiscard]] static LockKeys unclaimed(const Item& item);
    Task<void> run();
    //! Never throws; `problem` says why nothing was freed.
    Task<Answer> ask(LockKeys keys, std::string owner, std::string* problem);
    //! Keeps the item for another look, or lets it go.
    void conclude(Item item, Answer answer, const std::string& problem);
    //! Asks once; gives whether anything was released. \throws OutcomeUnknown too
    Task<bool> release(LockKeys keys, std::string owner);
    //! What is to become of an item that failed, if it is not tried again: says so.
    void giveUp(const Item& item, const std::string& problem) const;

    BasicProvider& m_provider;
    Signal m_signal;
    std::multimap<TimePoint, Item> m_items; // by when they are due
    Duration m_pause = shortestReleasePause; // for the server, next time it does not answer
    TimePoint m_rested; // it is left alone till then
    bool m_running = false;
    bool m_busy = false; // with one that is in no list
};

} // namespace lockboard
