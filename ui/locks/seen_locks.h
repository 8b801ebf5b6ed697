// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/lock_store.h"

namespace lockboard {

class LockTableModel;

//! Locks of one provider as they were listed at one moment: what an action is about that was
//! offered then, whatever the list shows by now, and of whichever provider. A picture of a million
//! costs no copy. Knows too which of them the list has seen go since. GUI thread.
class SeenLocks final {
public:
    SeenLocks() = default;
    //! Of these rows those that a release can let go of, in this order.
    SeenLocks(std::string provider, const LockTableModel& model, const std::vector<RowId>& rows);
    //! All that a release can let go of.
    [[nodiscard]] static SeenLocks everything(std::string provider, const LockTableModel& model);
    //! Those of one owner.
    [[nodiscard]] static SeenLocks allOf(std::string provider, const LockTableModel& model,
                                         const std::string& owner);

    [[nodiscard]] const std::string& provider() const { return m_provider; }
    [[nodiscard]] std::uint64_t count() const { return m_count; }
    [[nodiscard]] bool isEmpty() const { return m_count == 0; }
    //! False: the list was still loading, and there may be more.
    [[nodiscard]] bool isComplete() const { return m_complete; }
    //! Of the rows that were chosen, those of sessions, which are not among these locks.
    [[nodiscard]] std::uint64_t sessions() const { return m_sessions; }

    //! What a question says of them.
    class Summary final {
    public:
        static constexpr std::size_t mostNames = 3;

        std::uint64_t held = 0;
        std::uint64_t over = 0; //!< residue
        std::uint64_t owners = 0; //!< of those that are held; held without an owner counts as one
        std::vector<Owner> firstOwners;
        std::vector<std::string> firstKeys; //!< of those that are held, or else of all
        Owner overOwner; //!< of the first that is over
    };
    [[nodiscard]] Summary summary() const;

    //! Some of them, as they were seen.
    class Page final {
    public:
        std::vector<Lock> locks; //!< the list has them still
        std::uint64_t gone = 0; //!< the list has seen them go
        std::uint64_t retaken = 0; //!< and these have come again
        std::string retakenKey; //!< one of those
        Owner retakenOwner;
        bool isLast = false;
    };
    //! The next ones from a position, which begins at 0.
    [[nodiscard]] Page page(std::size_t* position) const;
    //! How many locks the list has now that the question would be about, and that came after it.
    [[nodiscard]] std::uint64_t newcomers() const;

private:
    enum class Kind : std::uint8_t { Chosen, OfOwner, Everything };

    SeenLocks(Kind kind, std::string provider, const LockTableModel& model, std::string owner);
    [[nodiscard]] bool includes(const LockRow& row, std::optional<OwnerId> owner) const;
    [[nodiscard]] std::size_t positions() const;
    //! The row at a position; null: it is not one of these.
    [[nodiscard]] const LockRow* at(std::size_t position, RowId* id) const;

    Kind m_kind = Kind::Chosen;
    bool m_complete = true;
    std::string m_provider;
    std::string m_owner;
    std::shared_ptr<const LockStore> m_store; // goes on for as long as this provider is shown
    LockTable m_table; // stays as it was
    std::vector<RowId> m_rows; // if they were chosen
    std::optional<OwnerId> m_ownerId; // in m_table
    std::uint64_t m_latest = 0; // sighting
    std::uint64_t m_count = 0;
    std::uint64_t m_sessions = 0;
};

} // namespace lockboard
