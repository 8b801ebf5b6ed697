// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace lockboard {

//! What is in a file that somebody named: of a regular file, or of a pipe (a shell's `<(command)`,
//! a FIFO), 1 MiB at the most and within ten seconds. Devices, sockets and folders are not opened.
//! \throws std::runtime_error: a phrase about the file, `can't be read: ...`; Cancelled if a signal
//! interrupts the wait for a pipe
[[nodiscard]] std::string readBoundedFile(const std::string& path);

} // namespace lockboard
