// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace lockboard {

//! Faults that the simulation plants one by one, to show that its checks find each of them. They
//! can be planted only where LOCKBOARD_PLANTED_FAULTS is defined: in a test that compiles these
//! sources for itself. The library has none of it.
enum class PlantedFault : std::uint8_t {
    None,
    WakeUpLost, //!< who leads next is not told that its turn has come
    DeadlineAfterRenewal, //!< a lease is counted from the answer rather than from the question
    UnknownSentAgain, //!< an acquire whose outcome is unknown is sent once more
    TicketLeftBehind, //!< a call that has given up still stands in the queue
    StartsOnOldLease, //!< a job starts although its grant came when its lease was over
    LateGrantKept, //!< what is granted to an owner after its call has given up is left held
    LateLookUnbounded, //!< whether the owner has the keys already is waited for without a bound
    ClosingCancels, //!< what was sent when the provider closed is reported as Cancelled
    LostAfterRelease, //!< a loss is told only when the release has been answered
    LossNotTold, //!< a job is not told when its lease is over
    UnknownGivenUp, //!< what a call may have left held is not looked after
    ReleaseComparesNothing, //!< a store deletes a lock whoever holds it (the simulated one does)
};

#ifdef LOCKBOARD_PLANTED_FAULTS
inline PlantedFault plantedFault = PlantedFault::None;
[[nodiscard]] inline bool isPlanted(PlantedFault fault)
{
    return plantedFault == fault;
}
#else
[[nodiscard]] constexpr bool isPlanted(PlantedFault)
{
    return false;
}
#endif

} // namespace lockboard
