// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/errors.h"

#include <stdexcept>

namespace lockboard::ctl {

//! What the program exits with: sysexits.h where it has a word for it. Signals add 128.
enum ExitCode : int {
    Done = 0,
    No = 1, //!< the answer is no: not released, nothing matched
    Usage = 64,
    Unreachable = 69,
    Internal = 70, //!< an error that should not be
    OutputFailed = 74, //!< or the audit log
    TryAgain = 75, //!< conflict or timed out
    Forbidden = 77, //!< denied, or read-only
    BadConfig = 78,
    BySignal = 128,
};

//! The command line is wrong; what() is the sentence.
class UsageError final : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[nodiscard]] int exitCodeOf(const LockError& error);
//! One sentence for a person: the error's own, and what else it knows.
[[nodiscard]] std::string sentenceOf(const LockError& error);

} // namespace lockboard::ctl
